"""Ranges that are added, and the record that a node keeps of itself, on real servers."""

from __future__ import annotations

from typing import Any

import pytest

from records.catalogue import with_family
from records.errors import Failure
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.methods.family_port import NewRange
from service.ranges.notation import read_block
from service.store.operations import Unfit
from service.store.own_node import arrive, joined, keep
from service.store.ranges.adding import AddRange
from tests.live.units import Side, until_a_lock_is_waited_for
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read, working

CATALOGUE = with_family(RANCH)
RANGE = CATALOGUE.records["range"]
ORIGIN = 7

Known = list[tuple[Any, ...]]


@pytest.fixture
def url(database: str) -> str:
    """A database with the family's tables, captured; its node has the origin 7 and no record."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    read(database, f"UPDATE herdbook_node SET origin = {ORIGIN}")
    return database


def kept(url: str, name: str = "barn") -> tuple[int, int | str | None]:
    """The node keeps its record."""
    return in_transaction(url, CATALOGUE, lambda tx: keep(tx, name))


def nodes(url: str) -> Known:
    """Names and origins of all nodes."""
    return read(url, "SELECT name, origin FROM herdbook_herd_node ORDER BY name")


def added(url: str, block: str, purpose: str = "serves", node: str | None = None) -> Any:
    """The row of a range that is added."""
    wanted = NewRange(node, read_block(block), purpose)
    return in_transaction(url, CATALOGUE, AddRange(RANGE, wanted).attempt)


def refused(url: str, block: str, purpose: str = "serves", node: str | None = None) -> Known:
    """Where and why a range is refused; nothing is written."""
    operation = AddRange(RANGE, NewRange(node, read_block(block), purpose))
    before = read(url, "SELECT COUNT(*) FROM herdbook_herd_range")
    with pytest.raises(Unfit):
        in_transaction(url, CATALOGUE, operation.attempt)
    found: list[Failure] = in_transaction(url, CATALOGUE, operation.failures)
    assert read(url, "SELECT COUNT(*) FROM herdbook_herd_range") == before
    return [(failure.pointer, failure.code, failure.message) for failure in found]


def test_a_node_makes_its_record_once(url: str) -> None:
    """The second time nothing differs, and nothing is noted."""
    assert kept(url) == (ORIGIN, None)
    noted = read(url, "SELECT COUNT(*) FROM herdbook_inbox")
    assert kept(url) == (ORIGIN, None)
    assert nodes(url) == [("barn", ORIGIN)]
    assert read(url, "SELECT COUNT(*) FROM herdbook_inbox") == noted == [(1,)]


def test_the_first_record_says_joining_and_a_certificate_goes_into_it(url: str) -> None:
    """The state is that of a record that is made, and stays as somebody else has set it."""
    shown = "SELECT state, fingerprint FROM herdbook_herd_node"

    def look(fingerprint: str | None, state: str) -> Known:
        in_transaction(url, CATALOGUE, lambda tx: keep(tx, "barn", fingerprint, state))
        return read(url, shown)

    in_transaction(url, CATALOGUE, arrive)
    assert look("AA:BB", "joining") == [("joining", "AA:BB")]
    in_transaction(url, CATALOGUE, arrive)
    assert look("AA:BB", "joining") == [("active", "AA:BB")]
    read(url, "UPDATE herdbook_herd_node SET state = 'draining'")
    in_transaction(url, CATALOGUE, arrive)
    assert look("CC:DD", "joining") == [("draining", "CC:DD")]
    assert look(None, "joining") == [("draining", None)]


def test_a_node_has_joined_when_its_record_no_longer_says_that_it_is_joining(url: str) -> None:
    """Whatever it says then; a record without an origin is no sibling's."""
    assert in_transaction(url, CATALOGUE, joined) == frozenset()
    in_transaction(url, CATALOGUE, lambda tx: keep(tx, "barn", None, "joining"))
    assert in_transaction(url, CATALOGUE, joined) == frozenset()
    for state in ("active", "draining"):
        read(url, f"UPDATE herdbook_herd_node SET state = '{state}'")
        assert in_transaction(url, CATALOGUE, joined) == {ORIGIN}
    read(url, "UPDATE herdbook_herd_node SET origin = NULL")
    assert in_transaction(url, CATALOGUE, joined) == frozenset()


def test_a_new_name_and_a_new_origin_go_into_the_same_record(url: str) -> None:
    """So its ranges stay its own."""
    kept(url)
    row = added(url, "10.0.0.0/16")
    assert kept(url, "stall") == (ORIGIN, None)
    read(url, "UPDATE herdbook_node SET origin = 8")
    assert kept(url, "stall") == (8, None)
    assert nodes(url) == [("stall", 8)]
    assert added(url, "10.1.0.0/16")["node_id"] == row["node_id"]


def test_a_copy_of_a_node_makes_a_record_of_its_own(url: str) -> None:
    """It has another origin and another name than the record that it remembers."""
    kept(url)
    read(url, "UPDATE herdbook_node SET origin = 8")
    assert kept(url, "copy") == (8, None)
    assert nodes(url) == [("barn", 7), ("copy", 8)]


