"""All stories with the tables of all: so a server makes them once.

Tables of one name that differ between stories get numbers behind their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from records.catalogue import Catalogue
from service.herd.shapes import Shape
from tests.scripts.classes import Values, catalogue_for, values_of
from tests.scripts.story import Block
from tests.scripts.tables import Declared

_DECLARING = ("table", "reference", "unique", "group")


class Variants:
    """The tables of stories, as they were numbered so far."""

    def __init__(self) -> None:
        self._names: dict[tuple[object, ...], str] = {}
        self._declared = Declared()
        self._values: dict[tuple[str, str], set[type]] = {}

    def catalogue(self) -> Catalogue:
        """The record classes of all tables."""
        return catalogue_for(self._declared.shapes, self._declared.columns, self._values)

    def numbered(self, blocks: Sequence[Block]) -> tuple[list[Block], Mapping[str, str]]:
        """A story with the numbers, and the names that it has for its tables, by the new ones."""
        declared, values = declared_in(blocks), values_of(blocks)
        names: dict[str, str] = {}
        for table, shape in declared.shapes.items():
            form = _form(shape, declared.columns[table], values, names)
            count = sum(1 for found in self._names if found[0] == table)
            names[table] = self._names.setdefault(form, f"{table}{count + 1}")
        made = [block._replace(commands=tuple(_renamed(block, names))) for block in blocks]
        self._add(made)
        return made, {new: old for old, new in names.items()}

    def _add(self, blocks: Sequence[Block]) -> None:
        again = declared_in(blocks)
        self._declared.shapes.update(again.shapes)
        self._declared.columns.update(again.columns)
        self._values.update(values_of(blocks))


def declared_in(blocks: Sequence[Block]) -> Declared:
    """The tables of a story."""
    declared = Declared()
    for words in (command.split() for block in blocks for command in block.commands):
        if words[0] in _DECLARING:
            getattr(declared, words[0])(*words[1:])
    return declared


def in_its_names(lines: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """What was printed, with the names that the story has for its tables."""
    pattern = re.compile(rf"\b({'|'.join(names)})\b")
    return [pattern.sub(lambda found: names[found[0]], line) for line in lines]


def _form(
    shape: Shape, columns: Sequence[str], values: Values, names: Mapping[str, str]
) -> tuple[object, ...]:
    """What two tables have in common that are the same one."""
    types = tuple(
        frozenset(values[shape.table, column]) - {type(None)} for column in ("", *columns)
    )
    parents = tuple(names.get(reference.parent) for reference in shape.references)
    return shape.table, tuple(columns), types, parents, repr(shape)


def _renamed(block: Block, names: Mapping[str, str]) -> Iterator[str]:
    for command in block.commands:
        match command.split():
            case ["reference", column, parent, *rest]:
                words = ["reference", _of_column(column, names), names[parent], *rest]
            case ["unique", column, *rest]:
                words = ["unique", _of_column(column, names), *rest]
            case ["table" | "group" as what, table, *rest]:
                words = [what, names[table], *rest]
            case [node, "insert" | "update" | "delete" as what, table, *rest]:
                words = [node, what, names[table], *rest]
            case words:
                pass
        yield " ".join(words)


def _of_column(column: str, names: Mapping[str, str]) -> str:
    table, name = column.split(".")
    return f"{names[table]}.{name}"
