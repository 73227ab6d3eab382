"""What the herd knows of tables is what the database says of them."""

from __future__ import annotations

import pytest

from schema.connection import connected
from schema.lock import only_runner
from service.database_url import DatabaseUrl
from service.errors import Busy
from service.herd.shapes import CASCADE, RESTRICT, SET_NULL, Unique
from service.store.herd.described import Described, Descriptions, describe
from service.store.transaction import Transaction
from tests.live.units import Side, until
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.tools import ask, in_transaction, raw_connection, read, working


def described(url: str) -> Described:
    """What the database is like."""
    seen: list[Described] = []

    def look(tx: Transaction) -> None:
        seen.append(describe(tx))

    in_transaction(url, CATALOGUE, look)
    return seen[0]


def ids(found: Described, table: str) -> dict[str, str]:
    """The columns of a table: what names them to siblings, by their names."""
    return {column.name: column.id for column in found.tables[table].columns}


def test_every_captured_table_is_described(ranch: str) -> None:
    """With its key, and the columns by the numbers that capture gave them."""
    tables = described(ranch).tables
    assert set(tables) == {"ranch", "stable", "horse", "ticket", "sale"}
    assert tables["ranch"].shape.key == ("1",)
    assert [c.name for c in tables["ranch"].columns] == ["number", "name", "brand"]
    assert len(tables["ticket"].shape.key) == 6


def test_a_row_can_be_born_without_columns_that_have_defaults(ranch: str) -> None:
    """NULL is one; without the others nothing can be written."""
    found = described(ranch)
    of, shape = ids(found, "horse"), found.tables["horse"].shape
    assert shape.columns == frozenset(of.values())
    assert {name for name, number in of.items() if number in shape.required} == {
        "number", "stable_number", "chip",
    }  # fmt: skip


def test_foreign_keys_are_references_with_their_rules(ranch: str) -> None:
    """By triggers of the parent, or by the class where a reference leads back to itself."""
    found = described(ranch)
    of = ids(found, "horse")
    references = {one.columns: one for one in found.tables["horse"].shape.references}
    rules = {
        column: (references[(of[column],)].parent, references[(of[column],)].on_delete)
        for column in ("stable_number", "owner_number", "mother_number")
    }
    assert rules == {
        "stable_number": ("stable", RESTRICT),
        "owner_number": ("ranch", SET_NULL),
        "mother_number": ("horse", CASCADE),
    }


def test_unique_keys_say_what_gives_way(ranch: str) -> None:
    """NULL where it may be, an ending for text, else nothing."""
    tables = described(ranch).tables

    def only(table: str) -> Unique:
        (unique,) = tables[table].shape.uniques
        return unique

    assert (only("ranch").released, only("ranch").nullable) == (only("ranch").columns[0], True)
    sign = only("stable")
    assert (sign.released, sign.nullable, sign.length) == (sign.columns[0], False, 20)
    assert only("horse").released is None


def test_groups_are_those_by_which_the_triggers_stamp(ranch: str) -> None:
    """By the columns' numbers; a CHECK alone makes none."""
    read(ranch, "ALTER TABLE horse ADD CONSTRAINT c1 CHECK (chip > stable_number)")
    found = described(ranch)
    of = ids(found, "sale")
    pair = (of["amount"], of["currency"])
    assert found.tables["sale"].shape.groups == dict.fromkeys(pair, pair)
    assert found.tables["horse"].shape.groups == {}


def test_a_description_is_read_again_when_capture_changes(ranch: str) -> None:
    """Not at every transaction, and not too late."""
    with working(ranch, CATALOGUE) as worker:
        known = Descriptions()
        seen: list[Described] = []

        def look(tx: Transaction) -> None:
            seen.append(known.of(tx))

        worker.run(look)
        worker.run(look)
        assert seen[0] is seen[1]
        read(ranch, "INSERT INTO herdbook_revision VALUES ('x')")
        worker.run(look)
        assert seen[2] is not seen[1]
        known.forget()
        worker.run(look)
        assert seen[3] is not seen[2]


def test_a_table_that_is_being_changed_is_not_taken_for_a_missing_one(ranch: str) -> None:
    """MariaDB tells nothing of it meanwhile: that is no description, and is soon over."""
    read(ranch, "CREATE TABLE zoo (number INT PRIMARY KEY)")
    change = "RENAME TABLE ranch TO ranch_, zoo TO zoo_, ranch_ TO ranch, zoo_ TO zoo"
    known = Descriptions()
    seen: list[set[str]] = []

    def look(tx: Transaction) -> None:
        try:
            seen.append(set(known.of(tx).tables))
        except Busy:
            seen.append(set())

    with raw_connection(ranch, autocommit=False) as holder:
        ask(holder, "SELECT * FROM zoo")
        changing = Side(lambda: read(ranch, change))
        states = "SELECT state FROM information_schema.processlist"
        until(lambda: any("Waiting for table" in (text or "") for (text,) in read(ranch, states)))
        in_transaction(ranch, CATALOGUE, look)
        holder.rollback()
    changing.join()
    in_transaction(ranch, CATALOGUE, look)
    whole = {"ranch", "stable", "horse", "ticket", "sale"}
    assert seen[0] in (set(), whole)
    assert seen[1] == whole


def test_while_somebody_migrates_a_table_without_a_captured_column_is_waited_for(
    ranch: str,
) -> None:
    """Its capture is replaced in a moment; where nobody migrates, it is left out."""
    read(ranch, "ALTER TABLE ranch RENAME COLUMN name TO title")
    url = DatabaseUrl.parse(ranch).as_sqlalchemy()
    with connected(url) as connection, only_runner(connection, 1), pytest.raises(Busy):
        described(ranch)
    assert "ranch" not in described(ranch).tables
