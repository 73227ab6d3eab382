"""All addresses that a node dials, and which connection came of which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.herd.flood import Flood
from service.herd.status import SiblingState
from service.transports.siblings.connection import Ending
from service.transports.siblings.dialling import Dialler, Links
from service.transports.siblings.telling import state_of_dialler
from service.transports.siblings.terms import Surroundings


class Diallers:
    """One for each address. Connections are known by their numbers."""

    def __init__(self, addresses: Iterable[str], links: Links, around: Surroundings) -> None:
        self._all = [Dialler(address, links, around) for address in addresses]
        self._by_number: dict[int, Dialler] = {}

    def start(self) -> None:
        """Begin; what waits is dialled at once."""
        for dialler in self._all:
            dialler.start()

    def stop(self) -> None:
        """Dial no more."""
        for dialler in self._all:
            dialler.stop()

    def made(self, number: int, dialler: Dialler) -> None:
        """A connection is there that was dialled."""
        self._by_number[number] = dialler

    def greeted(self, number: int) -> None:
        """A connection has become a link."""
        dialler = self._by_number.get(number)
        if dialler is not None:
            dialler.greeted()

    def ended(self, number: int, ending: Ending, origin: int | None) -> bool:
        """A connection is gone, with who was there if that is known; whether it was dialled."""
        dialler = self._by_number.pop(number, None)
        if dialler is not None:
            dialler.ended(ending, origin)
        return dialler is not None

    def uncover(self, origin: int) -> None:
        """There is no link with a sibling any more."""
        for dialler in self._all:
            dialler.uncover(origin)

    def states(self, flood: Flood | None, now: float) -> Iterator[SiblingState]:
        """How each address stands."""
        return (state_of_dialler(dialler, flood, now) for dialler in self._all)
