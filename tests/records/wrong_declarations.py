"""Declarations that are wrong in every way, and what is said of each."""

from __future__ import annotations

import storm.properties as plain

from records import (
    Bits,
    Double,
    Enum,
    FixedText,
    Float,
    Index,
    Integer,
    Json,
    Record,
    Reference,
    References,
    Text,
    Unique,
)

Declared = list[type[Record]]


def unknown_parent() -> Declared:
    """A reference to a class that does not exist."""

    class Orphan(Record):
        parent = Reference("Nobody")

    return [Orphan]


def parent_that_is_no_record() -> Declared:
    """References to classes without a table."""

    class Template(Record):
        __abstract__ = True

    class Lost(Record):
        number = Reference(int)
        template = Reference(Template)

    return [Lost]


def wrong_reference_options() -> Declared:
    """Every option of a reference misused at once."""

    class Place(Record):
        pass

    class Stay(Record):
        first = Reference(Place, on_delete="explode")
        second = Reference(Place, on_delete="set_null")
        third = Reference(Place, columns=("one", "two"))
        fourth = Reference(Place, primary=True, allow_none=True)

    return [Stay]


def column_unlike_the_parent() -> Declared:
    """A reference's column that is declared by hand, and wrongly."""

    class Herd(Record):
        pass

    class Cow(Record):
        herd_id = Integer(allow_none=True)
        herd = Reference(Herd)

    return [Cow]


def key_in_a_circle() -> Declared:
    """Two classes, each with the other in its key."""

    class Chicken(Record):
        egg = Reference("Egg", primary=True)

    class Egg(Record):
        chicken = Reference(Chicken, primary=True)

    return [Chicken, Egg]


def key_of_itself() -> Declared:
    """A class whose key is a reference to itself."""

    class Snake(Record):
        tail = Reference("self", primary=True)

    return [Snake]


def wrong_collections() -> Declared:
    """Collections of children that are not there, not ours, or without the field to sort by."""

    class Farm(Record):
        no_class = References("Nothing.farm")
        no_reference = References("Barn.farms")
        no_dot = References("Barn")
        others = References("Barn.owner")
        sorted = References("Barn.farm", order_by=("-height", "farm"))

    class Owner(Record):
        pass

    class Barn(Record):
        farm = Reference(Farm)
        owner = Reference(Owner)

    return [Farm, Barn]


def wrong_kinds() -> Declared:
    """Lengths and lists that no column has."""

    class Thing(Record):
        bits = Bits(length=65)
        name = Text(length=20_000, collation="latin1_bin")
        choice = Enum(())
        short = Text(length="5")  # type: ignore[arg-type]

    return [Thing]


def keys_that_cannot_be() -> Declared:
    """Keys over types that have no exact order, or are too long."""

    class Measure(Record):
        value = Double(primary=True)
        text = Text(unique=True)
        document = Json(index=True)
        ratio = Float(primary=True, allow_none=True)

    return [Measure]


def wrong_names() -> Declared:
    """Names that belong to Herdbook or that no server takes."""

    class Odd(Record):
        _hidden = Integer()
        shown = Integer(name="_hidden_too")
        wide = Integer(name="w" * 65)

    return [Odd]


def wrong_defaults() -> Declared:
    """Defaults that the field itself would refuse."""

    class Lazy(Record):
        code = FixedText(length=2, default="DEU")
        name = Text(length=5, default=None)
        count = Integer(bits=8, default=128)

    return [Lazy]


def storm_properties_that_lose() -> Declared:
    """Properties of Storm that MySQL does not keep whole; one is another's parent's key."""

    class Pickled(Record):
        key = plain.Pickle(primary=True)
        moments = plain.List(type=plain.Int())

    class Pot(Record):
        pickled = Reference(Pickled)

    return [Pickled, Pot]


def wrong_constraints() -> Declared:
    """Keys over several fields that are not there, twice there, or no keys."""

    class Row(Record):
        __constraints__ = (Unique("name", "nme"), Index(), "name", Unique("name", "name"))  # type: ignore[assignment]
        name = Text(length=9)

    class Forgetful(Record):
        __constraints__ = Unique("name")  # type: ignore[assignment]
        name = Text(length=9)

    return [Row, Forgetful]


def wrong_groups() -> Declared:
    """Groups of fields that are not there, twice there, alone, or part of the key."""

    class Shelf(Record):
        __storm_primary__ = ("room", "board")
        room = Integer()
        board = Integer()

    class Sum(Record):
        shelf = Reference(Shelf)
        amount = Integer()
        currency = Text(length=3)
        __atomic__ = (  # type: ignore[assignment]
            ("amount", "currncy"),
            ("amount",),
            ("shelf",),
            ("id", "amount"),
            ("shelf", "shelf_room"),
            ("amount", 7),
        )

    class Bare(Record):
        amount = Integer()
        currency = Text(length=3)
        __atomic__ = ("amount", "currency")

    class Word(Record):
        amount = Integer()
        __atomic__ = "amount"

    return [Sum, Bare, Word]


def wrong_primary_keys() -> Declared:
    """Keys that name nothing, and a field `id` that is no key."""

    class Named(Record):
        __storm_primary__ = ("nme", "name")
        name = Text(length=9)

    class Single(Record):
        __storm_primary__ = "nme"
        name = Text(length=9)

    class Keyless(Record):
        id = Integer()

    return [Named, Single, Keyless]


def reserved_names() -> Declared:
    """Classes and tables whose names are taken."""

    class System(Record):
        pass

    class Private(Record):
        __storm_table__ = "herdbook_private"

    class Hidden(Record):
        __storm_table__ = "_hidden"

    class Stamped(Record):
        herdbook_stamp = Integer()
        years = Integer(name="Herdbook_Life")

    return [System, Private, Hidden, Stamped]


def names_that_collide() -> Declared:
    """Two classes of one table, two fields of one column, two keys of one name."""

    class First(Record):
        __storm_table__ = "things"
        one = Integer(name="number")
        two = Integer(name="NUMBER")

    class Second(Record):
        __storm_table__ = "Things"
        __constraints__ = (Unique("one", name="by_one"), Index("one", name="BY_ONE"))
        one = Integer()

    return [First, Second]


def keys_too_wide() -> Declared:
    """Keys that no index holds, and names longer than the servers'."""

    class Wide(Record):
        __constraints__ = (Unique("first", "second"), Index("size_in_floats"))
        first = Text(length=400)
        second = Text(length=400)
        size_in_floats = Float()
        a_rather_long_name_for_a_field_of_a_record_that_has_an_index = Integer(index=True)

    class Endless(Record):
        __storm_table__ = "t" * 51

    return [Wide, Endless]
