"""Nodes that told each other everything are equal, and before that what differs is on its way."""

from __future__ import annotations

from service.cli.verify_tables import Found, Pair
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.herd.verifying import asked, compared
from tests.service.store.sealing.tools import seal_all, sealing
from tests.service.store.tools import read

TABLES = ("ranch", "stable", "horse")


def all_of(one: Member, other: Member) -> dict[str, Found]:
    """Every table compared."""
    with asked(one.url, CATALOGUE) as ours, asked(other.url, CATALOGUE) as theirs:
        return {table: compared(Pair(ours, theirs), table) for table in TABLES}


def write_apart(one: Member, other: Member) -> None:
    """Both nodes write the same rows, delete parents of each other's children, and claim values."""
    one.sql(
        "INSERT INTO ranch (number, name, brand) VALUES (1, '', 'A'), (2, '', 'B'), (3, '', 'C')",
        "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, 'south'), (2, 2, 'north')",
        "INSERT INTO horse (number, stable_number, owner_number, chip) VALUES (1, 1, 2, 11)",
    )
    one.tell(other)
    one.sql(
        "UPDATE ranch SET name = 'one', brand = 'X' WHERE number = 3",
        "DELETE FROM stable WHERE number = 2",
        "UPDATE horse SET name = 'one' WHERE number = 1",
    )
    other.sql(
        "UPDATE ranch SET name = 'other' WHERE number = 3",
        "UPDATE ranch SET brand = 'X' WHERE number = 2",
        "INSERT INTO horse (number, stable_number, chip) VALUES (2, 2, 12)",
        "UPDATE horse SET chip = 77, owner_number = 3 WHERE number = 1",
    )


def test_nodes_that_exchanged_everything_are_equal(one: Member, other: Member) -> None:
    """With merges, repairs, revived parents and released values on both sides."""
    write_apart(one, other)
    quiet(one, other)
    found = all_of(one, other)
    assert {
        table: (each.differences, each.moving) for table, each in found.items()
    } == dict.fromkeys(TABLES, ([], []))
    assert sum(each.rows[0] for each in found.values()) > 4


def test_what_was_not_exchanged_yet_is_on_its_way(one: Member, other: Member) -> None:
    """Sealed or not, whichever node has it; and no row is called different."""
    write_apart(one, other)
    for _turn in range(2):
        found = all_of(one, other)
        assert [each.differences for each in found.values()] == [[]] * len(TABLES)
        assert sum(len(each.moving) for each in found.values()) >= 5
        for member in (one, other):
            with sealing(member.url) as sealer:
                seal_all(sealer)


def test_a_dead_row_that_one_node_has_pruned_is_no_difference(one: Member, other: Member) -> None:
    """It is counted by itself, once the other's changelog does not reach back to its beginning."""
    one.sql("INSERT INTO ranch (number) VALUES (1)", "DELETE FROM ranch")
    quiet(one, other)
    read(other.url, "DELETE FROM herdbook_dead_ranch")
    found = all_of(one, other)["ranch"]
    assert (len(found.differences), found.forgotten) == (1, 0)
    read(other.url, "UPDATE herdbook_sealer SET horizon = 2")
    found = all_of(one, other)["ranch"]
    assert (found.differences, found.forgotten) == ([], 1)
