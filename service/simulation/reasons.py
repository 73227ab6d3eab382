"""A repair does only what the declared rules allow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.herd.journal import (
    LET_GO,
    NOT_HERE,
    REVIVED,
    TAKEN_ALONG,
    UNIQUE,
    WITHDRAWN,
    JournalEntry,
)
from service.herd.planning.plan import Plan
from service.herd.shapes import CASCADE, SET_NULL, Place, Reference
from service.simulation.durable import DurableNode
from service.simulation.rules import BrokenRule


def require_whole_rows(node: DurableNode, plan: Plan) -> None:
    """Nobody takes rows away by hand: whatever comes in part is here. Raises BrokenRule.

    Where nodes forget, what comes may be of an earlier story of the row that is here.
    """
    known = node.tables.states if node.forgets else ()
    stray = [e.place for e in plan.journal if e.rule == NOT_HERE and e.place not in known]
    if stray:
        raise BrokenRule("refused", f"{node.name} has got parts of rows that it lacks", stray)


def require_reasons(node: DurableNode, plan: Plan) -> None:
    """Each repair of a plan that was carried out has a reason. Raises BrokenRule."""
    for entry in plan.journal:
        allowed = _ALLOWED.get(entry.rule)
        if allowed is not None and not allowed(node, entry):
            text = f"{node.name} repairs {entry.place} ({entry.rule}), and no rule says so"
            raise BrokenRule("reason", text, [entry.place])


def _let_go(node: DurableNode, entry: JournalEntry) -> bool:
    """Only references that are set to NULL are let go."""
    lost = {loss.column for loss in entry.losses}
    return all(
        reference.on_delete == SET_NULL
        for reference in node.shapes[entry.place[0]].references
        if lost.intersection(reference.columns)
    )


def _taken_along(node: DurableNode, entry: JournalEntry) -> bool:
    """A parent that takes its children along is dead, or one that had to be withdrawn."""
    values = {loss.column: loss.value for loss in entry.losses}
    parents = (
        (reference, (reference.parent, tuple(map(values.get, reference.columns))))
        for reference in node.shapes[entry.place[0]].references
    )
    return any(
        not _alive(node, parent) and (reference.on_delete == CASCADE or _withdraws(node))
        for reference, parent in parents
        if None not in parent[1]
    )


def _revived(node: DurableNode, entry: JournalEntry) -> bool:
    """Somebody holds on to it who cannot be without it."""
    return _withdraws(node) or any(
        node.tables.children(shape.table, reference, [entry.place[1]])
        for shape in node.shapes.values()
        for reference in shape.references
        if _holds(reference, entry.place)
    )


def _withdraws(node: DurableNode) -> bool:
    """Whether any row of these tables may have to be withdrawn.

    It then takes along even what holds on to it; and one that was dead leaves nothing in a journal.
    """
    uniques = (unique for shape in node.shapes.values() for unique in shape.uniques)
    return any(unique.released is None for unique in uniques)


def _holds(reference: Reference, place: Place) -> bool:
    return reference.parent == place[0] and reference.on_delete != SET_NULL


def _unique(node: DurableNode, entry: JournalEntry) -> bool:
    """Only a column that a unique key releases gives way."""
    released = {unique.released for unique in node.shapes[entry.place[0]].uniques}
    return all(loss.column in released for loss in entry.losses)


def _withdrawn(node: DurableNode, entry: JournalEntry) -> bool:
    """Only rows whose claim cannot be released are withdrawn."""
    return any(unique.released is None for unique in node.shapes[entry.place[0]].uniques)


def _alive(node: DurableNode, place: Place) -> bool:
    state = node.tables.states.get(place)
    return state is not None and state.alive


_ALLOWED: Mapping[str, Callable[[DurableNode, JournalEntry], bool]] = {
    LET_GO: _let_go,
    TAKEN_ALONG: _taken_along,
    REVIVED: _revived,
    UNIQUE: _unique,
    WITHDRAWN: _withdrawn,
}
