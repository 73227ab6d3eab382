"""Record classes that refer to each other in every way, for the tests of relations and deletion."""

from __future__ import annotations

from records import Integer, Json, Record, Reference, References, Text, Unique
from records.catalogue import catalogue_of


class Land(Record):
    """The root of most families; its towns go with it."""

    code = Text(length=2, unique=True)
    name = Text(length=40, default="")
    notes = Json(default={})
    towns = References("Town.land", order_by="name")
    towns_backwards = References("Town.land", order_by=("-size", "name"))
    capital = Reference("Town", allow_none=True)


class Town(Record):
    """Goes with its land; a second reference to the same parent is let go of."""

    __constraints__ = (Unique("land", "name"),)
    land = Reference(Land, on_delete="cascade")
    twinned = Reference(Land, on_delete="set_null", allow_none=True)
    name = Text(length=40)
    size = Integer(default=0)
    shops = References("Shop.town", order_by="name")


class Shop(Record):
    """Goes with its town; has a chain of its own below and beside it."""

    town = Reference(Town, on_delete="cascade", allow_none=True)
    name = Text(length=40, default="", unique=True)
    orders = References("Order.shop", order_by="number")


class Order(Record):
    """Keeps its shop, whatever happens above; the key is natural."""

    __storm_table__ = "order"
    number = Integer(primary=True, bits=32)
    shop = Reference(Shop, on_delete="restrict")


class Visit(Record):
    """A diamond: reached through the town and through the shop, by different rules."""

    town = Reference(Town, on_delete="cascade")
    shop = Reference(Shop, on_delete="set_null", allow_none=True)


class Branch(Record):
    """A tree that may begin anywhere."""

    above = Reference("self", on_delete="cascade", allow_none=True)
    name = Text(length=40, default="", unique=True)
    below = References("Branch.above", order_by="name")


class Link(Record):
    """A tree whose root refers to itself."""

    number = Integer(primary=True, bits=32)
    before = Reference("self", on_delete="cascade")


class Chief(Record):
    """Two tables in a circle: this side may be alone."""

    number = Integer(primary=True, bits=32)
    office = Reference("Office", on_delete="cascade", allow_none=True)


class Office(Record):
    """The other side never is."""

    number = Integer(primary=True, bits=32)
    chief = Reference(Chief, on_delete="cascade")


class Tag(Record):
    """A natural key of text, which the server compares without spaces at the end."""

    word = Text(length=20, primary=True, name="tag_word")
    uses = References("Use.tag")


class Use(Record):
    """Refers to a tag, perhaps in another spelling."""

    __storm_primary__ = ("tag_word", "number")
    tag = Reference(Tag, on_delete="cascade", columns=("used",))
    number = Integer(bits=32)


class Receipt(Record):
    """May refer to a parent whose key has two fields."""

    number = Integer(primary=True, bits=32)
    use = Reference(Use, allow_none=True)


class Mark(Record):
    """A key and a unique field that do not mind the size of letters."""

    word = Text(length=20, collation="utf8mb4_general_ci", primary=True)
    label = Text(length=20, collation="utf8mb4_general_ci", unique=True)
    stickers = References("Sticker.mark")


class Sticker(Record):
    """A child that may spell its parent's key in its own way."""

    number = Integer(primary=True, bits=32)
    mark = Reference(Mark, on_delete="set_null", allow_none=True)


class Seat(Record):
    """Unique keys with NULLs, and over several fields."""

    __constraints__ = (Unique("line", "place"),)
    number = Integer(primary=True, bits=32)
    line = Text(length=5, allow_none=True)
    place = Integer(bits=32, allow_none=True)
    holder = Text(length=20, unique=True, allow_none=True)


CATALOGUE = catalogue_of([Order, Visit, Branch, Link, Chief, Receipt, Sticker, Seat])
INFO = CATALOGUE.records
