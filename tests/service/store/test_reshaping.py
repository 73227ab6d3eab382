"""Ranges that are split and merged, on real servers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.errors import Conflict
from service.methods.family_port import NewRange, WantedBlock, WantedMerge, WantedSplit
from service.ranges.blocks import Block
from service.ranges.notation import read_block
from service.store.operations import Unfit
from service.store.own_node import keep
from service.store.ranges.adding import AddRange
from service.store.ranges.giving import GiveBlocks
from service.store.ranges.reshaping import Reshape, merge_plan, split_plan
from service.store.ranges.rows import all_ranges, named_ranges
from service.store.ranges.spaces import Spaces
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read

CATALOGUE = with_family(RANCH)
RANGE = CATALOGUE.records["range"]

Named = str | UUID


@pytest.fixture
def url(database: str) -> str:
    """A database with the family's tables; its node is barn, and there is far."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    in_transaction(database, CATALOGUE, partial(keep, name="barn"))
    read(database, "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('x', 16), 'far')")
    return database


def added(
    url: str, block: str, purpose: str = "pool", node: str = "barn", note: str | None = None
) -> UUID:
    """Add a range; its id."""
    operation = AddRange(RANGE, NewRange(node, read_block(block), purpose, note))
    identity: UUID = in_transaction(url, CATALOGUE, operation.attempt)["id"]
    return identity


def claimed(url: str, block: str, purpose: str, node: str) -> UUID:
    """A range that was added on the other side of a cut; its id."""
    identity = uuid4()
    raw = RANGE.fields["cidr"].kind.to_database(read_block(block).network)
    insert = (
        "INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) "
        "SELECT %s, id, %s, %s FROM herdbook_herd_node WHERE name = %s"
    )
    read(url, insert, (identity.bytes, raw, purpose, node))
    return identity


def source(named: Named) -> Block | UUID:
    """A range by its block or its id."""
    return read_block(named) if isinstance(named, str) else named


def splitting(named: Named, length: int, given: Mapping[str, str] | None = None) -> Reshape:
    """A range to split."""
    parts = {read_block(block): name for block, name in (given or {}).items()}
    return Reshape(RANGE, split_plan(WantedSplit(source(named), length, parts)))


def merging(*named: Named, note: str | None = None) -> Reshape:
    """Ranges to merge."""
    return Reshape(RANGE, merge_plan(WantedMerge([source(each) for each in named], note)))


def done(url: str, operation: Reshape) -> list[str]:
    """The blocks that are written, in order."""
    rows = in_transaction(url, CATALOGUE, operation.attempt)
    return [str(row["cidr"]) for row in rows]


def refused(url: str, operation: Reshape) -> list[tuple[str, str]]:
    """Where and why it is refused; nothing is written."""
    before = everything(url)
    with pytest.raises(Unfit):
        in_transaction(url, CATALOGUE, operation.attempt)
    found = in_transaction(url, CATALOGUE, operation.failures)
    assert everything(url) == before
    return [(failure.pointer, failure.code) for failure in found]


def everything(url: str) -> list[tuple[str, str, str | None, Any]]:
    """All ranges: what they are, their notes, and their claims."""
    notes = dict(read(url, "SELECT id, note FROM herdbook_herd_range"))
    ranges = in_transaction(url, CATALOGUE, lambda tx: named_ranges(tx, "1 = 1", ()))
    return sorted(
        (str(each.block), f"{each.purpose} {each.node}", notes[each.id.bytes], each.claim)
        for each in ranges
    )


def test_parts_take_the_place_of_a_range_with_its_claim(url: str) -> None:
    """Its purpose and note as well; also what reads all ranges knows the claim."""
    added(url, "10.0.0.0/16", "serves", note="the lab")
    added(url, "2001:db8::/32", "admin", "far")
    ((_, _, _, claim), other) = everything(url)
    assert done(url, splitting("10.0.0.0/16", 18)) == [
        "10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18", "10.0.192.0/18",
    ]  # fmt: skip
    found = everything(url)
    assert found[4] == other
    assert {each[1:] for each in found[:4]} == {("serves barn", "the lab", claim)}
    plain = in_transaction(url, CATALOGUE, all_ranges)
    assert sorted(each.claim for each in plain) == sorted(each[3] for each in found)
    done(url, splitting("10.0.64.0/18", 19))
    assert {each[3] for each in everything(url)[:5]} == {claim}


def test_a_part_of_a_pool_that_is_given_away_is_given_out_by_the_other(url: str) -> None:
    """What was given out before stays given out; this node gives out of the rest."""
    spaces = Spaces()
    added(url, "10.0.0.0/29")
    taken = [give(url, spaces, 31) for _ in range(3)]
    assert taken == ["10.0.0.0/31", "10.0.0.2/31", "10.0.0.4/31"]
    done(url, splitting("10.0.0.0/29", 30, {"10.0.0.4/30": "far"}))
    pools = [each[:2] for each in everything(url) if each[1].startswith("pool")]
    assert pools == [("10.0.0.0/30", "pool barn"), ("10.0.0.4/30", "pool far")]
    read(url, "DELETE FROM herdbook_herd_range WHERE purpose = 'serves' ORDER BY cidr LIMIT 1")
    assert give(url, spaces, 31) == "10.0.0.0/31"
    with pytest.raises(Conflict) as full:
        give(url, spaces, 32)
    assert full.value.message.startswith("no /32 is free in the pool 10.0.0.0/30;")


