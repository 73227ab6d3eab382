"""Record classes for storms of writers: few keys, so that they are used again and again."""

from __future__ import annotations

from records import Integer, Record, Reference, Text


class Farm(Record):
    """A parent, found by a short code."""

    code = Text(length=8, primary=True)
    name = Text(length=60, unique=True)


class Cow(Record):
    """A child that goes with its parent."""

    number = Integer(primary=True)
    farm = Reference(Farm, on_delete="cascade")
    tag = Integer(bits=32, unsigned=True, unique=True, allow_none=True)
    weight = Integer(bits=32, unsigned=True, default=0)


class Bell(Record):
    """A child of the child: it goes with its farm, and only comes off its cow."""

    number = Integer(primary=True)
    farm = Reference(Farm, on_delete="cascade")
    cow = Reference(Cow, on_delete="set_null", allow_none=True)
    tone = Text(length=20, unique=True, allow_none=True)
