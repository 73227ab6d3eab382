"""Blocks given out of pools, on real servers."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.errors import Conflict, NotFound, Refused
from service.methods.family_port import FreeAsked, NewRange, WantedBlock
from service.ranges.blocks import Block
from service.ranges.notation import read_block
from service.store.own_node import keep
from service.store.ranges.adding import AddRange
from service.store.ranges.counting import free_in
from service.store.ranges.giving import GiveBlock
from service.store.ranges.spaces import Spaces
from tests.live.units import Side, until_a_lock_is_waited_for
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read, working

CATALOGUE = with_family(RANCH)
RANGE = CATALOGUE.records["range"]


class Giver:
    """A node and what it knows to be free."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spaces = Spaces()

    def operation(
        self, length: int, source: str | UUID | None = None, family: int = 4
    ) -> GiveBlock:
        """A block that is wanted to be served."""
        pool: Block | UUID | None = read_block(source) if isinstance(source, str) else source
        return GiveBlock(RANGE, WantedBlock(length, pool, family, "serves"), self.spaces)

    def give(self, length: int, source: str | UUID | None = None, family: int = 4) -> str:
        """The block that is given out."""
        operation = self.operation(length, source, family)
        return str(in_transaction(self.url, CATALOGUE, operation.attempt)["cidr"])

    def refusal(self, *asked: Any) -> Refused:
        """Why none is given out; nothing is written."""
        before = read(self.url, "SELECT COUNT(*) FROM herdbook_herd_range")
        with pytest.raises(Refused) as refused:
            self.give(*asked)
        assert read(self.url, "SELECT COUNT(*) FROM herdbook_herd_range") == before
        return refused.value

    def add(self, block: str, purpose: str = "pool", node: str | None = None) -> Any:
        """Add a range; its id."""
        operation = AddRange(RANGE, NewRange(node, read_block(block), purpose))
        return in_transaction(self.url, CATALOGUE, operation.attempt)["id"]

    def by_sql(self, block: str, purpose: str, node: str) -> None:
        """A range that nobody was asked about."""
        raw = RANGE.fields["cidr"].kind.to_database(read_block(block).network)
        insert = (
            "INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) "
            "SELECT %s, id, %s, %s FROM herdbook_herd_node WHERE name = %s"
        )
        read(self.url, insert, (uuid4().bytes, raw, purpose, node))


@pytest.fixture
def giver(database: str) -> Giver:
    """A database with the family's tables; its node is barn, and there is another."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    in_transaction(database, CATALOGUE, partial(keep, name="barn"))
    read(database, "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('x', 16), 'far')")
    return Giver(database)


def told(refused: Refused) -> tuple[str, str]:
    """Where the only failure is, and its code."""
    (failure,) = refused.failures
    return failure.pointer, failure.code


def test_the_best_fit_is_given_out_to_the_last_block(giver: Giver) -> None:
    """Then it is told what is free, and what is released is found."""
    giver.add("10.0.0.0/28")
    assert [giver.give(30), giver.give(29), giver.give(31)] == [
        "10.0.0.0/30", "10.0.0.8/29", "10.0.0.4/31",
    ]  # fmt: skip
    refused = giver.refusal(30)
    assert isinstance(refused, Conflict)
    assert told(refused) == ("/length", "range.exhausted")
    assert refused.details == {"largest": "10.0.0.6/31"}
    read(giver.url, "DELETE FROM herdbook_herd_range WHERE purpose = 'serves'")
    giver.spaces.released(read_block("10.0.0.8/29"))
    assert giver.give(30) == "10.0.0.8/30"


def test_what_the_node_has_not_heard_of_is_not_given_out_again(giver: Giver) -> None:
    """Ranges of anybody, smaller and larger than the block, that came by SQL."""
    giver.add("10.0.0.0/24")
    assert giver.give(28) == "10.0.0.0/28"
    giver.by_sql("10.0.0.16/30", "admin", "far")
    giver.by_sql("10.0.0.32/27", "serves", "barn")
    giver.by_sql("10.0.0.0/24", "serves", "barn")
    assert giver.give(28) == "10.0.0.64/28"
    assert giver.give(30) == "10.0.0.20/30"


def test_what_was_released_unheard_is_found_before_it_is_told_that_nothing_is_free(
    giver: Giver,
) -> None:
    """By reading the pool anew."""
    giver.add("10.0.0.0/30")
    assert [giver.give(31), giver.give(31)] == ["10.0.0.0/31", "10.0.0.2/31"]
    read(giver.url, "DELETE FROM herdbook_herd_range WHERE purpose = 'serves' LIMIT 1")
    assert giver.give(32) in ("10.0.0.0/32", "10.0.0.2/32")
    assert told(giver.refusal(31)) == ("/length", "range.exhausted")


def test_a_block_that_was_not_written_is_given_out_later(giver: Giver) -> None:
    """Where the transaction is undone, and where it is run again."""
    giver.add("10.0.0.0/30")
    operation = giver.operation(31)
    with working(giver.url, CATALOGUE) as worker:
        worker.try_out(operation.attempt)
        row = worker.try_out(operation.attempt)
    assert str(row["cidr"]) == "10.0.0.0/31"
    operation.give_back()
    assert giver.give(31) == "10.0.0.0/31"


def test_of_several_pools_the_best_fit_of_all_is_given(giver: Giver) -> None:
    """Or of the one that is named, by its block or its id; a pool in a pool is space given out."""
    giver.add("10.0.0.0/24")
    small = giver.add("10.1.0.0/28")
    giver.add("10.0.0.0/25")
    giver.add("2001:db8::/32")
    assert giver.give(29) == "10.1.0.0/29"
    assert giver.give(29, "10.0.0.0/24") == "10.0.0.128/29"
    assert giver.give(29, "10.0.0.0/25") == "10.0.0.0/29"
    assert giver.give(29, small) == "10.1.0.8/29"
    assert giver.give(64, None, 6) == "2001:db8::/64"
    assert giver.give(64, "2001:db8::/32") == "2001:db8:0:1::/64"


def test_each_refusal_says_why(giver: Giver) -> None:
    """Where the pool is another's, whose it is."""
    assert told(giver.refusal(28)) == ("/from", "range.no_pool")
    theirs = giver.add("10.9.0.0/24", "pool", "far")
    giver.add("10.0.0.0/24")
    for source in ("10.9.0.0/24", theirs):
        refused = giver.refusal(28, source)
        assert told(refused) == ("/from", "range.foreign_pool")
        assert "ask far" in refused.failures[0].message
    assert told(giver.refusal(28, "10.7.0.0/24")) == ("/from", "range.no_pool")
    assert told(giver.refusal(24)) == ("/length", "range.larger")
    assert told(giver.refusal(40, "10.0.0.0/24")) == ("/length", "range.length")
    missing = giver.refusal(28, uuid4())
    assert isinstance(missing, NotFound)
    assert told(missing) == ("/from", "record.not_found")


