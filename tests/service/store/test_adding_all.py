"""Many ranges that are added in one call, on real servers."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.methods.family_port import Added, NewRange
from service.ranges.notation import read_block
from service.store.operations import Unfit
from service.store.own_node import keep
from service.store.ranges.adding_all import AddRanges
from tests.live.units import Side, until_a_lock_is_waited_for
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read, working

CATALOGUE = with_family(RANCH)
RANGE = CATALOGUE.records["range"]

SERVES_FAR = ("10.1.0.0/16", "serves", "far")
POOL_OF_FAR = ("10.2.0.0/16", "pool", "far")


@pytest.fixture
def url(database: str) -> str:
    """A database with the family's tables; its node is barn, and there is far."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    in_transaction(database, CATALOGUE, partial(keep, name="barn"))
    read(database, "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('x', 16), 'far')")
    return database


def adding(*wanted: tuple[str, ...]) -> AddRanges:
    """Ranges to add: block, purpose, perhaps node and note."""
    return AddRanges(
        RANGE,
        [
            NewRange(more[0] if more else None, read_block(block), purpose, *more[1:])
            for block, purpose, *more in wanted
        ],
    )


def added(url: str, *wanted: tuple[str, ...]) -> Added:
    """Add them."""
    return in_transaction(url, CATALOGUE, adding(*wanted).attempt)


def refused(url: str, *wanted: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Index, place and code of each failure; nothing is written."""
    operation, before = adding(*wanted), count(url)
    with pytest.raises(Unfit):
        in_transaction(url, CATALOGUE, operation.attempt)
    found = in_transaction(url, CATALOGUE, operation.failures)
    assert count(url) == before
    return [(each.index, each.pointer, each.code) for each in found]


def count(url: str) -> int:
    """How many ranges there are."""
    ((number,),) = read(url, "SELECT COUNT(*) FROM herdbook_herd_range")
    return int(number)


def test_all_are_written_and_those_that_are_there_passed_over(url: str) -> None:
    """More than go into one statement; the second time nothing is written."""
    many = [(f"10.{n >> 8}.{n & 255}.0/24", "serves") for n in range(1_200)]
    assert added(url, SERVES_FAR, ("2001:db8::/32", "pool", "barn", "ours"), *many) == (1_202, 0)
    assert added(url, *many, ("10.255.0.0/16", "serves"), SERVES_FAR) == (1, 1_201)
    rows = read(
        url,
        "SELECT n.name, r.purpose, r.note FROM herdbook_herd_range r JOIN herdbook_herd_node n "
        "ON n.id = r.node_id WHERE r.note IS NOT NULL OR n.name = 'far' ORDER BY n.name",
    )
    assert rows == [("barn", "pool", "ours"), ("far", "serves", None)]


def test_everything_that_is_in_the_way_of_any_is_told_and_none_is_written(url: str) -> None:
    """Nodes that are not there as well."""
    added(url, SERVES_FAR, POOL_OF_FAR, ("2001:db8:1::/48", "pool", "far"))
    assert refused(
        url,
        ("10.9.0.0/16", "serves"),
        ("10.1.0.0/16", "serves"),
        ("10.2.3.0/24", "serves"),
        ("10.0.0.0/8", "pool"),
        ("2001:db8::/32", "pool", "nowhere"),
        ("10.9.0.0/16", "serves"),
    ) == [
        (4, "/node", "record.not_found"),
        (1, "/cidr", "range.taken"),
        (2, "/cidr", "range.foreign_pool"),
        (3, "/cidr", "range.taken"),
        (4, "/cidr", "range.taken"),
        (5, "/cidr", "range.twice"),
    ]


def test_those_that_come_together_may_lie_in_each_others_pools(url: str) -> None:
    """Once they are there, others may not."""
    assert added(url, POOL_OF_FAR, ("10.2.3.0/24", "serves")) == (2, 0)
    assert [each[2] for each in refused(url, ("10.2.4.0/24", "serves"))] == ["range.foreign_pool"]


def test_a_look_writes_nothing_and_counts(url: str) -> None:
    """What would be written and what is there."""
    added(url, SERVES_FAR)
    look = in_transaction(url, CATALOGUE, adding(SERVES_FAR, POOL_OF_FAR).look)
    assert (look.added, look.failures, count(url)) == ((1, 1), [], 1)


def test_without_a_record_of_its_own_a_node_takes_ranges_of_others_only(url: str) -> None:
    """It says which one is meant for nobody."""
    read(url, "UPDATE herdbook_node SET record = NULL")
    assert refused(url, SERVES_FAR, ("10.9.0.0/16", "serves")) == [(1, "/node", "record.not_found")]
    assert added(url, SERVES_FAR) == (1, 0)


def test_of_two_files_at_once_the_second_finds_what_the_first_has_written(url: str) -> None:
    """It waits for the first one's commit."""
    with working(url, CATALOGUE) as worker:
        others: list[Side] = []

        def first(tx: Any) -> None:
            adding(SERVES_FAR, POOL_OF_FAR).attempt(tx)
            others.append(Side(lambda: added(url, SERVES_FAR, ("10.9.0.0/16", "serves"))))
            until_a_lock_is_waited_for(url)

        worker.run(first)
        (other,) = others
        assert other.join() == (1, 1)
