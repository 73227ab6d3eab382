"""In which order rows can be written: who is referred to comes first, and dies last."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from service.herd.deltas import DeltaRow
from service.herd.shapes import Place, Shapes

_Node = TypeVar("_Node", bound=Hashable)


def rows_in_order(rows: Iterable[DeltaRow], shapes: Shapes) -> list[DeltaRow]:
    """Live rows, parents before children, then dead ones, children before parents.

    The order of tables follows from the references between them. Where those run in a circle, or
    from a table to itself, it is the rows' own values that tell; a circle of rows has no order.
    """
    rows = list(rows)
    tables = parents_first(
        dict.fromkeys(row.table for row in rows), lambda table: _parent_tables(table, shapes)
    )
    rank = {table: number for number, table in enumerate(tables)}
    rows.sort(key=lambda row: rank[row.table])
    live = _rows_parents_first([row for row in rows if row.state.alive], shapes)
    dead = _rows_parents_first([row for row in rows if not row.state.alive], shapes)
    return live + dead[::-1]


def parents_first(
    nodes: Iterable[_Node], parents: Callable[[_Node], Iterable[_Node]]
) -> list[_Node]:
    """The nodes and all they lead to, each after its parents; in a circle one has to begin.

    Without recursion: rows may refer to each other in a chain of any length.
    """
    placed: list[_Node] = []
    begun: set[_Node] = set()
    for start in nodes:
        trail = [] if start in begun else [(start, iter(parents(start)))]
        begun.add(start)
        while trail:
            node, remaining = trail[-1]
            parent = next((each for each in remaining if each not in begun), None)
            if parent is None:
                placed.append(node)
                trail.pop()
            else:
                begun.add(parent)
                trail.append((parent, iter(parents(parent))))
    return placed


def _parent_tables(table: str, shapes: Shapes) -> Iterator[str]:
    shape = shapes.get(table)
    return iter(()) if shape is None else (each.parent for each in shape.references)


def _rows_parents_first(rows: list[DeltaRow], shapes: Shapes) -> list[DeltaRow]:
    numbers = {row.place: number for number, row in enumerate(rows)}

    def parents(number: int) -> Iterator[int]:
        return (
            numbers[place] for place in _parent_places(rows[number], shapes) if place in numbers
        )

    return [rows[number] for number in parents_first(range(len(rows)), parents)]


def _parent_places(row: DeltaRow, shapes: Shapes) -> Iterator[Place]:
    """The rows that a row refers to, as far as it holds the columns of its references."""
    shape = shapes.get(row.table)
    values = row.state.values
    for reference in () if shape is None else shape.references:
        # With a NULL in it this is no row's key.
        yield reference.parent, tuple(values.get(column) for column in reference.columns)
