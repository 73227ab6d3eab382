"""A store that only remembers what it was asked, for tests of what comes before it."""

from __future__ import annotations

from typing import Any

from records.errors import Failure
from service.errors import Refused, ValuesRefused
from service.methods.api import build_registry
from tests.service.methods.calls import Api, Statements
from tests.service.methods.herds import MemoryHerd
from tests.service.methods.samples import CATALOGUE


class Remembering:
    """Answers every question with `answer`, or raises `error`; `asked` holds the last arguments.

    Refuses what has known failures, as the port demands, but finds no others.
    """

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.error: Refused | None = None
        self.asked: tuple[Any, ...] = ()

    def __getattr__(self, name: str) -> Any:
        """A method of the port."""

        async def answer(*arguments: Any) -> Any:
            self.asked = (name, *arguments)
            known = [
                part for part in _lists(arguments) if all(isinstance(f, Failure) for f in part)
            ]
            if known and known[-1]:
                raise ValuesRefused(known[-1])
            if self.error is not None:
                raise self.error
            return self.answer

        return answer


def _lists(arguments: tuple[Any, ...]) -> list[list[Any]]:
    """The lists among some arguments."""
    return [part for part in arguments if isinstance(part, list)]


def remembering(answer: Any = None) -> tuple[Api, Remembering]:
    """An API on a store that remembers."""
    store: Any = Remembering(answer)
    herd = MemoryHerd().ports()
    return Api(build_registry(CATALOGUE, store, undo=store, herd=herd), Statements()), store
