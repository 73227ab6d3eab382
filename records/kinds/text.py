"""Text: VARCHAR, CHAR and the TEXT family, always utf8mb4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from records.errors import ValueRefused
from records.kinds.base import JsonSchema, Kind, refuse_type

BINARY_COLLATION = "utf8mb4_bin"
"""The default: byte-wise, and the same on MySQL and MariaDB."""

SIZES = {"tiny": 2**8 - 1, "": 2**16 - 1, "medium": 2**24 - 1, "long": 2**32 - 1}
"""The TEXT and BLOB families: prefix of the type's name, and how many bytes it holds."""

LONGEST_VARCHAR = 16_383
"""Characters of four bytes that fit InnoDB's row limit of 65,535 bytes."""

_COLLATION = re.compile(r"utf8mb4_[a-z0-9_]+", re.ASCII)


def require_unicode(value: object) -> str:
    """The text, unless it is none or holds half a surrogate pair, which UTF-8 cannot carry."""
    if not isinstance(value, str):
        refuse_type("text", value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueRefused(
            "value.not_unicode", f"character {error.start} is half a surrogate pair"
        ) from None
    # Without a class of its own, such as an enumeration's.
    return str.__str__(value)


def collation_problems(collation: str) -> Iterator[str]:
    """Only utf8mb4 collations hold every character."""
    if not _COLLATION.fullmatch(collation):
        yield f"collation must be one of utf8mb4, such as {BINARY_COLLATION}, not {collation!r}"


def size_problems(size: str) -> Iterator[str]:
    """The four sizes of the TEXT and BLOB families."""
    if size not in SIZES:
        yield f'size must be "tiny", "", "medium" or "long", not {size!r}'


@dataclass(frozen=True)
class TextKind(Kind):
    """VARCHAR(length) in characters. Python: `str`."""

    length: int
    collation: str = BINARY_COLLATION

    def check(self, value: object) -> str:
        """Text of at most `length` characters."""
        text = require_unicode(value)
        if len(text) > self.length:
            raise ValueRefused(
                "value.too_long", f"{len(text)} characters, where at most {self.length} fit"
            )
        return text

    def json_schema(self) -> JsonSchema:
        """A string with its longest length."""
        return {"type": "string", "maxLength": self.length}

    def index_bytes(self) -> int:
        """utf8mb4 takes up to four bytes a character."""
        return 4 * self.length

    def problems(self) -> Iterator[str]:
        """A VARCHAR must fit into a row."""
        if not 1 <= self.length <= LONGEST_VARCHAR:
            yield (
                f"length must be 1 to {LONGEST_VARCHAR} characters, not {self.length}; "
                "leave length out for the TEXT family"
            )
        yield from collation_problems(self.collation)


@dataclass(frozen=True)
class FixedTextKind(TextKind):
    """CHAR(length). Python: `str` without trailing spaces, since CHAR drops them."""

    def check(self, value: object) -> str:
        """Text of at most `length` characters that does not end in a space."""
        text = super().check(value)
        if text.endswith(" "):
            raise ValueRefused(
                "value.trailing_space", "a CHAR column drops trailing spaces; remove them"
            )
        return text

    def problems(self) -> Iterator[str]:
        """MySQL's CHAR ends at 255 characters."""
        if not 1 <= self.length <= 255:
            yield f"length must be 1 to 255 characters, not {self.length}"
        yield from collation_problems(self.collation)


@dataclass(frozen=True)
class LongTextKind(Kind):
    """TINYTEXT, TEXT, MEDIUMTEXT or LONGTEXT. Python: `str`."""

    size: str = ""
    collation: str = BINARY_COLLATION
    keyable = False

    def check(self, value: object) -> str:
        """Text whose UTF-8 form fits the column."""
        text = require_unicode(value)
        most = SIZES[self.size]
        if len(text) * 4 > most and len(text.encode()) > most:
            raise ValueRefused(
                "value.too_long", f"{len(text.encode())} bytes, where at most {most} fit"
            )
        return text

    def json_schema(self) -> JsonSchema:
        """A string; the limit is in bytes of UTF-8."""
        return {"type": "string", "x-maxBytes": SIZES.get(self.size)}

    def problems(self) -> Iterator[str]:
        """Known size, known collation."""
        yield from size_problems(self.size)
        yield from collation_problems(self.collation)
