"""Values and keys of every type are applied without loss, from one server to another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from records.kinds.documents import JsonKind
from records.kinds.numbers import DecimalKind, FloatKind
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.store import writer
from tests.conftest import Servers
from tests.servers.programs import chosen_kinds
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.specimens import CATALOGUE as SPECIMENS
from tests.service.store.specimens import SPECIMEN, extreme_rows
from tests.service.store.tools import in_transaction, read

_TICKETS = (
    "INSERT INTO ticket (day, amount, code, moment, flags, token, note) VALUES "
    "('2024-02-29', 1.5, 'x€', '2024-02-29 12:00:00.5', b'101', "
    "UNHEX('00112233445566778899aabbccddeeff'), 0), "
    "('2024-02-29', -0.0000000001, '', '1970-01-01 00:00:01', b'0', "
    "UNHEX('00112233445566778899aabbccddee5c'), 1), "
    "('0001-01-01', 12345678901234567890.0123456789, 'it''s', '2038-01-19 03:14:07.999999', "
    "b'111111111', UNHEX('00000000000000000000000000000000'), 2)"
)


@pytest.fixture
def pair(servers: Servers) -> Iterator[list[Member]]:
    """Two nodes with the specimens' table, on servers of both kinds if there are both."""
    kinds = list(chosen_kinds())
    made = []
    for number, kind in enumerate((kinds[0], kinds[-1])):
        name = f"types_{number}"
        servers.get(kind).create_database(name)
        url = servers.get(kind).url(name)
        create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), SPECIMENS)
        read(url, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
        made.append((servers.get(kind), name, Member(url, SPECIMENS)))
    yield [member for _server, _name, member in made]
    for server, name, _member in made:
        server.drop_database(name)


def shown(member: Member, table: str) -> list[dict[str, Any]]:
    """The rows to the byte; JSON by value, since the servers write it in different ways."""
    fields = {info.column: info.kind for info in SPECIMEN.fields.values()}
    read_as = ", ".join(
        f"(`{name}` + 0e0)"
        if isinstance(kind, FloatKind)
        else f"`{name}`"
        if isinstance(kind, JsonKind | DecimalKind)
        else f"HEX(`{name}`)"
        for name, kind in fields.items()
    )
    return [
        {
            name: json.loads(value) if isinstance(kind, JsonKind) and value else value
            for (name, kind), value in zip(fields.items(), row, strict=True)
        }
        for row in member.rows(f"SELECT {read_as} FROM {table} ORDER BY number")
    ]


def test_rows_with_keys_of_every_form_are_born_changed_and_die(one: Member, other: Member) -> None:
    """Each statement finds exactly the rows that it is for."""
    shown = "SELECT ticket.*, flags + 0, herdbook_life, herdbook_stamp FROM ticket ORDER BY note"
    one.sql(_TICKETS)
    one.tell(other)
    assert len(other.rows(shown)) == 3
    assert other.rows(shown) == one.rows(shown)
    one.sql("UPDATE ticket SET note = note * 10 + 7")
    one.tell(other)
    assert other.rows(shown) == one.rows(shown)
    one.sql("DELETE FROM ticket WHERE note > 7")
    one.tell(other)
    assert other.rows(shown) == one.rows(shown)
    assert other.rows("SELECT COUNT(*) FROM herdbook_dead_ticket") == [(2,)]


def without_case(*members: Member) -> None:
    """Let the codes of tickets be compared without regard to case."""
    for member in members:
        for table in ("ticket", "herdbook_dead_ticket"):
            member.sql(
                f"ALTER TABLE {table} MODIFY code VARCHAR(10) COLLATE utf8mb4_unicode_ci NOT NULL"
            )


def test_of_two_spellings_of_one_key_the_later_row_is_withdrawn(one: Member, other: Member) -> None:
    """Two nodes made a row each; the database has room for one of them."""
    without_case(one, other)
    ticket = _TICKETS.split("), (")[0] + ")"
    one.sql(ticket)
    other.sql(ticket.replace("'x€'", "'X€'").replace(", 0)", ", 5)"))
    quiet(one, other)
    for member in (one, other):
        assert member.rows("SELECT code, note FROM ticket") == [("x€", 0)]
        assert member.rows("SELECT COUNT(*) FROM herdbook_dead_ticket") == [(0,)]
        assert member.held() == []
    assert ("withdrawn",) in [
        *one.rows("SELECT rule FROM herdbook_journal"),
        *other.rows("SELECT rule FROM herdbook_journal"),
    ]


def test_a_key_that_is_only_spelled_anew_stays_one_row(one: Member, other: Member) -> None:
    """Its collation takes both for the same: nothing lies in the graveyard beside it."""
    without_case(one, other)
    everything = "SELECT ticket.*, flags + 0, herdbook_life FROM ticket ORDER BY note"
    one.sql(_TICKETS)
    one.tell(other)
    one.sql("UPDATE ticket SET code = 'X€' WHERE code = 'x€'")
    delta = one.delta(other.vector())
    for _time in range(2):
        other.apply(delta)
        assert other.held() == []
        assert other.rows(everything) == one.rows(everything)
        assert other.rows("SELECT COUNT(*) FROM herdbook_dead_ticket") == [(0,)]
        other.seal()
    one.sql("DELETE FROM ticket WHERE code = 'x€'")
    one.tell(other)
    assert other.rows(everything) == one.rows(everything)
    assert other.rows("SELECT code FROM herdbook_dead_ticket") == [("X€",)]


@pytest.mark.parametrize("turn", [1, -1])
def test_values_of_every_type_arrive_as_they_were(pair: list[Member], turn: int) -> None:
    """When rows are born, when each gets the values of another one, and when they die."""
    one, other = pair[::turn]
    rows = extreme_rows()
    in_transaction(one.url, SPECIMENS, lambda tx: writer.insert(tx, SPECIMEN, rows))
    names = [info.column for info in SPECIMEN.fields.values()]
    one.tell(other)
    assert other.held() == []
    assert len(rows) > 3
    assert shown(other, "specimen") == shown(one, "specimen")
    listed = ", ".join(f"it.`{n}` = source.`{n}`" for n in names if n != "number")
    one.sql(
        "CREATE TABLE copied AS SELECT * FROM specimen",
        "UPDATE specimen AS it JOIN copied AS source ON source.number = it.number + 1 "
        f"SET {listed}",
    )
    one.tell(other)
    assert other.held() == []
    assert shown(other, "specimen") == shown(one, "specimen")
    one.sql("DELETE FROM specimen")
    one.tell(other)
    dead = "herdbook_dead_specimen"
    assert shown(other, dead) == shown(one, dead)
    assert len(shown(other, dead)) == len(rows)
