"""Names that follow from a declaration."""

from __future__ import annotations

import pytest

from records.naming import (
    foreign_key_name,
    index_name,
    reference_column,
    snake_case,
    unique_name,
)


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("City", "city"),
        ("CityDistrict", "city_district"),
        ("HTTPLog", "http_log"),
        ("LogHTTP", "log_http"),
        ("Area51Map", "area51_map"),
        ("A", "a"),
        ("already_snake", "already_snake"),
    ],
)
def test_a_table_is_named_after_its_class(name: str, snake: str) -> None:
    """Words in capitals become words with underscores, abbreviations stay one word."""
    assert snake_case(name) == snake


def test_columns_and_keys_are_named_after_what_they_hold() -> None:
    """A DBA who reads a name knows the table and the columns."""
    assert reference_column("country", "id") == "country_id"
    assert unique_name("city", ("country_id", "name")) == "uq_city_country_id_name"
    assert index_name("city", ("name",)) == "ix_city_name"
    assert foreign_key_name("city", ("country_id",)) == "fk_city_country_id"
