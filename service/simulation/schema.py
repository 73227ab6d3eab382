"""Tables for made-up herds: every rule for deleting, and unique keys that collide."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from records.states import Value
from service.herd.shapes import Key, Place, Reference, Shape, Shapes, Unique
from service.simulation.memory import MemoryTables

RULES = ("restrict", "cascade", "set_null")

COLUMNS = {
    "a": ("id", "u", "x", "y", "b"),
    "b": ("id", "a", "a2", "u", "x", "y"),
    "c": ("id", "b", "a", "c", "x"),
}
"""The columns of each table; one that is named like a table refers to it."""

CIRCLES = 0.15
PAIRS = 0.3
"""How many herds have tables that refer to each other, and a unique key over two columns."""

_NEW_COLUMNS = ("u", "x", "y", "a2")
"""Those that a node may not have yet."""

_PARENTS = {"a": "a", "a2": "a", "b": "b", "c": "c"}
_CLAIMS = ("p", "q", "r", "s")
_LONGEST_CLAIM = 20


def random_shapes(random: Random) -> Shapes:
    """Three tables: b refers to a twice, c to b, to a and to itself; in some herds a to b too."""
    circle = random.random() < CIRCLES
    group = ("x", "y")
    return {
        table: Shape(
            table,
            ("id",),
            tuple(
                Reference(f"{table}.{column}", (column,), _PARENTS[column], random.choice(RULES))
                for column in columns
                if column in _PARENTS and (circle or (table, column) != ("a", "b"))
            ),
            _claims(table, random),
            dict.fromkeys(group, group) if table == "b" else {},
            frozenset(columns),
        )
        for table, columns in COLUMNS.items()
    }


def older(shapes: Shapes, random: Random) -> Shapes:
    """The same tables before a migration: one may be missing, and some columns are."""
    hidden = frozenset(column for column in _NEW_COLUMNS if random.random() < 0.5)
    tables = [table for table in shapes if table != "c" or random.random() < 0.7]
    return {table: _without(hidden, shapes[table]) for table in tables}


def _without(hidden: frozenset[str], shape: Shape) -> Shape:
    groups = {
        column: left
        for column, group in shape.groups.items()
        if column not in hidden and len(left := tuple(c for c in group if c not in hidden)) > 1
    }
    return replace(
        shape,
        references=tuple(one for one in shape.references if hidden.isdisjoint(one.columns)),
        uniques=tuple(one for one in shape.uniques if hidden.isdisjoint(one.columns)),
        groups=groups,
        columns=frozenset(COLUMNS[shape.table]) - hidden,
    )


def _claims(table: str, random: Random) -> tuple[Unique, ...]:
    """A unique key whose loser becomes NULL, gets an ending or is withdrawn."""
    if "u" not in COLUMNS[table]:
        return ()
    released, nullable, length = random.choice(
        (("u", True, None), ("u", False, _LONGEST_CLAIM), (None, False, None))
    )
    columns = ("a", "u") if table == "b" and random.random() < PAIRS else ("u",)
    return (Unique(f"{table}.u", columns, released, nullable, length),)


def random_place(keys: int, random: Random) -> Place:
    """A row, there or not."""
    return random.choice("aabbc"), (random.randint(1, keys),)


def random_row(place: Place, tables: MemoryTables, random: Random) -> dict[str, Value]:
    """All values of a new row."""
    key = place[1]
    return {column: _value(column, key, tables, random) for column in _columns(place, tables)}


def random_change(place: Place, tables: MemoryTables, random: Random) -> dict[str, Value]:
    """New values of one or two columns."""
    key = place[1]
    known = _columns(place, tables)[1:]
    columns = random.sample(known, min(len(known), random.randint(1, 2)))
    return {column: _value(column, key, tables, random) for column in columns}


def _columns(place: Place, tables: MemoryTables) -> list[str]:
    """The columns that a node has, the key first."""
    known = tables.shapes[place[0]].columns
    return [column for column in COLUMNS[place[0]] if known is None or column in known]


def _value(column: str, key: Key, tables: MemoryTables, random: Random) -> Value:
    if column == "id":
        return key[0]
    if column in _PARENTS:
        return _parent(_PARENTS[column], tables, random)
    if column == "u":
        return _claim(random)
    return random.randrange(1000)


def _parent(table: str, tables: MemoryTables, random: Random) -> Value:
    live = [place[1][0] for place, _state in tables.live() if place[0] == table]
    return random.choice(live) if live and random.random() < 0.8 else None


def _claim(random: Random) -> Value:
    """Something that others claim too, nothing, or something that nobody else claims."""
    chance = random.random()
    if chance < 0.6:
        return random.choice(_CLAIMS)
    return None if chance < 0.7 else f"{random.random():.6f}"
