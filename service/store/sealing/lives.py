"""Which life of its row each entry belongs to.

A life is odd while the row lives and one more when it dies. A trigger gives a newborn row life 1,
since it does not look for a dead one; deaths always get the right number. So what happened to a row
before its next death has that one's life less one, and what happened after its last death has the
life that the row stands with, which for one that is born again is one more than the dead row's.
What the herd's applier notes has its life already; only where a row died by it does it tell of
others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.store.sealing.entries import WRITTEN, Entry, Place, Sealed


@dataclass(frozen=True)
class Standing:
    """How a row stands in the tables: its life and stamp, and the life of a dead one beside it."""

    life: int
    stamp: int
    dead: int | None = None

    @property
    def mended(self) -> int:
        """The life that it is to have: more than the dead one's."""
        return self.life if self.dead is None else max(self.life, self.dead + 1)

    def explains(self, entries: Iterable[Entry]) -> bool:
        """Whether these entries surely belong to the life that the row has now.

        Had it died since, a dead row would lie beside it until its birth is sealed; had it changed
        its key to another spelling and back, its life would be higher.
        """
        return self.dead is None and all(entry.life == self.life for entry in entries)


def open_ends(entries: Sequence[Entry]) -> dict[Place, list[Entry]]:
    """For each row that is not seen to die last, what happened to it after its last death."""
    ends: dict[Place, list[Entry]] = {}
    for entry in entries:
        if entry.dies:
            ends.pop(entry.place, None)
        elif entry.applied == WRITTEN:
            ends.setdefault(entry.place, []).append(entry)
    return ends


def settle(
    entries: Sequence[Entry], lives: Mapping[Place, int], held: frozenset[Place]
) -> list[Sealed]:
    """Each entry with its life, in the same order.

    `lives` holds the life of every open end, except of those in `held`: these are left out.
    """
    current: dict[Place, int | None] = dict.fromkeys(held) | dict(lives)
    settled: list[Sealed] = []
    for entry in reversed(entries):
        if entry.dies:
            settled.append((entry, entry.life))
            current[entry.place] = entry.life - 1
        elif entry.applied != WRITTEN:
            settled.append((entry, entry.life))
        else:
            life = current[entry.place]
            if life is not None:
                settled.append((entry, life))
    settled.reverse()
    return settled
