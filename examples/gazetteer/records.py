"""Every country and its cities: a parent and its children."""

from __future__ import annotations

from records import Decimal, Enum, Integer, Json, Record, Reference, References, Text


class Country(Record):
    """A country or territory with a code of its own in ISO 3166."""

    code = Text(length=2, unique=True)
    code3 = Text(length=3, unique=True)
    number = Integer(bits=16, unsigned=True)
    name = Text(length=120, index=True)
    continent = Enum(["AF", "AN", "AS", "EU", "NA", "OC", "SA"])
    capital = Text(length=120, allow_none=True)
    area_km2 = Integer(bits=32, unsigned=True)
    population = Integer(unsigned=True, default=0)
    currency = Text(length=3, allow_none=True)
    currency_name = Text(length=40, allow_none=True)
    top_level_domain = Text(length=10, allow_none=True)
    phone_prefix = Text(length=40, allow_none=True)
    postal_code_pattern = Text(length=400, allow_none=True)
    languages = Json()
    neighbours = Json()

    cities = References("City.country", order_by="name")


class City(Record):
    """A city with its place on the map."""

    country = Reference(Country, on_delete="cascade")
    name = Text(length=200, index=True)
    geoname = Integer(bits=32, unsigned=True, unique=True)
    population = Integer(unsigned=True, default=0, index=True)
    latitude = Decimal(precision=9, scale=6)
    longitude = Decimal(precision=9, scale=6)
    timezone = Text(length=64)
    region_code = Text(length=20, allow_none=True)
    alternate_names = Json()
