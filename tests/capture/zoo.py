"""Record classes for the tests of capture: a family of four levels, texts, trees, keys."""

from __future__ import annotations

from records import (
    Bits,
    Bytes,
    Double,
    Enum,
    Float,
    Integer,
    Json,
    Record,
    Reference,
    References,
    Text,
    Timestamp,
    Unique,
    Uuid,
)
from records.catalogue import catalogue_of


class Club(Record):
    """The root of a family. A second unique key tempts REPLACE."""

    number = Integer(primary=True, bits=32)
    name = Text(length=40, unique=True)
    rank = Integer(bits=32, default=0)


class Team(Record):
    """Goes with its club."""

    number = Integer(primary=True, bits=32)
    club = Reference(Club, on_delete="cascade")
    name = Text(length=40, default="")


class Player(Record):
    """Goes with its team."""

    number = Integer(primary=True, bits=32)
    team = Reference(Team, on_delete="cascade")
    name = Text(length=40, default="")


class Boot(Record):
    """Stays when its player goes."""

    number = Integer(primary=True, bits=32)
    player = Reference(Player, on_delete="set_null", allow_none=True)


class Medal(Record):
    """Keeps its player."""

    number = Integer(primary=True, bits=32)
    player = Reference(Player, on_delete="restrict")


class Branch(Record):
    """A tree."""

    number = Integer(primary=True, bits=32)
    above = Reference("self", on_delete="cascade", allow_none=True)
    below = References("Branch.above")


class Word(Record):
    """A key and a unique field that do not mind the size of letters."""

    word = Text(length=20, collation="utf8mb4_general_ci", primary=True)
    label = Text(length=20, collation="utf8mb4_general_ci", unique=True, allow_none=True)


class Leaf(Record):
    """Values that a server takes for equal although they differ."""

    number = Integer(primary=True, bits=32)
    plain = Text(length=40, default="")
    general = Text(length=40, default="", collation="utf8mb4_general_ci")
    exact = Text(length=40, default="", collation="utf8mb4_unicode_ci")
    story = Text(size="", allow_none=True)
    packet = Bytes(length=40, allow_none=True)
    picture = Bytes(size="", allow_none=True)
    document = Json(allow_none=True)
    single = Float(allow_none=True)
    double = Double(allow_none=True)
    kind = Enum(["small", "large"], allow_none=True)


class Pair(Record):
    """A key of two fields, one of them a text."""

    __storm_primary__ = ("left", "right")
    __constraints__ = (Unique("right", "left"),)
    left = Integer(bits=32)
    right = Text(length=20)
    note = Text(length=20, default="")


class Ticket(Record):
    """A key of what depends on the session when it is turned into text."""

    __storm_primary__ = ("moment", "bits", "token")
    moment = Timestamp()
    bits = Bits(length=12)
    token = Uuid()
    note = Text(length=20, default="")


class Fee(Record):
    """Fields that are written together, with another between them."""

    number = Integer(primary=True, bits=32)
    amount = Integer(bits=32)
    note = Text(length=20, default="")
    currency = Text(length=3, collation="utf8mb4_general_ci")
    rate = Double(allow_none=True)
    pair = Reference(Pair, on_delete="set_null", allow_none=True)
    __atomic__ = (("amount", "currency", "rate"),)


CATALOGUE = catalogue_of([Boot, Medal, Branch, Word, Leaf, Pair, Ticket, Fee])
INFO = CATALOGUE.records
