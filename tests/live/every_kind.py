"""A record module with a field of every kind, and a small family with every rule."""

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
    FixedBytes,
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

FLAGS = [f"flag{number:02}" for number in range(64)]


class Sample(Record):
    """One field of every kind; each may be NULL."""

    tiny = Integer(bits=8, allow_none=True)
    small = Integer(bits=16, unsigned=True, allow_none=True)
    medium = Integer(bits=24, allow_none=True)
    normal = Integer(bits=32, unsigned=True, allow_none=True)
    big = Integer(allow_none=True)
    unsigned_big = Integer(unsigned=True, allow_none=True)
    exact = Decimal(precision=65, scale=30, allow_none=True)
    single = Float(allow_none=True)
    double = Double(allow_none=True)
    flag = Boolean(allow_none=True)
    one_bit = Bits(allow_none=True)
    many_bits = Bits(length=64, allow_none=True)
    line = Text(length=255, allow_none=True)
    letters = FixedText(length=10, allow_none=True)
    story = Text(size="medium", allow_none=True)
    packet = Bytes(length=256, allow_none=True)
    digest = FixedBytes(length=32, allow_none=True)
    picture = Bytes(size="medium", allow_none=True)
    day = Date(allow_none=True)
    span = Time(allow_none=True)
    moment = DateTime(allow_none=True)
    stamp = Timestamp(allow_none=True)
    whole_moment = DateTime(precision=0, allow_none=True)
    vintage = Year(allow_none=True)
    colour = Enum(["red", "grün", "blue, dark"], allow_none=True)
    flags = Set(FLAGS, allow_none=True)
    document = Json(allow_none=True)
    token = Uuid(allow_none=True)
    host = Address(allow_none=True)
    block = Cidr(allow_none=True)


class Farm(Record):
    """A parent."""

    name = Text(length=60, unique=True)
    herd = References("Cow.farm", order_by="name")


class Cow(Record):
    """A child with what constraints there are."""

    farm = Reference(Farm, on_delete="cascade")
    name = Text(length=60)
    tag = Integer(bits=32, unsigned=True, unique=True)
    weight = Integer(bits=16, unsigned=True, default=0)
