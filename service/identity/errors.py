"""What can be wrong with certificates, keys and their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from records.errors import HerdbookError


class Trouble(NamedTuple):
    """One thing that is wrong, and what to do about it. Never holds a secret."""

    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}"


class IdentityRefused(HerdbookError):
    """Certificates or keys cannot be used; `troubles` lists everything that is wrong with them."""

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.troubles = tuple(troubles)
        first, *others = self.troubles
        # One has its advice apart, as other errors have; each of several keeps its own.
        self.hint = "" if others else first.hint
        super().__init__("\n".join(map(str, self.troubles)) if others else first.message)


def refused(message: str, hint: str) -> IdentityRefused:
    """The error with one trouble."""
    return IdentityRefused([Trouble(message, hint)])


@contextmanager
def told_of(where: object) -> Iterator[None]:
    """Put the name of what was looked at before everything that is wrong with it."""
    try:
        yield
    except IdentityRefused as error:
        troubles = [one._replace(message=f"{where}: {one.message}") for one in error.troubles]
        raise IdentityRefused(troubles) from None
