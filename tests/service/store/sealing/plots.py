"""Record classes for the tests of sealing: keys of one part, of many, and that spell alike."""

from __future__ import annotations

from records import Bits, Date, Decimal, Integer, Record, Text, Timestamp, Uuid
from records.catalogue import catalogue_of


class Plot(Record):
    """An ordinary row."""

    number = Integer(primary=True, bits=32)
    name = Text(length=40, default="")


class Word(Record):
    """A key that the server compares without regard to the size of letters."""

    word = Text(length=20, collation="utf8mb4_general_ci", primary=True)
    note = Integer(bits=32, default=0)


class Booking(Record):
    """A key of every form."""

    __storm_primary__ = ("day", "amount", "code", "moment", "flags", "token")
    day = Date()
    amount = Decimal(precision=30, scale=10)
    code = Text(length=10)
    moment = Timestamp()
    flags = Bits(length=9)
    token = Uuid()
    note = Integer(bits=32, default=0)


CATALOGUE = catalogue_of([Plot, Word, Booking])
