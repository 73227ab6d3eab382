"""The errors of the inner rooms, in one tree, and the shape of a single failure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class HerdbookError(Exception):
    """The root of every error Herdbook raises on purpose."""


class ValueRefused(HerdbookError):
    """A value does not fit its kind. `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong, and where.

    `pointer` is an RFC 6901 JSON Pointer into the record (or into the parameters), "" for the
    whole of it; `index` counts records from 0 where a call carries many.
    """

    code: str
    message: str
    pointer: str = ""
    index: int | None = None

    def as_json(self) -> dict[str, object]:
        """The failure as it goes over the wire, without what is not known."""
        shown: dict[str, object] = {} if self.index is None else {"index": self.index}
        return shown | {"pointer": self.pointer, "code": self.code, "message": self.message}


class DeclarationError(HerdbookError):
    """Record classes are declared wrongly; `problems` lists every one, a line each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ModuleMissing(DeclarationError):
    """The module of record classes is not there."""


def pointer(*steps: str | int) -> str:
    """An RFC 6901 JSON Pointer from its steps: `pointer("a/b", 0)` is `/a~1b/0`."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
