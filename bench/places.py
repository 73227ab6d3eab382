"""The record classes of the measurements: a parent and a child, as small as real ones get."""

from __future__ import annotations

from records import Integer, Record, Reference, Text


class Country(Record):
    """A parent."""

    code = Text(length=2, primary=True)
    name = Text(length=60)


class City(Record):
    """A child with a number for its key, a unique text, and a number that changes."""

    number = Integer(primary=True)
    country = Reference(Country, on_delete="cascade")
    name = Text(length=60, unique=True)
    population = Integer(default=0)
