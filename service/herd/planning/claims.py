"""Unique keys: of two rows that claim one value, the earlier claim keeps it.

A claim is as old as the last write of its columns. The later row gives way: its column becomes
NULL if it may, text gets an ending that depends on the row's key only, and where neither can be
the row is withdrawn.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Mapping

from records.stamps import Version
from records.states import RowState, Value
from service.herd.journal import UNIQUE
from service.herd.planning.draft import Draft
from service.herd.shapes import Place, Shape, Unique
from service.herd.tables import Claim

ENDING_LENGTH = 9
"""Characters: a tilde and eight hexadecimal digits, so that even many rows rarely share one."""


def settle_claims(draft: Draft, withdrawn: set[Place]) -> set[Place]:
    """Repair the draft; the rows that were changed by it. Rows that are withdrawn are added."""
    changed: set[Place] = set()
    for shape in draft.shapes.values():
        for unique in shape.uniques:
            for keeper, *later in contested(draft, shape, unique):
                for place in later:
                    draft.link(place, keeper)
                    _give_way(draft, unique, place, withdrawn)
                changed.update(later)
    return changed


def contested(draft: Draft, shape: Shape, unique: Unique) -> list[list[Place]]:
    """The rows that claim the same, the earliest claim first; only groups of several."""
    claimants = _claimants(draft, shape, unique)
    places = list(claimants)
    groups: dict[Hashable, list[Place]] = defaultdict(list)
    folded = draft.tables.folded(shape.table, unique, [claimants[place] for place in places])
    for place, fold in zip(places, folded, strict=True):
        groups[fold].append(place)
    several = (group for group in groups.values() if len(group) > 1)
    return [sorted(group, key=lambda p: _seniority(draft, unique, p)) for group in several]


def _claimants(draft: Draft, shape: Shape, unique: Unique) -> dict[Place, Claim]:
    """The live rows with a claim that is new in this draft, and the rows here that hold it."""
    planned = {
        place: claim
        for place in draft.after
        if place[0] == shape.table and (claim := _claim(draft, unique, place)) is not None
    }
    if not planned:
        return {}
    holders = draft.tables.holders(shape.table, unique, list(planned.values()))
    draft.load(holders)
    for place in holders:
        claim = _claim(draft, unique, place)
        if claim is not None:
            planned[place] = claim
    return planned


def _claim(draft: Draft, unique: Unique, place: Place) -> Claim | None:
    return claim_of(place, draft.state(place), draft.shape(place[0]), unique)


def claim_of(place: Place, state: RowState | None, shape: Shape, unique: Unique) -> Claim | None:
    """What a row claims; None if it is dead, or leaves a column empty or out."""
    if state is None or not state.alive:
        return None
    if unique.columns == shape.key:
        return place[1]
    values = tuple(state.values.get(column) for column in unique.columns)
    return None if None in values else values


def _seniority(draft: Draft, unique: Unique, place: Place) -> tuple[Version, str]:
    return max(map(draft.known(place).version, unique.columns)), repr(place[1])


def _give_way(draft: Draft, unique: Unique, place: Place, withdrawn: set[Place]) -> None:
    released = _released(draft, unique, place)
    if released is None:
        withdrawn.add(place)
        draft.withdraw(place)
    else:
        draft.write(place, released, UNIQUE)


def _released(draft: Draft, unique: Unique, place: Place) -> Mapping[str, Value] | None:
    """What is written so that the value is free; None where nothing can be."""
    if unique.released is None:
        return None
    if unique.nullable:
        return {unique.released: None}
    text = draft.known(place).values[unique.released]
    room = unique.length is None or unique.length >= ENDING_LENGTH
    if not isinstance(text, str) or not room:
        return None
    return {unique.released: _with_ending(text, unique, place)}


def _with_ending(text: str, unique: Unique, place: Place) -> str:
    """The text with an ending, another one than it has already."""
    ending = "~" + hashlib.sha256(repr((place[1], text)).encode()).hexdigest()[: ENDING_LENGTH - 1]
    if unique.length is None:
        return text + ending
    return text[: unique.length - ENDING_LENGTH] + ending
