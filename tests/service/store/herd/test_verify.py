"""Two databases, MariaDB and MySQL, are compared: every difference is found, with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from service.cli.output import CommandFailed
from service.cli.verify_node import Digests
from service.cli.verify_tables import Found, Pair
from service.errors import TableUnverifiable
from service.herd.digests import with_phantoms
from service.store.herd import digest_sql
from service.store.herd.violations import duplicates
from tests.records.samples import SAMPLES
from tests.service.store.herd.pairs import changed, sums
from tests.service.store.herd.verifying import (
    CATALOGUE,
    PLAIN,
    SPECIMEN,
    DirectNode,
    compared,
    places,
    registry_of,
    restricted,
)
from tests.service.store.tools import in_transaction, read

TABLES = ("plain", "specimen", "ranch", "stable", "horse", "ticket")
FILLED = {sample.kind for sample in SAMPLES if sample.value is not None}
FIELDS = [
    (table, info.column)
    for table, record in (("plain", PLAIN), ("specimen", SPECIMEN))
    for info in record.fields.values()
    if info.kind in FILLED and info.column != "number"
]
FIRST_SLOT = 13
"""Where in a clock the slots begin."""


def only(found: Found) -> tuple[Any, set[str]]:
    """The one row that differs: its key, and what of it."""
    assert len(found.differences) == 1, found
    assert found.moving == []
    return found.differences[0].shown[0], {part.what for part in found.differences[0].parts}


def dead_rows(url: str, table: str) -> int:
    """How many rows lie in the graveyard of a table."""
    ((count,),) = read(url, f"SELECT COUNT(*) FROM herdbook_dead_{table}")
    return int(count)


@pytest.mark.parametrize("table", TABLES)
def test_equal_tables_are_equal(pair: Pair, table: str) -> None:
    """Every type at its limits, and dead rows; with other servers and other orders of slots."""
    found = compared(pair, table)
    assert (found.differences, found.moving) == ([], [])
    assert found.rows[0] == found.rows[1] > 0
    assert found.dead == tuple(dead_rows(node.url, table) for node in pair)
    one, other = (sums(node.url, CATALOGUE, table, 2) for node in pair)
    assert one == other


@pytest.mark.parametrize(("table", "column"), FIELDS)
def test_a_value_that_differs_is_found(pair: Pair, table: str, column: str) -> None:
    """One column of one row, of every type: NULL that became a value, and a value another one."""
    url = pair.theirs.url
    holders = read(
        url,
        f"SELECT MIN(number) FROM {table} WHERE `{column}` IS NOT NULL GROUP BY HEX(`{column}`)",
    )
    numbers = [number for (number,) in holders]
    copy = (
        f"UPDATE {table} AS r JOIN (SELECT `{column}` AS v FROM {table} WHERE number = {{0}}) AS o "
        f"SET r.`{column}` = o.v WHERE r.number = {{1}}"
    )
    planted = {0: copy.format(numbers[0], 0)}
    if len(numbers) > 1:
        planted[numbers[1]] = copy.format(numbers[0], numbers[1])
    with changed(url, table, *planted.values()):
        found = compared(pair, table)
    assert places(found) == {(number, column) for number in planted}


@pytest.mark.parametrize(
    ("table", "key", "what", "statement"),
    [
        ("horse", 1, {"life"}, "UPDATE horse SET herdbook_life = 3 WHERE number = 1"),
        (
            "horse",
            1,
            {"stamp"},
            "UPDATE horse SET herdbook_stamp = herdbook_stamp ^ 1 WHERE number = 1",
        ),
        (
            "ranch",
            2,
            {"stamp", "born"},
            "UPDATE ranch SET herdbook_stamp = herdbook_stamp ^ 1024 WHERE number = 2",
        ),
        (
            "horse",
            2,
            {"origin"},
            "UPDATE horse SET herdbook_origin = herdbook_origin ^ 1 WHERE number = 2",
        ),
        (
            "horse",
            1,
            {"version of name"},
            "UPDATE horse SET herdbook_clock = INSERT(herdbook_clock, "
            f"{FIRST_SLOT + 2} + 26 * (SUBSTRING(herdbook_clock, {FIRST_SLOT}, 2) <> X'8006'), 8, "
            "X'0000000000000001') WHERE number = 1",
        ),
        (
            "horse",
            2,
            {"version of chip", "version of name"},
            f"UPDATE horse SET herdbook_clock = LEFT(herdbook_clock, {FIRST_SLOT - 1}) "
            "WHERE number = 2",
        ),
        (
            "horse",
            2,
            {"born"},
            "UPDATE horse SET herdbook_clock = INSERT(herdbook_clock, 12, 1, "
            "CHAR(ASCII(SUBSTRING(herdbook_clock, 12, 1)) ^ 1)) WHERE number = 2",
        ),
        ("horse", 2, {"row"}, "UPDATE horse SET herdbook_clock = X'00' WHERE number = 2"),
        ("horse", 2, {"row"}, "DELETE FROM horse WHERE number = 2"),
        (
            "horse",
            9,
            {"row"},
            "INSERT INTO horse (number, stable_number, chip, herdbook_life, herdbook_stamp) "
            "VALUES (9, 1, 99, 1, 1)",
        ),
        ("horse", 9, {"row"}, "INSERT INTO horse (number, stable_number, chip) VALUES (9, 1, 99)"),
        ("horse", 3, {"row"}, "DELETE FROM herdbook_dead_horse WHERE number = 3"),
        ("horse", 3, {"name"}, "UPDATE herdbook_dead_horse SET name = 'Z' WHERE number = 3"),
        ("horse", 3, {"life"}, "UPDATE herdbook_dead_horse SET herdbook_life = 4 WHERE number = 3"),
        (
            "horse",
            3,
            {"died"},
            "UPDATE herdbook_dead_horse SET herdbook_died = herdbook_died + 1 WHERE number = 3",
        ),
        (
            "horse",
            3,
            {"writer"},
            "UPDATE herdbook_dead_horse SET herdbook_writer = 'x' WHERE number = 3",
        ),
        ("ranch", 3, {"row"}, "DELETE FROM herdbook_dead_ranch WHERE number = 3"),
        ("stable", 1, {"sign"}, "UPDATE stable SET sign = 'South' WHERE number = 1"),
        ("stable", 2, {"ranch_number"}, "UPDATE stable SET ranch_number = 1 WHERE number = 2"),
        ("ticket", "2024-02-29", {"note"}, "UPDATE ticket SET note = 1"),
    ],
)
def test_whatever_else_a_row_is_made_of_is_found(
    pair: Pair, table: str, key: object, what: set[str], statement: str
) -> None:
    """Lives, stamps, origins, slots of clocks, rows too many or too few, and dead rows."""
    with changed(pair.theirs.url, table, statement):
        assert only(compared(pair, table)) == (key, what)
    with changed(pair.ours.url, table, statement):
        assert only(compared(pair, table)) == (key, what)
    assert compared(pair, table).differences == []


def test_a_row_that_was_born_over_a_dead_one_has_the_next_life(pair: Pair) -> None:
    """Whether its birth is sealed yet or not: the dead row beside it does not count."""
    born_again = (
        "INSERT INTO horse (number, stable_number, chip, herdbook_life, herdbook_stamp, "
        "herdbook_origin) VALUES (3, 1, 99, {0}, 1, 1)"
    )
    settled = (born_again.format(3), "DELETE FROM herdbook_dead_horse WHERE number = 3")
    with (
        changed(pair.ours.url, "horse", born_again.format(1)),
        changed(pair.theirs.url, "horse", *settled),
    ):
        assert compared(pair, "horse").differences == []
    with (
        changed(pair.ours.url, "horse", born_again.format(1)),
        changed(pair.theirs.url, "horse", born_again.format(5), settled[1]),
    ):
        assert only(compared(pair, "horse")) == (3, {"life"})


def test_many_differences_are_found_at_once(pair: Pair) -> None:
    """200 rows too many, among others that differ, each once."""
    many = [
        f"INSERT INTO ranch (number, name, herdbook_life) VALUES ({number}, 'r{number}', 1)"
        for number in range(1000, 1200)
    ]
    with changed(pair.theirs.url, "ranch", *many, "UPDATE ranch SET name = 'X' WHERE number = 1"):
        found = places(compared(pair, "ranch"))
    assert found == {(1, "name"), *((number, "row") for number in range(1000, 1200))}


def test_columns_that_only_one_node_has_can_be_left_out(pair: Pair) -> None:
    """Then what they hold does not count."""
    with changed(pair.theirs.url, "horse", "UPDATE horse SET name = 'other' WHERE number = 1"):
        assert only(compared(pair, "horse")) == (1, {"name"})
        assert restricted(pair, "horse", "name").differences == []


@pytest.mark.parametrize("table", ["plain", "specimen"])
def test_phantom_rows_are_counted_twice_by_the_server(pair: Pair, table: str) -> None:
    """Each in a bucket of its own, as the sums over values have it; the others stay as they are."""
    phantoms = [2**128 - 1, 5]
    for node in pair:
        told = sums(node.url, CATALOGUE, table, 1, phantoms)
        assert told == {
            **sums(node.url, CATALOGUE, table, 1),
            **_summed(phantoms),
        }


def _summed(phantoms: list[int]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for bucket, digest in with_phantoms(phantoms):
        rows, total = found.get(bucket, (0, 0))
        found[bucket] = (rows + 1, (total + digest) % 2**128)
    return found


@dataclass(frozen=True)
class Deaf(DirectNode):
    """A node that does not plant what it is told to."""

    def digests(
        self, table: str, digits: int, columns: Sequence[str], _phantoms: Sequence[int]
    ) -> Digests:
        """Without phantoms."""
        told = self._ask("herd.digests", {"table": table, "digits": digits}, Digests)
        assert columns
        return told


def test_nothing_is_equal_where_a_planted_difference_is_not_found(pair: Pair) -> None:
    """The comparison refuses to say anything."""
    deaf = Pair(*(Deaf(node.url, node.timeout, registry_of(node)) for node in pair))
    with pytest.raises(CommandFailed) as failed:
        compared(deaf, "horse")
    assert failed.value.code == "verify.selftest"


@pytest.mark.parametrize("table", ["horse", "specimen"])
def test_a_row_without_a_digest_is_not_passed_over(
    pair: Pair, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum would leave it out without a trace, as where a row is larger than a packet."""
    monkeypatch.setattr(digest_sql, "_text_of", lambda _column, _alias: "NULL")
    for node in pair:
        with pytest.raises(TableUnverifiable):
            sums(node.url, CATALOGUE, table)


