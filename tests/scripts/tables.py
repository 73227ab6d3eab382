"""Tables as a story declares them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from service.herd.shapes import Place, Reference, Shape, Unique

NULL = "NULL"


class Declared:
    """The tables of a story, with their columns in order; the first one is the key."""

    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = {}
        self.columns: dict[str, tuple[str, ...]] = {}

    def table(self, name: str, *columns: str) -> None:
        """Such as `table city id name country`."""
        self.columns[name] = columns
        self.shapes[name] = Shape(name, columns[:1])

    def reference(self, column: str, parent: str, on_delete: str) -> None:
        """Such as `reference city.country country restrict`."""
        table, name = column.split(".")
        shape = self.shapes[table]
        made = Reference(column, (name,), parent, on_delete)
        self.shapes[table] = replace(shape, references=(*shape.references, made))

    def unique(self, column: str, loser: str, length: str = "") -> None:
        """Such as `unique card.serial becomes-null`, `… gets-an-ending 20`, `… is-withdrawn`."""
        table, name = column.split(".")
        shape = self.shapes[table]
        made = {
            "becomes-null": Unique(column, (name,), name, nullable=True),
            "gets-an-ending": Unique(column, (name,), name, length=int(length or 0) or None),
            "is-withdrawn": Unique(column, (name,)),
        }[loser]
        self.shapes[table] = replace(shape, uniques=(*shape.uniques, made))

    def group(self, table: str, *columns: str) -> None:
        """Such as `group booking start end`."""
        shape = self.shapes[table]
        groups = {**shape.groups, **dict.fromkeys(columns, columns)}
        self.shapes[table] = replace(shape, groups=groups)

    def place(self, table: str, key: str) -> Place:
        """Which row is meant."""
        return table, (value(key),)

    def row(self, place: Place, given: dict[str, Any]) -> dict[str, Any]:
        """All columns of a new row; those that are not given are NULL."""
        table, key = place
        return {**dict.fromkeys(self.columns[table]), self.columns[table][0]: key[0], **given}


def value(text: str) -> Any:
    """A value as it is written in a story."""
    if text == NULL:
        return None
    return int(text) if text.lstrip("-").isdigit() else text


def assignments(words: tuple[str, ...]) -> dict[str, Any]:
    """Columns and values written as `name=Hof`."""
    return {column: value(text) for column, _, text in (word.partition("=") for word in words)}


def shown(of: Any) -> str:
    """A value as a story writes it."""
    return NULL if of is None else str(of)