def test_a_disputed_pool_gives_nothing_out_and_the_earlier_one_does(giver: Giver) -> None:
    """Whether the other holds it or lies within it; and again once that one is gone."""
    giver.by_sql("10.0.0.0/24", "pool", "far")
    giver.by_sql("10.0.0.0/16", "pool", "barn")
    giver.by_sql("10.1.0.0/24", "pool", "barn")
    giver.by_sql("10.1.0.0/16", "pool", "far")
    assert told(giver.refusal(28, "10.0.0.0/16")) == ("/from", "range.disputed")
    assert giver.give(28) == "10.1.0.0/28"
    read(giver.url, "DELETE FROM herdbook_herd_node WHERE name = 'far'")
    assert giver.give(28, "10.0.0.0/16") == "10.0.0.0/28"


def test_what_is_free_of_pools_is_counted(giver: Giver) -> None:
    """Of one, of a node's, of the asked node's; the first blocks are told."""
    pool = giver.add("10.0.0.0/24")
    giver.add("10.9.0.0/24", "pool", "far")
    giver.give(28)
    giver.by_sql("10.9.0.0/28", "pool", "barn")

    def free(node: str | None = None, source: Any = None, most: int = 9) -> Any:
        asked = FreeAsked(node, source, most)
        found = in_transaction(giver.url, CATALOGUE, lambda tx: free_in(tx, asked))
        return [
            (str(each.pool.block), each.disputed, " ".join(map(str, each.free)), *each[3:])
            for each in found
        ]

    own = ("10.0.0.0/24", False, "10.0.0.16/28 10.0.0.32/27 10.0.0.64/26 10.0.0.128/25", 4, 240)
    disputed = ("10.9.0.0/28", True, "10.9.0.0/29", 2, 16)
    assert free() == [own, (*disputed[:2], "10.9.0.0/29 10.9.0.8/29", 2, 16)]
    assert free(source=read_block("10.0.0.0/24")) == free(source=pool) == [own]
    assert free(source=read_block("10.9.0.0/28"), most=1) == [disputed]
    assert free("far", most=1) == [("10.9.0.0/24", False, "10.9.0.16/28", 4, 240)]
    for asked, code in (({"node": "nobody"}, "/node"), ({"source": uuid4()}, "/pool")):
        with pytest.raises(Refused) as refused:
            free(**asked)
        assert refused.value.failures[0].pointer == code


def test_a_node_without_a_record_gives_nothing_out(giver: Giver) -> None:
    """It has no pools."""
    read(giver.url, "UPDATE herdbook_node SET record = NULL")
    assert isinstance(giver.refusal(28), NotFound)


def test_of_two_at_once_the_second_waits_and_gets_another(giver: Giver) -> None:
    """Also where it knows nothing of the first one's memory."""
    giver.add("10.0.0.0/24")
    other = Giver(giver.url)
    assert other.give(28) == "10.0.0.0/28"
    with working(giver.url, CATALOGUE) as worker:
        sides: list[Side] = []

        def first(tx: Any) -> str:
            row = giver.operation(28).attempt(tx)
            sides.append(Side(lambda: other.give(28)))
            until_a_lock_is_waited_for(giver.url)
            return str(row["cidr"])

        assert worker.run(first) == "10.0.0.16/28"
        (side,) = sides
        assert side.join() == "10.0.0.32/28"
