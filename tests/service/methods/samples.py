"""Record classes with every kind of field, for the tests of lists and methods."""

from __future__ import annotations

from records import (
    Address,
    Bits,
    Boolean,
    Bytes,
    Cidr,
    Date,
    DateTime,
    Decimal,
    Double,
    Enum,
    FixedText,
    Float,
    Integer,
    Json,
    Record,
    Reference,
    References,
    Set,
    Text,
    Time,
    Timestamp,
    Uuid,
    Year,
)
from records.catalogue import catalogue_of


class Region(Record):
    """A part of the country."""

    code = FixedText(length=2, primary=True)
    title = Text(length=20, unique=True)
    farms = References("Farm.region", order_by="name")


class Farm(Record):
    """Where animals live."""

    region = Reference(Region)
    name = Text(length=20)
    animals = References("Animal.farm", order_by=("-weight", "name"))
    stalls = References("Stall.farm", order_by="place")


class Stall(Record):
    """A place in a farm; its key holds the farm's."""

    farm = Reference(Farm, primary=True, on_delete="cascade")
    place = Integer(bits=32, primary=True)
    width = Double(default=1.0)


class Animal(Record):
    """Every kind of field, and references that may be absent."""

    number = Integer(primary=True)
    farm = Reference(Farm, allow_none=True, on_delete="set_null")
    mother = Reference("self", allow_none=True, on_delete="set_null")
    name = Text(length=20, allow_none=True)
    story = Text(length=2000, allow_none=True)
    note = Text(allow_none=True)
    nick = Text(length=20, allow_none=True, collation="utf8mb4_general_ci")
    weight = Decimal(precision=8, scale=2, allow_none=True)
    ratio = Float(allow_none=True)
    score = Double(allow_none=True)
    born = DateTime(allow_none=True)
    seen = Timestamp(allow_none=True)
    day = Date(allow_none=True)
    span = Time(allow_none=True)
    year = Year(allow_none=True)
    sort = Enum(("sow", "boar", "calf", "Boar"), allow_none=True)
    marks = Set(("red", "blue", "ear"), allow_none=True)
    flags = Bits(length=64, allow_none=True)
    alive = Boolean(allow_none=True)
    large = Integer(unsigned=True, allow_none=True)
    token = Bytes(length=8, allow_none=True)
    chip = Uuid(allow_none=True)
    address = Address(allow_none=True)
    block = Cidr(allow_none=True)
    extra = Json(allow_none=True)


CATALOGUE = catalogue_of([Region, Farm, Stall, Animal])
REGION, FARM, STALL, ANIMAL = (
    CATALOGUE.records[name] for name in ("region", "farm", "stall", "animal")
)
