"""What is held is tried again: as a delta from nobody, in which nothing is new but the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from service.herd.deltas import Delta
from service.herd.held import PARENT, WAITS_FOR_ROWS, Held
from service.herd.planning.plan import NOBODY_REFUSES, Here, Plan, plan
from service.herd.shapes import Place, Shapes, shape_of
from service.herd.tables import Tables


def retry(
    helds: Iterable[Held],
    tables: Tables,
    shapes: Shapes,
    here: Here,
    refused: Mapping[Place, str] = NOBODY_REFUSES,
) -> Plan:
    """Take what is held, as far as it can be now; the rest goes on waiting.

    Rows that wait for each other must be given together: best all that wait for rows. Raises
    DeltaRefused only for what was never held here.
    """
    rows = tuple(held.row for held in helds)
    delta = Delta(here.origin, here.vector, here.vector, rows, ())
    return plan(delta, tables, shapes, here, refused)


def waking(helds: Iterable[Held], made: Plan, shapes: Shapes) -> list[Held]:
    """What may be written after a plan was carried out, and was waiting for that.

    Children whose parent came, and theirs; and what stood in somebody's way.
    """
    waiting = [held for held in helds if held.reason in WAITS_FOR_ROWS]
    come = {place for place, state in made.rows.items() if state.alive} | made.released
    if not made.rows and not come:
        return []
    woken: dict[Place, Held] = {}
    while True:
        more = {
            held.row.place: held
            for held in waiting
            if held.row.place not in woken
            and (held.reason != PARENT or not come.isdisjoint(parents_of(held, shapes)))
        }
        if not more:
            return list(woken.values())
        woken.update(more)
        come |= more.keys()


def parents_of(held: Held, shapes: Shapes) -> Collection[Place]:
    """The rows that a held one refers to."""
    values = held.row.state.values
    keys = (
        (reference.parent, tuple(values.get(column) for column in reference.columns))
        for reference in shape_of(shapes, held.row.table).references
    )
    return [(parent, key) for parent, key in keys if None not in key]
