"""Record classes for the tests of the herd's store: every rule between rows, keys of many forms."""

from __future__ import annotations

from records import (
    Bits,
    Date,
    Decimal,
    Integer,
    Record,
    Reference,
    Text,
    Timestamp,
    Uuid,
)
from records.catalogue import catalogue_of


class Ranch(Record):
    """A parent of all the others."""

    number = Integer(primary=True, bits=32)
    name = Text(length=40, default="")
    brand = Text(length=12, unique=True, allow_none=True)


class Stable(Record):
    """Dies with its ranch."""

    number = Integer(primary=True, bits=32)
    ranch = Reference(Ranch, on_delete="cascade")
    sign = Text(length=20, unique=True)


class Horse(Record):
    """Holds on to its stable, lets go of its owner, and dies with its mother."""

    number = Integer(primary=True, bits=32)
    stable = Reference(Stable)
    owner = Reference(Ranch, on_delete="set_null", allow_none=True)
    mother = Reference("Horse", on_delete="cascade", allow_none=True)
    chip = Integer(bits=32, unique=True)
    name = Text(length=40, default="")


class Ticket(Record):
    """A key of every form."""

    __storm_primary__ = ("day", "amount", "code", "moment", "flags", "token")
    day = Date()
    amount = Decimal(precision=30, scale=10)
    code = Text(length=10)
    moment = Timestamp()
    flags = Bits(length=9)
    token = Uuid()
    note = Integer(bits=32, default=0)


class Sale(Record):
    """What was paid, and in what."""

    number = Integer(primary=True, bits=32)
    amount = Integer(bits=32)
    currency = Text(length=3)
    note = Text(length=40, default="")
    __atomic__ = (("amount", "currency"),)


CATALOGUE = catalogue_of([Ranch, Stable, Horse, Ticket, Sale])
