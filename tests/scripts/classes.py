"""Record classes for the tables of a story, so that a server can have them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from records import Integer, Record, Reference, Text
from records.catalogue import Catalogue, catalogue_of
from service.herd.shapes import Reference as Refers
from service.herd.shapes import Shape, Shapes
from tests.scripts.story import Block
from tests.scripts.tables import assignments, value

Values = Mapping[tuple[str, str], set[type]]
"""Of which types the values of a table's column are; that of the key is named by an empty text."""


def values_of(blocks: Sequence[Block]) -> Values:
    """What a story writes."""
    found: dict[tuple[str, str], set[type]] = defaultdict(set)
    for words in (command.split() for block in blocks for command in block.commands):
        match words:
            case [_, "insert" | "update", table, key, *given]:
                found[table, ""].add(type(value(key)))
                for column, each in assignments(tuple(given)).items():
                    found[table, column].add(type(each))
    return found


def catalogue_for(
    shapes: Shapes, columns: Mapping[str, Sequence[str]], values: Values
) -> Catalogue:
    """The record classes of tables that were declared parents first.

    What merging knows of them is what the story declares.
    """
    made: dict[str, type[Record]] = {}
    for name, shape in shapes.items():
        key, *others = columns[name]
        fields: dict[str, Any] = {key: _field(values[name, ""], primary=True)}
        fields |= {each: _column(shape, each, values[name, each], made) for each in others}
        fields["__atomic__"] = tuple(_groups(shape))
        fields["__module__"] = f"{__name__}.{id(made)}"
        made[name] = type(name.capitalize(), (Record,), fields)
    return catalogue_of(made.values())


def _column(shape: Shape, name: str, types: set[type], made: Mapping[str, type[Record]]) -> Any:
    for reference in shape.references:
        if reference.columns == (name,):
            return _reference(shape, reference, made)
    for unique in shape.uniques:
        if unique.columns == (name,):
            return _field(types, unique=True, allow_none=unique.nullable, length=unique.length)
    return _field(types, allow_none=True)


def _reference(shape: Shape, reference: Refers, made: Mapping[str, type[Record]]) -> Reference:
    parent = "self" if reference.parent == shape.table else made[reference.parent]
    return Reference(
        parent, on_delete=reference.on_delete, allow_none=True, columns=reference.columns
    )


def _field(types: set[type], length: int | None = None, **declared: Any) -> Any:
    if types <= {int, type(None)} and length is None:
        return Integer(bits=32, **declared)
    return Text(length=length or 40, **declared)


def _groups(shape: Shape) -> Iterator[tuple[str, ...]]:
    yield from dict.fromkeys(tuple(group) for group in shape.groups.values())
