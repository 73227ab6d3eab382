"""Rows are read with their clocks, to the byte; keys become bytes as the triggers write them."""

from __future__ import annotations

from decimal import Decimal

from records.stamps import NEVER, Slot, Version
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.shapes import Key
from service.store import writer
from service.store.herd.described import describe
from service.store.herd.rows import Standing, standings
from service.store.herd.values import bytes_of, key_of
from service.store.transaction import Transaction
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.specimens import CATALOGUE as SPECIMENS
from tests.service.store.specimens import SPECIMEN, extreme_rows
from tests.service.store.tools import in_transaction, read

_TICKET = (
    "INSERT INTO ticket (day, amount, code, moment, flags, token, note) VALUES "
    "('2024-02-29', 1.5, 'x€', {0}, b'101', UNHEX('00112233445566778899aabbccddeeff'), 0)"
)


def standing(url: str, table: str, *keys: Key) -> list[Standing | None]:
    """How rows stand."""
    seen: list[Standing | None] = []

    def look(tx: Transaction) -> None:
        found = standings(tx, describe(tx).tables[table], keys)
        seen.extend(map(found.get, keys))

    in_transaction(url, CATALOGUE, look)
    return seen


def stored_version(url: str) -> Version:
    """What the row of the ranch says of its latest write."""
    ((stamp, origin),) = read(url, "SELECT herdbook_stamp, herdbook_origin FROM ranch")
    return Version(stamp, origin)


def test_a_row_is_read_with_the_versions_of_its_columns(ranch: str) -> None:
    """Those of its birth, and of the columns that were written since."""
    read(ranch, "INSERT INTO ranch (number, name) VALUES (1, 'a')")
    birth = stored_version(ranch)
    read(ranch, "UPDATE ranch SET name = 'b'")
    change = stored_version(ranch)
    (found,) = standing(ranch, "ranch", (1,))
    assert found is not None
    state = found.state
    assert (state.life, state.born, state.death) == (1, birth, None)
    assert state.slots == {"2": Slot(change, NEVER)}
    assert state.values == {"1": 1, "2": "b", "3": None}


def test_a_dead_row_is_whole_and_one_born_again_has_the_next_life(ranch: str) -> None:
    """Also before its birth is sealed."""
    read(ranch, "INSERT INTO ranch (number, name) VALUES (1, 'a')")
    read(ranch, "DELETE FROM ranch")
    (dead,) = standing(ranch, "ranch", (1,))
    assert dead is not None
    assert dead.live is None
    assert (dead.state.life, dead.state.values["2"]) == (2, "a")
    assert dead.state.death is not None
    assert dead.state.death.writer.startswith("sql:")
    read(ranch, "INSERT INTO ranch (number, name) VALUES (1, 'c')")
    (again, missing) = standing(ranch, "ranch", (1,), (2,))
    assert missing is None
    assert again is not None
    assert again.dead == dead.dead
    assert (again.state.life, again.state.values["2"]) == (3, "c")


def test_a_key_of_every_form_goes_through_bytes_and_back(ranch: str) -> None:
    """They are the bytes that triggers write, and the values with which the row is found."""
    read(ranch, _TICKET.format("'2024-02-29 12:00:00.5'"))
    read(ranch, _TICKET.format("'1970-01-01 00:00:01'"))
    rows = [raw for (raw,) in read(ranch, "SELECT row_key FROM herdbook_inbox ORDER BY entry")]
    seen: list[Key] = []

    def look(tx: Transaction) -> None:
        table = describe(tx).tables["ticket"]
        keys = [key_of(table.key, raw) for raw in rows]
        assert [bytes_of(table.key, key) for key in keys] == rows
        assert set(standings(tx, table, keys)) == set(keys)
        seen.extend(keys)

    in_transaction(ranch, CATALOGUE, look)
    day, amount, code, moment, flags, _token = seen[0]
    assert (day, amount, code, flags) == ("2024-02-29", Decimal("1.5"), "x€", 5)
    assert moment.startswith("2024-02-29 12:00:00.5")


def test_values_of_every_type_are_read_without_loss(database: str) -> None:
    """What is read of one row makes the same row when it is written."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), SPECIMENS)
    rows = extreme_rows()
    in_transaction(database, SPECIMENS, lambda tx: writer.insert(tx, SPECIMEN, rows))
    columns = [info.column for info in SPECIMEN.fields.values()]
    listed = ", ".join(f"`{name}`" for name in columns)
    hexed = ", ".join(f"HEX(`{name}`)" for name in columns)
    before = read(database, f"SELECT {hexed} FROM specimen ORDER BY number")

    def copy(tx: Transaction) -> None:
        table = describe(tx).tables["specimen"]
        found = standings(tx, table, [(row["number"],) for row in rows])
        tx.execute("DELETE FROM specimen")
        for each in found.values():
            values = {table.by_id[c].name: value for c, value in each.state.values.items()}
            tx.execute(
                f"INSERT INTO specimen ({listed}) VALUES ({', '.join('?' * len(columns))})",
                [values[name] for name in columns],
            )

    in_transaction(database, SPECIMENS, copy)
    assert read(database, f"SELECT {hexed} FROM specimen ORDER BY number") == before
    assert len(before) == len(rows)
