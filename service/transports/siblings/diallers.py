"""All addresses that a node dials, and which connection came of which."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from service.herd.flood import Flood
from service.herd.link_actions import Blame
from service.herd.status import SiblingState
from service.transports.siblings.connection import Ending
from service.transports.siblings.dialling import Dialler, Linked, Links
from service.transports.siblings.telling import state_of_dialler
from service.transports.siblings.terms import Surroundings

UNWANTED = Ending(Blame.NOBODYS, "link.unwanted", "the records of the herd choose other links")


class Diallers:
    """One for each address: those of the configuration, and those that were chosen besides.

    Connections are known by their numbers.
    """

    def __init__(self, addresses: Iterable[str], links: Links, around: Surroundings) -> None:
        self._links = links
        self._around = around
        self._all = {address: Dialler(address, links, around) for address in addresses}
        self._configured = frozenset(self._all)
        self._by_number: dict[int, Dialler] = {}

    def start(self) -> None:
        """Begin; what waits is dialled at once."""
        for dialler in self._all.values():
            dialler.start()

    def stop(self) -> None:
        """Dial no more."""
        for dialler in self._all.values():
            dialler.stop()

    def follow(self, chosen: Collection[str]) -> None:
        """Dial these addresses beside the configured ones, and no others; links to others end."""
        for address in self._all.keys() - self._configured - frozenset(chosen):
            self._end(self._all.pop(address))
        for address in sorted(frozenset(chosen) - self._all.keys()):
            dialler = self._all[address] = Dialler(address, self._links, self._around)
            dialler.start()

    def away_seconds(self, address: str) -> float | None:
        """How long it is dialled without success; None where it is linked, or not dialled."""
        dialler = self._all.get(address)
        if dialler is None or dialler.unlinked_since is None:
            return None
        return self._around.clock.seconds() - dialler.unlinked_since

    def linked(self) -> set[str]:
        """The addresses that are linked, one way or other."""
        return {each for each, dialler in self._all.items() if dialler.unlinked_since is None}

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
        for dialler in tuple(self._all.values()):
            dialler.uncover(origin)

    def states(self, flood: Flood | None, now: float) -> Iterator[SiblingState]:
        """How each address stands."""
        for address, dialler in self._all.items():
            state = state_of_dialler(dialler, flood, now)
            yield state._replace(chosen=address not in self._configured)

    def _end(self, dialler: Dialler) -> None:
        was = dialler.state
        dialler.stop()
        if isinstance(was, Linked):
            self._links.broke(was.connection, UNWANTED)
