"""What occurs many times in a delta and is written once: versions, slots, deaths and writers."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from records.stamps import Slot, Version
from records.states import Death
from service.herd.deltas import Delta
from service.herd.wire.forms import Lists, Pairs, Versions
from service.herd.wire.numbering import Indices, Numbering, listed


class Numberings(NamedTuple):
    """The lists while they are being made."""

    versions: Numbering[Version]
    slots: Numbering[Slot]
    deaths: Numbering[Death | None]
    writers: Numbering[str]


class Listings(NamedTuple):
    """The lists as they were read."""

    versions: tuple[Version, ...]
    slots: tuple[Slot, ...]
    deaths: tuple[Death | None, ...]
    writers: tuple[str, ...]


def numberings_of(delta: Delta) -> Numberings:
    """Everything that a delta writes once."""
    states = [row.state for row in delta.rows]
    slots = Numbering(chain.from_iterable(state.slots.values() for state in states))
    versions = chain(
        (state.born for state in states),
        (slot.version for slot in slots.things),
        (slot.over for slot in slots.things),
        (entry.version for entry in delta.entries),
    )
    return Numberings(
        Numbering(versions),
        slots,
        Numbering(state.death for state in states),
        Numbering(entry.writer for entry in delta.entries),
    )


def pack_lists(numberings: Numberings) -> Lists:
    """The lists for the wire."""
    versions, slots = numberings.versions, numberings.slots.things
    return Lists(
        Versions(
            tuple(version.stamp for version in versions.things),
            tuple(version.origin for version in versions.things),
        ),
        Pairs(
            versions.of(slot.version for slot in slots), versions.of(slot.over for slot in slots)
        ),
        tuple(None if death is None else (*death,) for death in numberings.deaths.things),
        numberings.writers.things,
    )


def unpack_lists(lists: Lists) -> Listings:
    """The lists from the wire; raises ValueError or IndexError."""
    versions = tuple(map(Version, *_halves(lists.versions)))
    first, second = _halves(lists.slots)
    slots = tuple(map(Slot, listed(versions, first), listed(versions, second)))
    deaths = tuple(None if death is None else Death(*death) for death in lists.deaths)
    return Listings(versions, slots, deaths, lists.writers)


def _halves(pairs: Pairs | Versions) -> tuple[Indices, Indices]:
    if len(pairs.first) != len(pairs.second):
        raise ValueError("a list of pairs has halves of two lengths")
    return pairs.first, pairs.second
