"""Collecting what is wrong with the parameters of a call, so that it is all told at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from records.errors import Failure, ValueRefused, pointer
from records.validation import suggest
from service.errors import ParametersRefused

Place = tuple[str | int, ...]
"""The steps from the parameters to a value within them."""

MOST_SUGGESTIONS = 10
"""Unknown names of one call for which near ones are looked for. Each takes some 50 µs, in which the
node does nothing else; a client's mistake shows in the first ones."""

_LONGEST_SHOWN, _MOST_LISTED = 100, 20

_T = TypeVar("_T")


class Problems:
    """The failures of one call's parameters; each points into the parameters as they were sent."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self._suggestions_left = MOST_SUGGESTIONS

    def add(self, code: str, message: str, place: Place) -> None:
        """Note one more."""
        self.failures.append(Failure(code, message, pointer(*place)))

    def attempt(self, place: Place, convert: Callable[[], _T]) -> _T | None:
        """What `convert` gives; None where it refuses, which is noted at `place`."""
        try:
            return convert()
        except ValueRefused as refused:
            self.add(refused.code, refused.message, place)
            return None

    def suggest(self, name: str, known: Iterable[str]) -> str:
        """What to say after an unknown name; nothing once it was asked often enough."""
        if not self._suggestions_left:
            return ""
        self._suggestions_left -= 1
        return suggest(name, known)

    def class_unknown(self, name: object, known: Collection[str], place: Place) -> None:
        """Note that no record class has this name: the near one is told, or which there are."""
        shown = str(name)[:_LONGEST_SHOWN]
        more = ""
        if self._suggestions_left:
            more = self.suggest(shown, known) or f"; there {_listed(known)}"
        self.add("record.unknown", f"there is no record class {shown}{more}", place)

    def raise_any(self) -> None:
        """Raise ParametersRefused with everything noted; nothing happens where nothing was."""
        if self.failures:
            raise ParametersRefused(self.failures)


def _listed(known: Collection[str]) -> str:
    """Some names, as the end of a sentence."""
    names = sorted(known)[:_MOST_LISTED]
    more = f" and {len(known) - len(names)} more" if len(known) > len(names) else ""
    return f"{'is' if len(known) == 1 else 'are'} {', '.join(names)}{more}"
