"""Rows that differ are merged on both nodes, with their versions, and noted."""

from __future__ import annotations

import pytest

from service.cli.verify_repair import Repaired, repair
from service.cli.verify_tables import Pair
from tests.service.store.herd.pairs import changed
from tests.service.store.herd.verifying import compared
from tests.service.store.tools import read

LATER = (
    "UPDATE horse SET name = 'later', herdbook_stamp = herdbook_stamp + 5, "
    "herdbook_origin = 4711, herdbook_clock = CONCAT(LEFT(herdbook_clock, 12), X'8006', "
    "UNHEX(CONCAT(LPAD(HEX(herdbook_stamp), 16, '0'), '00001267')), REPEAT(X'00', 12)) "
    "WHERE number = 2"
)
DEAD = (
    "DELETE FROM horse WHERE number = 2",
    "INSERT INTO herdbook_dead_horse (number, stable_number, chip, name, herdbook_life, "
    "herdbook_stamp, herdbook_origin, herdbook_died, herdbook_writer) "
    "VALUES (2, 1, 112, 'y', 2, 5, 5, 77, 'somebody')",
)
NEW = (
    "INSERT INTO horse (number, stable_number, chip, name, herdbook_life, herdbook_stamp, "
    "herdbook_origin) VALUES (9, 1, 99, 'new', 1, 7, 4711)"
)
PAST_THE_TRIGGERS = "INSERT INTO horse (number, stable_number, chip) VALUES (9, 1, 99)"
NAMES = "SELECT number, name FROM horse WHERE number IN (2, 9) ORDER BY number"


def mended(pair: Pair, *tables: str) -> Repaired:
    """Repair some tables; afterwards nothing differs."""
    found = [compared(pair, table) for table in tables]
    assert all(one.differences for one in found)
    done = repair(pair, found, lambda: None)
    if not done.left:
        assert [compared(pair, table).differences for table in tables] == [[]] * len(tables)
    return done


@pytest.mark.parametrize("which", [0, 1])
def test_the_later_version_wins_whichever_node_has_it(pair: Pair, which: int) -> None:
    """As in every merge; its stamp and its origin stay."""
    question = "SELECT name, herdbook_origin FROM horse WHERE number = 2"
    with changed(pair[which].url, "horse", LATER), changed(pair[1 - which].url, "horse"):
        assert mended(pair, "horse") == Repaired(1, 0, 0)
        assert [read(node.url, question) for node in pair] == [[("later", 4711)]] * 2


def test_of_two_values_in_one_version_the_first_nodes_stands(pair: Pair) -> None:
    """One is damaged; also invisible parts, which are written anew."""
    damages = (
        "UPDATE horse SET name = 'rotten' WHERE number = 2",
        "UPDATE horse SET herdbook_stamp = herdbook_stamp + 9 WHERE number = 1",
    )
    with changed(pair.ours.url, "horse"), changed(pair.theirs.url, "horse", *damages):
        assert mended(pair, "horse").rows == 2
        assert read(pair.theirs.url, NAMES) == read(pair.ours.url, NAMES) == [(2, "changed")]
    with changed(pair.theirs.url, "horse"), changed(pair.ours.url, "horse", *damages):
        mended(pair, "horse")
        assert read(pair.theirs.url, NAMES) == [(2, "rotten")]


def test_a_row_that_one_node_lacks_is_given_to_it_and_noted(pair: Pair) -> None:
    """Readers of the feed learn of it."""
    noted = "SELECT kind FROM herdbook_inbox WHERE table_name = 'horse' AND row_key = '9'"
    with changed(pair.ours.url, "horse", NEW), changed(pair.theirs.url, "horse"):
        assert mended(pair, "horse") == Repaired(1, 0, 0)
        assert read(pair.theirs.url, NAMES)[-1] == (9, "new")
        assert read(pair.theirs.url, noted) == [("insert",)]
        assert read(pair.ours.url, noted) == []


def test_a_death_that_one_node_missed_comes_to_it(pair: Pair) -> None:
    """The higher life wins."""
    with changed(pair.ours.url, "horse", *DEAD), changed(pair.theirs.url, "horse"):
        assert mended(pair, "horse").rows == 1
        assert read(pair.theirs.url, NAMES) == []


def test_a_child_comes_with_its_parent_whatever_comes_first(pair: Pair) -> None:
    """It waits until the parent is there."""
    parent = (
        "INSERT INTO stable (number, ranch_number, sign, herdbook_life, herdbook_stamp, "
        "herdbook_origin) VALUES (8, 1, 'new', 1, 7, 4711)"
    )
    child = NEW.replace("(9, 1,", "(9, 8,")
    with (
        changed(pair.theirs.url, "stable", parent),
        changed(pair.theirs.url, "horse", child),
        changed(pair.ours.url, "stable"),
        changed(pair.ours.url, "horse"),
    ):
        assert mended(pair, "horse", "stable").rows == 2
        assert read(pair.ours.url, NAMES)[-1] == (9, "new")
        assert read(pair.ours.url, "SELECT COUNT(*) FROM herdbook_held") == [(0,)]


def test_a_row_that_was_never_captured_is_left_alone(pair: Pair) -> None:
    """`schema recapture` takes it in; to send it on would make it look as old as can be."""
    with changed(pair.ours.url, "horse", PAST_THE_TRIGGERS):
        assert mended(pair, "horse") == Repaired(0, 1, 0)
        assert len(read(pair.theirs.url, NAMES)) == 1


@pytest.mark.parametrize("table", ["plain", "specimen"])
def test_rows_of_every_type_are_given_whole(pair: Pair, table: str) -> None:
    """From one server to the other, none of them changed."""
    with changed(pair.theirs.url, table, f"DELETE FROM {table}"):
        found = compared(pair, table)
        assert mended(pair, table) == Repaired(len(found.differences), 0, 0)
