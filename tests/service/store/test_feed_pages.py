"""Pages of the feed: what is told, in which order, and how far a page goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from records import Integer, Record, Text
from records.catalogue import catalogue_of
from service.methods.feed_port import Change, Wanted
from service.methods.query import Every, Not
from service.store.feed.pages import Bounds, read_page
from service.store.feed.snapshots import in_snapshot
from service.store.settings import SessionSettings
from tests.service.store.feeds import (
    CATALOGUE,
    Farm,
    capture,
    comparison,
    page,
    run,
    seal,
    told,
)
from tests.service.store.tools import ask, raw_connection, read, working

SESSION_LEVEL = (
    "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')"
)

ENTRY = "entry, table_name, row_key, kind, fields, life, origin, stamp, writer"


@pytest.fixture
def farms(database: str) -> str:
    """A captured database."""
    capture(database)
    return database


def some_history(database: str) -> None:
    """Changes of every kind, sealed."""
    run(
        database,
        "INSERT INTO farm (number, name) VALUES (1, 'one'), (2, 'two'), (3, 'three')",
        "INSERT INTO cow (name, farm_number, weight) VALUES ('Emma', 1, 5), ('Frida', 2, 7)",
        "UPDATE farm SET name = 'zwei', note = 'long' WHERE number = 2",
        "UPDATE cow SET weight = 9 WHERE name = 'Emma'",
        "DELETE FROM farm WHERE number = 3",
    )
    seal(database)


def test_every_change_is_told_with_the_row_as_it_is_now(farms: str) -> None:
    """Kind, key, fields and the present row; what is deleted has none."""
    some_history(farms)
    found = page(farms)
    assert told(found.changes) == [
        ("insert", 1, True),
        ("insert", 2, True),
        ("insert", 3, False),
        ("insert", "Emma", True),
        ("insert", "Frida", True),
        ("update", 2, True),
        ("update", "Emma", True),
        ("delete", 3, False),
    ]
    assert [change.entry.position for change in found.changes] == list(range(1, 9))
    assert found.changes[1].row == {"number": 2, "name": "zwei", "note": "long"}
    assert found.changes[5].entry.fields == ("name", "note")
    assert found.changes[0].entry.fields == ()
    assert {change.entry.record for change in found.changes} == {"farm", "cow"}
    assert found.changes[0].entry.writer.startswith("sql:")
    assert (found.next, found.ends.head, found.found, found.complete) == (8, 8, True, True)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_one_after_the_other_tell_what_one_large_page_tells(farms: str, limit: int) -> None:
    """No change is lost or repeated where a page ends, and only the last one is complete."""
    some_history(farms)
    changes: list[Change] = []
    after = 0
    for _ in range(8 // limit + 1):
        found = page(farms, after, limit)
        assert len(found.changes) <= limit
        changes += found.changes
        after = found.next
        assert found.complete == (after == 8)
    assert changes == list(page(farms).changes)
    assert page(farms, after) == replace(found, changes=())


@pytest.mark.parametrize("name", ["farm", "cow"])
def test_only_the_classes_that_are_wanted_are_told(farms: str, name: str) -> None:
    """The others are passed over, and `next` with them, however small the pages are."""
    some_history(farms)
    everything = page(farms).changes
    wanted = Wanted(records=frozenset({name}))
    found = page(farms, wanted=wanted)
    assert list(found.changes) == [c for c in everything if c.entry.record == name]
    assert (found.next, found.complete) == (8, True)
    single: list[Change] = []
    after = 0
    for _ in range(20):
        part = page(farms, after, 1, wanted)
        single += part.changes
        after = part.next
    assert single == list(found.changes)


def test_an_empty_page_moves_on_over_what_is_not_wanted(farms: str) -> None:
    """The entries looked at are bounded, and the next page begins behind them."""
    run(farms, *(f"INSERT INTO farm (number, name) VALUES ({n}, 'x')" for n in range(7)))
    seal(farms)
    wanted, bounds = Wanted(records=frozenset({"cow"})), Bounds(entries=3)
    reached = []
    after = 0
    for _ in range(3):
        found = page(farms, after, wanted=wanted, bounds=bounds)
        assert not found.changes
        after = found.next
        reached.append((after, found.complete))
    assert reached == [(3, False), (6, False), (7, True)]


def test_keys_alone_are_told_where_rows_are_not_wanted(farms: str) -> None:
    """The same changes, without a row."""
    some_history(farms)
    bare = page(farms, wanted=Wanted(rows=False)).changes
    assert [change.row for change in bare] == [None] * 8
    assert [change.entry for change in bare] == [change.entry for change in page(farms).changes]
    assert all(change.matches for change in bare)


def test_a_position_that_is_no_longer_kept_is_not_found(farms: str) -> None:
    """Below the horizon, and beyond the head; from the horizon itself reading goes on."""
    some_history(farms)
    run(
        farms,
        "DELETE FROM herdbook_changelog WHERE position <= 5",
        "UPDATE herdbook_sealer SET horizon = 5",
    )
    for position in (0, 4, 9):
        found = page(farms, position)
        assert (found.found, found.changes, found.next) == (False, (), position)
        assert (found.ends.head, found.ends.horizon, found.complete) == (8, 5, False)
    assert [change.entry.position for change in page(farms, 5).changes] == [6, 7, 8]


def test_a_page_is_complete_only_where_all_that_is_visible_is_sealed(farms: str) -> None:
    """A change that has no position yet may be in the rows already."""
    some_history(farms)
    run(farms, "UPDATE farm SET name = 'eins' WHERE number = 1")
    found = page(farms)
    assert found.changes[0].row == {"number": 1, "name": "eins", "note": None}
    assert (found.next, found.complete) == (8, False)
    seal(farms)
    assert page(farms, found.next).complete


def test_a_child_whose_parent_is_not_sealed_makes_the_page_incomplete(farms: str) -> None:
    """The reader could hold a cow without its farm; the next complete page has both."""
    run(farms, "INSERT INTO farm (number, name) VALUES (1, 'one')")
    seal(farms)
    run(
        farms,
        "INSERT INTO cow (name, farm_number) VALUES ('Emma', 1)",
        "INSERT INTO farm (number, name) VALUES (2, 'two')",
        "UPDATE cow SET farm_number = 2",
    )
    with raw_connection(farms) as connection:
        ((first,),) = ask(connection, "SELECT MIN(entry) FROM herdbook_inbox")
        ask(connection, f"UPDATE herdbook_inbox SET entry = entry + 1000 WHERE entry > {first}")
        ask(
            connection,
            f"INSERT INTO herdbook_changelog (`position`, {ENTRY}, sealed_at) "
            f"SELECT 2, {ENTRY}, 0 FROM herdbook_inbox WHERE entry = {first}",
        )
        ask(connection, f"DELETE FROM herdbook_inbox WHERE entry = {first}")
        ask(connection, "UPDATE herdbook_sealer SET position = 2")
    found = page(farms)
    assert found.changes[-1].row == {"name": "Emma", "farm_number": 2, "weight": 0}
    assert not found.complete
    seal(farms)
    assert page(farms, found.next).complete


def test_entries_and_rows_of_a_page_are_of_one_moment(farms: str) -> None:
    """What is committed while the page is read is not in it, neither entry nor row."""
    some_history(farms)

    def meanwhile(tx: Any) -> Any:
        tx.rows("SELECT 1 FROM herdbook_sealer")
        run(farms, "UPDATE farm SET name = 'late' WHERE number = 1")
        seal(farms)
        return read_page(tx, 0, 100, Wanted(), Bounds())

    with working(farms, CATALOGUE, SessionSettings(autocommit=True)) as worker:
        found = worker.run(in_snapshot(meanwhile))
        assert (found.ends.head, found.complete) == (8, True)
        assert found.changes[0].row == {"number": 1, "name": "one", "note": None}
        # The session is as it was: the next statement sees what is there now.
        assert worker.run(lambda tx: tx.rows("SELECT name FROM farm WHERE number = 1")) == [
            ("late",)
        ]
        levels = dict(worker.run(lambda tx: tx.rows(SESSION_LEVEL)))
        assert set(levels.values()) == {"READ-COMMITTED"}


def test_a_key_written_otherwise_is_another_key(farms: str) -> None:
    """'Foo' became 'foo': the old key has no row, though the server would find one for it."""
    run(
        farms,
        "INSERT INTO farm (number, name) VALUES (1, 'one')",
        "INSERT INTO cow (name, farm_number) VALUES ('Foo', 1)",
        "UPDATE cow SET name = 'foo' WHERE name = 'Foo'",
    )
    seal(farms)
    assert told(page(farms, 1).changes) == [
        ("insert", "Foo", False),
        ("delete", "Foo", False),
        ("insert", "foo", True),
    ]
    heavy = {"cow": comparison("cow", "weight", "<", 5)}
    assert told(page(farms, 1, wanted=Wanted(where=heavy)).changes) == [
        ("delete", "Foo", False),
        ("insert", "foo", True),
    ]


def test_a_condition_leaves_out_what_does_not_match(farms: str) -> None:
    """Deletes are always told; an update that may have ended a match says so."""
    run(
        farms,
        "INSERT INTO farm (number, name) VALUES (1, 'in'), (2, 'out'), (3, 'in'), (4, 'out')",
        "UPDATE farm SET name = 'away' WHERE number = 1",
        "UPDATE farm SET note = 'x' WHERE number = 2",
        "UPDATE farm SET note = 'x' WHERE number = 3",
        "DELETE FROM farm WHERE number = 4",
        "INSERT INTO cow (name, farm_number) VALUES ('Emma', 1)",
    )
    seal(farms)
    wanted = Wanted(where={"farm": comparison("farm", "name", "=", "in")})
    found = page(farms, wanted=wanted)
    assert [
        (c.entry.kind, (c.entry.key or ())[0], c.row is not None, c.matches) for c in found.changes
    ] == [
        ("insert", 3, True, True),
        ("update", 1, False, False),
        ("update", 3, True, True),
        ("delete", 4, False, True),
        ("insert", "Emma", True, True),
    ]
    bare = page(farms, wanted=replace(wanted, rows=False)).changes
    assert [replace(change, row=None) for change in found.changes] == list(bare)
    parts: list[Change] = []
    after = 0
    for _ in range(12):
        part = page(farms, after, 1, wanted, Bounds(batch=2))
        assert len(part.changes) <= 1
        parts += part.changes
        after = part.next
    assert parts == list(found.changes)


def test_what_does_not_match_is_passed_over_within_one_page(farms: str) -> None:
    """Until something is found, or as many were looked at as one page may cost."""
    run(farms, *(f"INSERT INTO farm (number, name) VALUES ({n}, 'x')" for n in range(9)))
    seal(farms)
    wanted = Wanted(where={"farm": comparison("farm", "number", "=", 7)})
    assert told(page(farms, 0, 1, wanted, Bounds(batch=2)).changes) == [("insert", 7, True)]
    found = page(farms, 0, 1, wanted, Bounds(batch=2, entries=5))
    assert (found.changes, found.next) == ((), 5)


def test_null_fulfils_no_comparison_and_its_negation(farms: str) -> None:
    """A condition means in the feed what it means in a list."""
    run(farms, "INSERT INTO farm (number, name, note) VALUES (1, 'a', NULL), (2, 'a', 'x')")
    seal(farms)
    like = comparison("farm", "note", "like", "x%")
    for condition, keys in ((like, [2]), (Not(like), [1]), (Every((like, Not(like))), [])):
        found = page(farms, wanted=Wanted(where={"farm": condition})).changes
        assert [(change.entry.key or ())[0] for change in found] == keys


def test_a_gone_row_does_not_match(farms: str) -> None:
    """Its delete is told, and an update before it that touched the condition's fields."""
    run(
        farms,
        "INSERT INTO farm (number, name) VALUES (1, 'in')",
        "UPDATE farm SET note = 'x'",
        "UPDATE farm SET name = 'in too'",
        "DELETE FROM farm",
    )
    seal(farms)
    wanted = Wanted(where={"farm": comparison("farm", "name", "=", "in")})
    found = page(farms, wanted=wanted).changes
    assert [(c.entry.kind, c.matches) for c in found] == [("update", False), ("delete", True)]