def test_values_that_stand_twice_are_told(pair: Pair) -> None:
    """How many there are, and which; NULL may stand as often as it likes."""
    for node in pair:
        read(node.url, "CREATE TABLE twice (a INT, b VARCHAR(9))")
        read(
            node.url,
            "INSERT INTO twice VALUES (1, 'x'), (1, 'x'), (1, 'y'), (2, 'z'), (2, 'z'), "
            "(2, 'z'), (NULL, 'x'), (NULL, 'x')",
        )
        found = in_transaction(
            node.url, CATALOGUE, lambda tx: list(duplicates(tx, "twice", "key", ["a", "b"]))
        )
        read(node.url, "DROP TABLE twice")
        assert [(one.rule, one.rows, set(map(tuple, one.some))) for one in found] == [
            ("duplicate", 2, {(1, "x"), (2, "z")})
        ]


def test_orphans_are_told_by_their_foreign_key(pair: Pair) -> None:
    """Only on the node that has them."""
    orphan = "UPDATE stable SET ranch_number = 77 WHERE number = 2"
    with changed(pair.theirs.url, "stable", orphan):
        (told,) = pair.theirs.violations("stable").violations
        assert pair.ours.violations("stable").violations == []
    assert (told.rule, told.columns, told.rows, told.some) == ("orphan", ["number"], 1, [[2]])
    assert "ranch" in told.name
