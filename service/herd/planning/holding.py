"""What cannot be written because of a row that is not here: it waits with it, nothing is repaired.

A repair is a write for the whole herd. So none is made of a row that waits, or because of what the
table still shows of it; what would need one waits too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from service.herd.held import BLOCKED, PARENT, Held, belongs, follow, given_up
from service.herd.planning.draft import Draft
from service.herd.planning.families import Edge, Family
from service.herd.planning.incoming import Bar, Bars
from service.herd.shapes import Place


def hold_orphans(draft: Draft) -> None:
    """Hold live rows whose parent is not here, with all below them that needs them."""
    edges = Family(draft).upward(filter(draft.alive, draft.after))
    draft.load_held(edge.parent for edge in edges)
    children: dict[Place, list[Edge]] = defaultdict(list)
    for edge in edges:
        children[edge.parent].append(edge)
    front = edges
    while front:
        held = []
        for child, _reference, parent in front:
            if child in draft.after and _not_here(draft, parent):
                draft.hold(child, PARENT, f"there is no {_named(parent)}")
                held.append(child)
        front = [edge for place in held for edge in children[place]]


def _not_here(draft: Draft, place: Place) -> bool:
    """Whether a row is neither alive nor dead here, or waits to live."""
    if draft.absent(place):
        return True
    held = draft.waits(place)
    return not draft.alive(place) and held is not None and held.row.state.alive


def stuck(draft: Draft, bars: Bars) -> dict[Place, Bar]:
    """The rows that came and would need a repair that cannot be made, and why."""
    repaired = draft.repaired()
    if not repaired:
        return {}
    draft.load_held(repaired)
    draft.load_held(place for places in draft.links.values() for place in places)
    found: dict[Place, Bar] = {}
    for place in repaired:
        why = _why_not(draft, place, bars)
        if why is not None:
            found.update(dict.fromkeys(_causes(draft, place), Bar(BLOCKED, why)))
    return found


def _why_not(draft: Draft, place: Place, bars: Bars) -> str | None:
    """Why a repair of a row cannot be made; None if it can."""
    if place in bars:
        return f"{_named(place)}: {bars[place].text}"
    lacking = draft.lacking(place[0], draft.known(place))
    if lacking:
        return f"{_named(place)} lacks {', '.join(lacking)}"
    for near in (place, *draft.links[place]):
        held = draft.waits(near)
        if held is not None and not given_up(held):
            return f"{_named(near)} waits"
        if near in draft.lost:
            return f"what {_named(near)} refers to is not here"
    return None


def _causes(draft: Draft, place: Place) -> Iterable[Place]:
    """The rows that came, as far as a repair hangs together with them."""
    reached, wave = {place}, {place}
    while wave:
        wave = {near for one in wave for near in draft.links[one]} - reached
        reached |= wave
    came = draft.taken()
    return (came & reached) or came


def follow_repairs(draft: Draft) -> dict[Place, Held]:
    """The held columns of rows that a repair killed or revived, after it.

    What a row had in them when it was killed goes into the journal with the rest of it.
    """
    repaired = draft.repaired()
    draft.load_held(repaired)
    found: dict[Place, Held] = {}
    for place in repaired:
        held, before, after = draft.holding(place), draft.unrepaired(place), draft.after[place]
        if held is None or before is None or after.life == before.life:
            continue
        if belongs(held, before):
            found[place] = follow(held, after)
            if before.alive and not after.alive:
                draft.lose_too(place, held.row.state)
    return found


def outlived(draft: Draft) -> set[Place]:
    """The rows with something given up of an earlier life than a repair gave them."""
    repaired = draft.repaired()
    draft.load_held(repaired)
    found = {place: draft.holding(place) for place in repaired}
    return {
        place
        for place, held in found.items()
        if held is not None and given_up(held) and held.row.state.life < draft.after[place].life
    }


def _named(place: Place) -> str:
    return f"{place[0]} {', '.join(map(str, place[1]))}"