def test_what_the_running_code_does_not_know_is_told_without_a_record(farms: str) -> None:
    """A class that is gone, and one whose key is another now: their tables are named."""
    some_history(farms)
    without_cows = catalogue_of([_farm_alone("number")])
    found = page(farms, catalogue=without_cows).changes
    assert len(found) == 8
    strange = [change for change in found if change.entry.record is None]
    assert [(c.entry.position, c.entry.table, c.entry.key, c.row) for c in strange] == [
        (4, "cow", None, None),
        (5, "cow", None, None),
        (7, "cow", None, None),
    ]
    keyed_by_name = page(farms, catalogue=catalogue_of([_farm_alone("name")])).changes
    assert {(c.entry.record, c.entry.key, c.row) for c in keyed_by_name} == {(None, None, None)}
    run(farms, "UPDATE herdbook_changelog SET row_key = X'FFFE' WHERE position = 1")
    first = page(farms).changes[0]
    assert (first.entry.record, first.entry.table, first.row) == (None, "farm", None)


def test_a_column_that_is_gone_has_no_name_in_fields(farms: str) -> None:
    """The others are named still, by their numbers, which no renaming changes."""
    some_history(farms)
    ((description,),) = read(
        farms, "SELECT description FROM herdbook_capture WHERE table_name = 'farm'"
    )
    with raw_connection(farms) as connection:
        changed = description.replace('"note"', '"gone"')
        ask(
            connection,
            "UPDATE herdbook_capture SET description = %s WHERE table_name = 'farm'",
            (changed,),
        )
    assert page(farms).changes[5].entry.fields == ("name",)


def _farm_alone(key: str) -> type[Farm]:
    """The farm without its cows, with a key that may be another one."""
    make: Any = type(Record)
    body = {
        "__module__": __name__,
        "number": Integer(primary=key == "number"),
        "name": Text(length=60, primary=key == "name"),
        "note": Text(allow_none=True),
    }
    alone: type[Farm] = make("Farm", (Record,), body)
    return alone