def give(url: str, spaces: Spaces, length: int) -> str:
    """The next free block."""
    operation = GiveBlocks(RANGE, [WantedBlock(length, None, 4, "serves")], spaces)
    (row,) = in_transaction(url, CATALOGUE, operation.attempt)
    if row is None:
        raise operation.refused[0]
    return str(row["cidr"])


def test_what_cannot_be_split_is_told_with_the_reason(url: str) -> None:
    """At the parameter that is wrong."""
    pool = added(url, "10.0.0.0/16")
    added(url, "10.0.0.0/16", "serves")
    theirs = added(url, "10.9.0.0/16", "pool", "far")
    added(url, "10.0.128.0/20")
    taken = [("/give", "range.taken")]
    assert refused(url, splitting("10.0.0.0/16", 17)) == [("/range", "range.ambiguous")]
    assert refused(url, splitting("10.0.0.0/17", 18)) == [("/range", "record.not_found")]
    assert refused(url, splitting(uuid4(), 18)) == [("/range", "record.not_found")]
    assert refused(url, splitting(theirs, 17)) == [("/range", "range.foreign_pool")]
    assert refused(url, splitting(pool, 16)) == [("/length", "range.split")]
    assert refused(url, splitting(pool, 29)) == [("/length", "range.too_many")]
    assert refused(url, splitting(pool, 17, {"10.0.0.0/18": "far"})) == [("/give", "range.no_part")]
    assert refused(url, splitting(pool, 17, {"10.0.0.0/17": "nobody"})) == [
        ("/give", "record.not_found")
    ]
    assert refused(url, splitting(pool, 17, {"10.0.128.0/17": "far"})) == taken
    assert refused(url, splitting(pool, 20)) == taken


def test_what_is_merged_takes_the_place_of_its_parts(url: str) -> None:
    """With the latest claim, and the notes of all or another."""
    added(url, "2001:db8::/33", note="old")
    added(url, "2001:db8:8000::/34", note="new")
    added(url, "2001:db8:c000::/34", note="old")
    latest = max(each[3] for each in everything(url))
    blocks = ["2001:db8::/33", "2001:db8:8000::/34", "2001:db8:c000::/34"]
    assert refused(url, merging(blocks[0], blocks[1])) == [("/ranges", "range.merge_gap")]
    assert done(url, merging(*blocks)) == ["2001:db8::/32"]
    assert everything(url) == [("2001:db8::/32", "pool barn", "old; new", latest)]
    done(url, splitting("2001:db8::/32", 33))
    done(url, merging("2001:db8::/33", "2001:db8:8000::/33", note="one"))
    assert everything(url) == [("2001:db8::/32", "pool barn", "one", latest)]


def test_what_cannot_be_merged_is_told_with_the_reason(url: str) -> None:
    """Nodes, purposes, one alone, others' pools, what is there, and notes that are too long."""
    half = added(url, "10.0.0.0/17", "serves", note="x" * 300)
    added(url, "10.0.128.0/17", "serves", note="y" * 300)
    added(url, "10.1.0.0/17", "pool", "far")
    added(url, "10.1.128.0/17", "pool", "far")
    added(url, "10.1.0.0/16", "admin")
    assert refused(url, merging()) == [("/ranges", "range.merge_empty")]
    assert refused(url, merging(half)) == [("/ranges", "range.merge_empty")]
    assert refused(url, merging(half, half)) == [("/ranges", "range.merge_empty")]
    assert refused(url, merging(half, "10.1.0.0/16")) == [("/ranges", "range.merge_mixed")]
    assert refused(url, merging("10.1.0.0/17", "10.1.128.0/17")) == [
        ("/ranges", "range.foreign_pool")
    ]
    assert refused(url, merging(half, "10.0.128.0/17")) == [("/note", "value.too_long")]
    added(url, "10.0.0.0/16", "serves", "far")
    assert refused(url, merging(half, "10.0.128.0/17", note="z")) == [("/ranges", "range.taken")]


def test_disputes_come_before_merging_and_before_splitting_what_is_served(url: str) -> None:
    """A disputed pool is split all the same, to release what is disputed."""
    halves = ("10.0.0.0/17", "10.0.128.0/17")
    added(url, halves[0])
    claimed(url, "10.0.0.0/18", "pool", "far")
    added(url, halves[1])
    assert refused(url, merging(*halves)) == [("/ranges", "range.disputed")]
    added(url, "10.1.0.0/16", "serves", "far")
    late = claimed(url, "10.1.0.0/16", "serves", "barn")
    assert refused(url, splitting(late, 17)) == [("/range", "range.disputed")]
    added(url, "10.2.0.0/16", "serves")
    added(url, "10.2.0.0/17", "serves", "far")
    taken = [("/give", "range.taken"), ("/give", "range.taken")]
    assert refused(url, splitting("10.2.0.0/16", 18)) == taken
    added(url, "10.2.0.0/18", "serves")
    nested = merging("10.2.0.0/16", "10.2.0.0/18")
    assert refused(url, nested) == [("/ranges", "range.taken")]
    claimed(url, "10.0.0.0/16", "pool", "far")
    assert done(url, splitting(halves[1], 18)) == ["10.0.128.0/18", "10.0.192.0/18"]
