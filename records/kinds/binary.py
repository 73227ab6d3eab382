"""Bytes: VARBINARY, BINARY and the BLOB family; base64 in JSON."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from records.errors import ValueRefused
from records.kinds.base import JsonSchema, Kind, refuse_format, refuse_type
from records.kinds.text import SIZES, size_problems


class _BytesKind(Kind):
    """What all columns of bytes share: base64 in JSON, and an upper limit."""

    def limit(self) -> int:
        """The most bytes that fit."""
        raise NotImplementedError

    def check(self, value: object) -> bytes:
        """Bytes, or anything that is a buffer of bytes, up to the limit."""
        if not isinstance(value, bytes | bytearray | memoryview):
            refuse_type("bytes", value)
        content = bytes(value)
        if len(content) > self.limit():
            raise ValueRefused(
                "value.too_long", f"{len(content)} bytes, where at most {self.limit()} fit"
            )
        return content

    def from_json(self, value: object) -> bytes:
        """Bytes from base64 (RFC 4648, section 4, with padding)."""
        if not isinstance(value, str):
            refuse_type("base64 text", value)
        try:
            return self.check(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            refuse_format("base64 (RFC 4648, with padding)", value)

    def to_json(self, value: bytes) -> str:
        """Base64 with padding."""
        return base64.b64encode(value).decode()

    def json_schema(self) -> JsonSchema:
        """A base64 string."""
        return {"type": "string", "contentEncoding": "base64", "x-maxBytes": self.limit()}


@dataclass(frozen=True)
class BytesKind(_BytesKind):
    """VARBINARY(length). Python: `bytes`."""

    length: int

    def limit(self) -> int:
        """The declared length."""
        return self.length

    def index_bytes(self) -> int:
        """Every byte is indexed."""
        return self.length

    def problems(self) -> Iterator[str]:
        """A VARBINARY must fit into a row."""
        if not 1 <= self.length <= 65_532:
            yield f"length must be 1 to 65532 bytes, not {self.length}"


@dataclass(frozen=True)
class FixedBytesKind(_BytesKind):
    """BINARY(length). Python: exactly `length` bytes, since BINARY pads what is shorter."""

    length: int

    def limit(self) -> int:
        """The declared length."""
        return self.length

    def check(self, value: object) -> bytes:
        """Exactly as many bytes as the column has."""
        content = super().check(value)
        if len(content) < self.length:
            raise ValueRefused(
                "value.too_short", f"{len(content)} bytes, where exactly {self.length} must be"
            )
        return content

    def index_bytes(self) -> int:
        """Every byte is indexed."""
        return self.length

    def problems(self) -> Iterator[str]:
        """MySQL's BINARY ends at 255 bytes."""
        if not 1 <= self.length <= 255:
            yield f"length must be 1 to 255 bytes, not {self.length}"


@dataclass(frozen=True)
class LongBytesKind(_BytesKind):
    """TINYBLOB, BLOB, MEDIUMBLOB or LONGBLOB. Python: `bytes`."""

    size: str = ""
    keyable = False

    def limit(self) -> int:
        """What the size holds."""
        return SIZES[self.size]

    def problems(self) -> Iterator[str]:
        """Known size."""
        yield from size_problems(self.size)