def test_a_name_that_another_node_has_is_told_and_not_taken(url: str) -> None:
    """With that one's origin; a record that somebody has prepared without one is taken over."""
    insert = "INSERT INTO herdbook_herd_node (id, name, origin) VALUES (REPEAT('{0}', 16), {1})"
    read(url, insert.format("x", "'barn', 5"))
    assert kept(url) == (ORIGIN, 5)
    assert nodes(url) == [("barn", 5)]
    read(url, insert.format("y", "'stall', NULL"))
    assert kept(url, "stall") == (ORIGIN, None)
    assert nodes(url) == [("barn", 5), ("stall", ORIGIN)]
    assert kept(url, "barn") == (ORIGIN, 5)


def test_a_deleted_record_is_made_anew(url: str) -> None:
    """As another one: its ranges are gone."""
    kept(url)
    added(url, "10.0.0.0/16")
    read(url, "DELETE FROM herdbook_herd_node")
    kept(url)
    assert nodes(url) == [("barn", ORIGIN)]
    assert read(url, "SELECT COUNT(*) FROM herdbook_herd_range") == [(0,)]


def test_what_excludes_the_new_range_is_named(url: str) -> None:
    """The same once more, the very block that another node serves, and what lies in its pool."""
    kept(url)
    read(url, "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('x', 16), 'far')")
    added(url, "10.1.0.0/16")
    added(url, "10.2.0.0/16", node="far")
    added(url, "10.3.0.0/16", "pool", "far")
    there = "10.1.0.0/16 cannot be given to barn as serves: there is 10.1.0.0/16, served by barn"
    there += "; it is so already"
    assert refused(url, "10.1.0.0/16") == [("/cidr", "range.taken", there)]
    there = "10.2.0.0/16 cannot be given to barn as serves: there is 10.2.0.0/16, served by far"
    there += "; blocks within it may be served, such as 10.2.0.0/17"
    assert refused(url, "10.2.0.0/16") == [("/cidr", "range.taken", there)]
    there = "10.3.7.0/24 lies in 10.3.0.0/16, pool of far: let far give it out, or split the pool"
    assert refused(url, "10.3.7.0/24") == [("/cidr", "range.foreign_pool", there)]
    for block in ("10.1.255.0/24", "10.0.0.0/8", "10.2.0.0/17", "0.0.0.0/0", "::/0"):
        added(url, block)


def test_pools_of_two_nodes_may_not_meet_and_those_of_one_may(url: str) -> None:
    """Above, below and the same; beside it, and around it in IPv6, there is room."""
    kept(url)
    read(url, "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('x', 16), 'far')")
    added(url, "10.1.0.0/16", "pool", "far")
    for block in ("10.1.0.0/16", "10.1.255.0/24", "10.1.0.0/32", "10.0.0.0/15", "0.0.0.0/0"):
        there = f"{block} cannot be given to barn as pool: there is 10.1.0.0/16, pool of far; "
        [(place, code, said)] = refused(url, block, "pool")
        assert (place, code, said[: len(there)]) == ("/cidr", "range.taken", there)
    for block in ("10.0.0.0/16", "10.2.0.0/16", "::/0"):
        added(url, block, "pool")
    added(url, "10.1.2.0/24", "pool", "far")
    added(url, "10.1.0.0/16", "peers")


def test_everything_that_is_wrong_is_told_at_once(url: str) -> None:
    """A node that is not there, and the pool in the way."""
    assert [each[:2] for each in refused(url, "10.1.0.0/16")] == [("/node", "record.not_found")]
    kept(url)
    added(url, "10.1.0.0/16", "pool")
    told = refused(url, "10.1.2.0/24", "pool", "nowhere")
    assert [each[:2] for each in told] == [
        ("/node", "record.not_found"), ("/cidr", "range.taken"),
    ]  # fmt: skip
    assert told[0][2] == "there is no node 'nowhere'; known are barn"


def test_of_two_that_want_one_block_at_once_the_second_finds_the_first(url: str) -> None:
    """It waits for the first one's commit, and looks then."""
    kept(url)
    operation = AddRange(RANGE, NewRange(None, read_block("10.0.0.0/8"), "pool"))
    with working(url, CATALOGUE) as worker:
        others: list[Side] = []

        def first(tx: Any) -> None:
            operation.attempt(tx)
            others.append(Side(lambda: refused_by(url, operation)))
            until_a_lock_is_waited_for(url)

        worker.run(first)
        (other,) = others
        assert other.join() is Unfit
    assert read(url, "SELECT COUNT(*) FROM herdbook_herd_range") == [(1,)]


def refused_by(url: str, operation: AddRange) -> type[BaseException] | None:
    """What an attempt raises."""
    try:
        in_transaction(url, CATALOGUE, operation.attempt)
    except Unfit:
        return Unfit
    return None
