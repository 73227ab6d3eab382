"""What can be wrong with a configuration, and the error that carries all of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from records.errors import HerdbookError


@dataclass(frozen=True)
class Problem:
    """One mistake: where it is, what it is, and what to do about it."""

    where: str
    message: str
    advice: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}\n      {self.advice}"

    def as_json(self) -> dict[str, object]:
        """The problem for programs; `line` only where it is known."""
        line = {} if self.line is None else {"line": self.line}
        return {"where": self.where, **line, "message": self.message, "hint": self.advice}


class ConfigurationError(HerdbookError):
    """The configuration cannot be used; `problems` lists every mistake in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ValueWrong(Exception):
    """A single value does not fit its key; the loader adds where it stands."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


def did_you_mean(written: str, known: Sequence[str], otherwise: str) -> str:
    """Advice for a misspelt name: the nearest known one, or the list of all."""
    near = nearest(written, known)
    return f"did you mean {near}?" if near else f"{otherwise}: {', '.join(known)}"


def nearest(written: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely stands for."""
    by_folded = {name.lower(): name for name in known}
    close = difflib.get_close_matches(written.lower(), by_folded, 1, cutoff=0.6)
    return by_folded[close[0]] if close else None
