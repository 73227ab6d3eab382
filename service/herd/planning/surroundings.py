"""What stands around the rows of a draft: whom they refer to, who refers to them, who claims alike.

It is read once, for the rows as they came and as they are here. Then it can be asked again and
again while rows are put back, and takes only the time of those that it is asked about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeAlias

from records.states import RowState
from service.herd.planning.claims import claim_of
from service.herd.planning.draft import Draft
from service.herd.planning.families import Family
from service.herd.shapes import Place, Reference, Shape, Unique
from service.herd.tables import Claim

Claimed: TypeAlias = tuple[str, Unique, Hashable]
"""A table, a unique key, and what the database takes for one value of it."""

_Near: TypeAlias = dict[Place, list[Place]]


class Surroundings:
    """The neighbours of the rows that a draft changes; for each as it came, and as it is here."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._parents: _Near = defaultdict(list)
        self._children: _Near = defaultdict(list)
        self._children_here: _Near = defaultdict(list)
        self._parents_here: _Near = defaultdict(list)
        self._claims: dict[Place, list[Claimed]] = defaultdict(list)
        self._claims_here: dict[Place, list[Claimed]] = defaultdict(list)
        self._claimants: dict[Claimed, list[Place]] = defaultdict(list)
        self._holders: dict[Claimed, list[Place]] = defaultdict(list)
        for edge in Family(draft).upward(filter(draft.alive, draft.after)):
            self._parents[edge.child].append(edge.parent)
            self._children[edge.parent].append(edge.child)
        for shape in draft.shapes.values():
            for reference in shape.references:
                self._read_children(shape, reference)
            for unique in shape.uniques:
                self._read_claims(shape, unique)

    def _read_children(self, shape: Shape, reference: Reference) -> None:
        """The children here of rows that are to die."""
        draft = self._draft
        dead = [p for p in draft.after if p[0] == reference.parent and not draft.alive(p)]
        keys = [key for _table, key in dead]
        found = draft.tables.children(shape.table, reference, keys) if keys else ()
        draft.load(found)
        for child in found:
            state = draft.before(child)
            assert state is not None, f"{child} refers to a row, and is not here"
            parent = reference.parent, tuple(map(state.values.get, reference.columns))
            self._children_here[parent].append(child)
            self._parents_here[child].append(parent)

    def _read_claims(self, shape: Shape, unique: Unique) -> None:
        """The claims of rows that came, and who holds those here."""
        draft = self._draft
        rows = {place: state for place, state in draft.after.items() if place[0] == shape.table}
        came = _claims(shape, unique, rows)
        if not came:
            return
        holders = draft.tables.holders(shape.table, unique, list(came.values()))
        draft.load(holders)
        here = _claims(shape, unique, {p: draft.before(p) for p in holders})
        folded = draft.tables.folded(shape.table, unique, [*came.values(), *here.values()])
        claimed = [(shape.table, unique, fold) for fold in folded]
        for place, claim in zip(came, claimed, strict=False):
            self._claims[place].append(claim)
            self._claimants[claim].append(place)
        for place, claim in zip(here, claimed[len(came) :], strict=True):
            self._claims_here[place].append(claim)
            self._holders[claim].append(place)

    def offending(self, places: Iterable[Place]) -> set[Place]:
        """Both ends of whatever keeps some of these rows, which came, from standing as they are."""
        return {end for place in places for one in self._against(place) for end in (one, place)}

    def _against(self, place: Place) -> list[Place]:
        """The rows because of which a row that came cannot stand."""
        draft, after = self._draft, self._draft.after
        if draft.alive(place):
            missing = [parent for parent in self._parents[place] if not draft.alive(parent)]
            return missing + [one for one in self._rivals(place) if one != place]
        children = [child for child in self._children[place] if child in after]
        return children + [child for child in self._children_here[place] if child not in after]

    def _rivals(self, place: Place) -> Iterable[Place]:
        after = self._draft.after
        for claim in self._claims[place]:
            yield from (one for one in self._claimants[claim] if one in after)
            yield from (one for one in self._holders[claim] if one not in after)

    def touched(self, places: Iterable[Place]) -> set[Place]:
        """The rows that came and may not stand any more, since these rows were put back."""
        near: set[Place] = set()
        for place in places:
            near.update(self._children[place], self._parents_here[place])
            for claim in self._claims_here[place]:
                near.update(self._claimants[claim])
        return near & self._draft.after.keys()


def _claims(
    shape: Shape, unique: Unique, states: Mapping[Place, RowState | None]
) -> dict[Place, Claim]:
    """What rows claim, as far as they claim anything."""
    claims = {place: claim_of(place, state, shape, unique) for place, state in states.items()}
    return {place: claim for place, claim in claims.items() if claim is not None}
