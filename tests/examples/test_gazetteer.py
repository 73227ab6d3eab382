"""The gazetteer: its revision makes its tables, and every record of its data is valid."""

from __future__ import annotations

from pathlib import Path

from examples.gazetteer import data
from records.catalogue import load_catalogue
from records.validation import parse_values
from schema.migrator import Migrator
from service.database_url import DatabaseUrl

MODULE = "examples.gazetteer.records"
REVISIONS = Path(data.__file__).parent / "migrations"


def test_the_frozen_revision_makes_the_declared_tables(database: str) -> None:
    """Up, nothing differs; down, nothing is left of it."""
    url = DatabaseUrl.parse(database).as_sqlalchemy()
    migrator = Migrator(url, load_catalogue(MODULE), REVISIONS)
    assert migrator.upgrade() == ["hb0001", "hb0002", "hb0003", "hb0004", "gz0001", "gz0002"]
    assert migrator.check() == []
    assert migrator.downgrade("base") == ["gz0002", "gz0001"]
    assert migrator.status().state == "behind"


def test_every_country_and_city_is_a_valid_record() -> None:
    """The whole data set passes the validation that calls go through, and keys fit together."""
    records = load_catalogue(MODULE).records
    countries, cities = list(data.countries()), list(data.cities())
    for name, made in (("country", countries), ("city", cities)):
        failures = [parse_values(records[name], values).failures for values in made]
        assert [failure for failure in failures if failure] == []
        for unique in ({"id"}, *({*key.fields} for key in records[name].uniques)):
            keys = {tuple(values[field] for field in unique) for values in made}
            assert len(keys) == len(made), unique
    assert {city["country_id"] for city in cities} <= {country["id"] for country in countries}
    assert data.totals() == {"countries": len(countries), "cities": len(cities)}
    assert len(countries) > 240
    assert len(cities) > 30_000
    assert set(countries[0]) == set(records["country"].fields)
    assert set(cities[0]) == set(records["city"].fields)


def test_ids_are_the_same_on_every_node_and_in_every_run() -> None:
    """Two nodes that load the gazetteer make one set of records."""
    assert data.country_id("AD") == "af2bd449-53ad-5e69-a076-3d0ff57d9d4d"
    assert next(data.countries())["id"] == data.country_id("AD")
