"""Keys as bytes: what the server makes of a key is read back as the very value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table

from records.kinds.base import Kind
from schema.capture.describe import form_of
from schema.capture.key_lookup import KeyLookup
from schema.capture.row_key import as_read, key_expression, split
from schema.capture.shape import MOMENT, KeyPart
from schema.connection import connected
from schema.tables import TABLE_OPTIONS
from schema.types import column_type
from service.database_url import DatabaseUrl
from tests.records.strategies import STRATEGIES

KEYABLE = [(kind, values) for kind, values in STRATEGIES if kind.keyable]
PARTS = tuple(KeyPart(f"k{at}", form_of(kind)) for at, (kind, _values) in enumerate(KEYABLE))
ZONES = ["+00:00", "-11:00", "+13:00", "SYSTEM"]
CHARSETS = ["utf8mb4", "latin1"]


def plain_of(kind: Kind, part: KeyPart, found: bytes) -> Any:
    """The value that a part of a key stands for."""
    return kind.from_database(as_read(part.form, found))


@pytest.fixture
def url(database: str) -> str:
    """A database with two tables of one column for each kind that a key can have."""
    address = DatabaseUrl.parse(database).as_sqlalchemy()
    metadata = MetaData()
    for name in ("every", "herdbook_dead_every"):
        Table(
            name,
            metadata,
            *(
                Column(part.name, column_type(kind), nullable=False)
                for part, (kind, _values) in zip(PARTS, KEYABLE, strict=True)
            ),
            **TABLE_OPTIONS,
        )
    with connected(address) as connection:
        metadata.create_all(connection)
        connection.commit()
    return address


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.tuples(*(values for _kind, values in KEYABLE)),
    zone=st.sampled_from(ZONES),
    charset=st.sampled_from(CHARSETS),
)
def test_any_value_of_any_kind_comes_back_alone_and_among_others(
    url: str, values: tuple[Any, ...], zone: str, charset: str
) -> None:
    """Whatever the session's time zone and character set; and its row is found by it again."""
    kinds = [kind for kind, _values in KEYABLE]
    marks = ", ".join(["%s"] * len(PARTS))
    alone = ", ".join(key_expression([part], "every") for part in PARTS)
    with connected(url) as connection:
        connection.exec_driver_sql(
            f"INSERT INTO every VALUES ({marks})",
            tuple(kind.to_database(value) for kind, value in zip(kinds, values, strict=True)),
        )
        connection.exec_driver_sql("SET SESSION time_zone = %s", (zone,))
        connection.exec_driver_sql(
            f"SET SESSION character_set_connection = {charset}, character_set_results = binary"
        )
        singles = connection.exec_driver_sql(f"SELECT {alone} FROM every").one()
        (together,) = connection.exec_driver_sql(
            f"SELECT {key_expression(PARTS, 'every')} FROM every"
        ).one()
        connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
        connection.exec_driver_sql("SET NAMES utf8mb4")
        lookup = KeyLookup(connection, "every", PARTS)
        kept = lookup.count_kept(connection, [lookup.values_of(together)])
    for found in (singles, split(together, len(PARTS))):
        assert [plain_of(*given) for given in zip(kinds, PARTS, found, strict=True)] == list(values)
    assert kept == 1


@pytest.mark.parametrize("digits", [0, 6])
def test_the_zero_moment_comes_back(url: str, digits: int) -> None:
    """On both servers, though one of them has no number for it; the first real one is another."""
    key = [KeyPart("at", MOMENT)]
    with connected(url) as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = '', time_zone = '+00:00'")
        connection.exec_driver_sql(f"CREATE TABLE moments (at TIMESTAMP({digits}) NOT NULL)")
        connection.exec_driver_sql(
            "INSERT INTO moments VALUES ('0000-00-00 00:00:00'), ('1970-01-01 00:00:01')"
        )
        rows = connection.exec_driver_sql(
            f"SELECT {key_expression(key, 'moments')}, CAST(at AS CHAR) FROM moments"
        ).all()
    assert len(rows) == 2
    for found, text in rows:
        assert as_read(MOMENT, found) == text
