"""Nodes on real servers write apart and tell each other: they end with the same, to the byte."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import MySQLdb
import pytest

from schema.capture.clock import clock_of
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from tests.conftest import Servers
from tests.servers.programs import chosen_kinds
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.herd.test_applying_beside import orphans
from tests.service.store.tools import read

TURNS = 100
COLUMNS = {
    "ranch": "number, name, brand",
    "stable": "number, ranch_number, sign",
    "horse": "number, stable_number, owner_number, mother_number, chip, name",
}


@pytest.fixture
def herd(servers: Servers) -> Iterator[list[Member]]:
    """Three nodes, on servers of both kinds if there are both."""
    kinds = list(chosen_kinds())
    made = []
    for number in range(3):
        server = servers.get(kinds[number % len(kinds)])
        name = f"herd_{number}"
        server.create_database(name)
        url = server.url(name)
        create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
        read(url, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
        made.append((server, name, Member(url)))
    yield [member for _server, _name, member in made]
    for server, name, _member in made:
        server.drop_database(name)


def shown(member: Member) -> dict[str, list[Any]]:
    """All rows, live and dead, with life, and the version of every column."""
    found = {}
    for table, columns in COLUMNS.items():
        meta = "herdbook_life, herdbook_stamp, herdbook_origin, herdbook_clock"
        for name, more in (
            (table, ""),
            (f"herdbook_dead_{table}", ", herdbook_died, herdbook_writer"),
        ):
            rows = member.rows(f"SELECT {meta}, {columns}{more} FROM {name} ORDER BY number")
            found[name] = [
                (life, clock_of(clock, stamp, origin), *values)
                for life, stamp, origin, clock, *values in rows
            ]
    return found


def told(member: Member) -> set[Any]:
    """The changelog, as every node has it."""
    return {
        (at or position, *rest)
        for position, at, *rest in member.rows(
            "SELECT `position`, at_origin, origin, table_name, row_key, kind, fields, life, stamp, "
            "writer FROM herdbook_changelog"
        )
    }


def random_statement(chance: random.Random) -> str:
    """An insert, an update or a delete, of few rows and few values."""

    def number(most: int) -> str:
        return str(chance.randint(1, most))

    def maybe(most: int) -> str:
        return chance.choice(("NULL", number(most)))

    rows = {
        "ranch": (3, {"name": f"'{number(9)}'",
                      "brand": chance.choice(("NULL", f"'{number(3)}'"))}),
        "stable": (4, {"ranch_number": number(3), "sign": f"'{number(5)}'"}),
        "horse": (7, {"stable_number": number(4), "owner_number": maybe(3),
                      "mother_number": maybe(7), "chip": number(9), "name": f"'{number(9)}'"}),
    }  # fmt: skip
    table = chance.choice(("ranch", "stable", "stable", "horse", "horse", "horse"))
    most, values = rows[table]
    kind = chance.random()
    if kind < 0.45:
        names = ", ".join(values)
        return (
            f"INSERT INTO {table} (number, {names}) "
            f"VALUES ({number(most)}, {', '.join(values.values())})"
        )
    if kind < 0.85:
        column = chance.choice(list(values))
        return f"UPDATE {table} SET {column} = {values[column]} WHERE number = {number(most)}"
    return f"DELETE FROM {table} WHERE number = {number(most)}"


def write(member: Member, chance: random.Random) -> int:
    """Write something; 1 if the constraints of the tables allowed it."""
    try:
        member.sql(random_statement(chance))
    except MySQLdb.Error as error:
        # A unique value, a parent or a child in the way, or a reference of a table to itself.
        if error.args[0] not in (1062, 1451, 1452, 1442):
            raise
        return 0
    return 1


@pytest.mark.parametrize("seed", range(4))
def test_nodes_that_write_apart_end_with_the_same(herd: list[Member], seed: int) -> None:
    """Whoever hears of whom, and when; no orphan at any time, and every row with its versions."""
    chance = random.Random(seed)
    written = 0
    herd[0].sql(
        "INSERT INTO ranch (number, brand) VALUES (1, '1'), (2, NULL), (3, '3')",
        "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, '1'), (2, 2, '2')",
    )
    quiet(*herd)
    for _turn in range(TURNS):
        one, other = chance.sample(herd, 2)
        if chance.random() < 0.8:
            written += write(one, chance)
        else:
            one.tell(other)
            assert orphans(other) == 0
    assert written > TURNS / 4
    quiet(*herd)
    first, *others = (shown(member) for member in herd)
    for seen in others:
        assert seen == first
    assert told(herd[0]) == told(herd[1]) == told(herd[2])
    vectors = [{o: at for o, at in member.vector().items() if at} for member in herd]
    assert vectors[1:] == vectors[:-1]
    assert all(member.held() == [] for member in herd)
