"""What a store does with what is held, for tests of planning."""

from __future__ import annotations

from service.herd.deltas import Delta
from service.herd.planning.plan import Here, Plan, plan
from service.herd.planning.retrying import retry
from service.herd.shapes import Shapes
from service.simulation.memory import MemoryTables
from tests.service.herd.bench import NOW, OURS, THEIRS, name, place, row, shape, shapes

HERE = Here(OURS, {}, NOW)
COUNTRIES = shapes(
    shape("country"), shape("city", "country restrict"), shape("street", "city cascade")
)
GERMANY = row(name="Germany")
HOF = row(at=60, origin=THEIRS, name="Hof", country="DE")
LANE = row(at=70, origin=THEIRS, city=1)
FRANCE = row(at=61, origin=THEIRS, name="France")


def told(made: Plan) -> dict[str, str]:
    """What a plan holds, and why."""
    return {name(held.row.place): held.reason for held in made.held}


def carry_out(made: Plan, tables: MemoryTables) -> None:
    """What a store does with a plan."""
    for of, state in made.rows.items():
        tables.put(of, state)
    for held in made.held:
        tables.waiting[held.row.place] = held
    for of in made.released:
        del tables.waiting[of]


def again(of: Shapes, tables: MemoryTables, *names: str, refused: str = "") -> Plan:
    """Try what is held once more, and carry it out."""
    helds = [tables.waiting[place(each)] for each in names]
    poison = {place(refused): "no"} if refused else {}
    made = retry(helds, tables, of, HERE, poison)
    carry_out(made, tables)
    return made


def took(of: Shapes, tables: MemoryTables, came: Delta, *refused: str) -> Plan:
    """Plan a delta of which the database refuses some rows, and carry it out."""
    made = plan(came, tables, of, HERE, {place(each): "no" for each in refused})
    carry_out(made, tables)
    return made
