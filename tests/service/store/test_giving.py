"""Blocks given out of pools, on real servers."""

from __future__ import annotations

from collections.abc import Sequence
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
from service.store.ranges.giving import MOST_WRONG, GiveBlocks
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
    ) -> GiveBlocks:
        """A block that is wanted to be served."""
        return self.operations([(length, source, family)])

    def operations(self, asked: Sequence[tuple[int, str | UUID | None, int]]) -> GiveBlocks:
        """Blocks that are wanted by several at once."""
        wanted = [
            WantedBlock(
                length, read_block(pool) if isinstance(pool, str) else pool, family, "serves"
            )
            for length, pool, family in asked
        ]
        return GiveBlocks(RANGE, wanted, self.spaces)

    def give(self, length: int, source: str | UUID | None = None, family: int = 4) -> str:
        """The block that is given out."""
        operation = self.operation(length, source, family)
        (row,) = in_transaction(self.url, CATALOGUE, operation.attempt)
        if row is None:
            raise operation.refused[0]
        return str(row["cidr"])

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


def test_what_no_memory_knows_is_not_walked_over_block_by_block(
    giver: Giver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool is read anew before long, and what was wrongly offered out of it is free or not."""
    corrected: list[Block] = []
    correct = Spaces.correct

    def spy(self: Spaces, block: Block, found: Any) -> None:
        corrected.append(block)
        correct(self, block, found)

    monkeypatch.setattr(Spaces, "correct", spy)
    giver.add("10.0.0.0/16")
    assert giver.give(28) == "10.0.0.0/28"
    for at in range(1, 101):
        giver.by_sql(f"10.0.{at >> 4}.{(at & 15) << 4}/28", "serves", "far")
    assert giver.give(28) == "10.0.6.80/28"
    assert len(corrected) <= MOST_WRONG + 1
    assert [giver.give(28), giver.give(26)] == ["10.0.6.96/28", "10.0.6.128/26"]


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
        (row,) = worker.try_out(operation.attempt)
    assert row is not None
    assert str(row["cidr"]) == "10.0.0.0/31"
    operation.give_back()
    assert giver.give(31) == "10.0.0.0/31"


def given(operation: GiveBlocks, url: str) -> list[str]:
    """What each gets of those that ask at once: a block, or the code of its refusal; "" if none."""
    rows = in_transaction(url, CATALOGUE, operation.attempt)
    refused = {at: told(each)[1] for at, each in operation.refused.items()}
    return [refused.get(at, "") if row is None else str(row["cidr"]) for at, row in enumerate(rows)]


def test_those_who_ask_at_once_get_what_they_would_one_after_the_other(giver: Giver) -> None:
    """Of several pools and lengths, past what only the table knows; each refusal is its own."""
    giver.add("10.0.0.0/28")
    inner = giver.add("10.0.0.0/29")
    giver.add("10.9.0.0/24", "pool", "far")
    giver.by_sql("10.0.0.9/32", "serves", "far")
    asked: list[tuple[int, str | UUID | None, int]] = [
        (30, None, 4), (30, "10.9.0.0/24", 4), (30, inner, 4), (30, uuid4(), 4),
        (28, None, 4), (32, None, 4), (31, "10.0.0.0/28", 4), (30, None, 4), (64, None, 6),
        (30, None, 4),
    ]  # fmt: skip
    one_by_one = Giver(giver.url)
    before = read(giver.url, "SELECT COUNT(*) FROM herdbook_herd_range")
    found = given(giver.operations(asked), giver.url)
    assert read(giver.url, "SELECT COUNT(*) FROM herdbook_herd_range") != before
    read(giver.url, "DELETE FROM herdbook_herd_range WHERE node_id <> REPEAT('x', 16) "
         "AND purpose = 'serves'")  # fmt: skip
    assert found == [
        each for one in asked for each in given(one_by_one.operations([one]), giver.url)
    ]
    assert len({each for each in found if "/" in each}) == len([e for e in found if "/" in e]) > 3


def test_of_an_exhausted_pool_everybody_is_told_and_it_is_read_once(
    giver: Giver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask; and what was released unheard is given to the first of them."""
    giver.add("10.0.0.0/30")
    assert given(giver.operations([(31, None, 4)] * 3), giver.url) == [
        "10.0.0.0/31", "10.0.0.2/31", "range.exhausted",
    ]  # fmt: skip
    read(giver.url, "DELETE FROM herdbook_herd_range WHERE purpose = 'serves' LIMIT 1")
    reads: list[Block] = []
    whole = Spaces.read

    def spy(self: Spaces, pool: Block, *others: Any) -> Any:
        reads.append(pool)
        return whole(self, pool, *others)

    monkeypatch.setattr(Spaces, "read", spy)
    found = given(giver.operations([(31, None, 4)] * 20), giver.url)
    assert sorted(found)[1:] == ["range.exhausted"] * 19
    assert reads == [read_block("10.0.0.0/30")]


def test_a_pool_that_is_read_anew_has_not_what_others_are_getting(giver: Giver) -> None:
    """They are not written yet."""
    giver.add("10.0.0.0/24")
    giver.give(32)
    for at in (*range(1, 40), 128):
        giver.by_sql(f"10.0.0.{at}/32", "serves", "far")
    found = given(giver.operations([(26, None, 4)] * 2 + [(32, None, 4)] * 30), giver.url)
    assert found[:2] == ["10.0.0.64/26", "10.0.0.192/26"]
    hosts = [int(each.removeprefix("10.0.0.").removesuffix("/32")) for each in found[2:]]
    assert len(set(hosts)) == 30
    assert set(hosts) <= {*range(40, 64), *range(129, 192)}


def test_who_does_not_wait_any_more_gets_nothing(giver: Giver) -> None:
    """The others do."""
    giver.add("10.0.0.0/24")
    some = giver.operations([(28, None, 4)] * 3)
    some = GiveBlocks(RANGE, some.wanted, some.spaces, lambda number: number != 1)
    assert given(some, giver.url) == ["10.0.0.0/28", "", "10.0.0.16/28"]


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


def test_a_pool_within_another_is_not_given_out_of_it(giver: Giver) -> None:
    """Not whole either, though the node took it for free before it was a pool of its own."""
    giver.add("10.0.0.0/16")
    assert giver.give(24) == "10.0.0.0/24"
    giver.add("10.0.1.0/24")
    assert giver.give(24) == "10.0.2.0/24"
    assert giver.give(25, "10.0.1.0/24") == "10.0.1.0/25"


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
            (row,) = giver.operation(28).attempt(tx)
            assert row is not None
            sides.append(Side(lambda: other.give(28)))
            until_a_lock_is_waited_for(giver.url)
            return str(row["cidr"])

        assert worker.run(first) == "10.0.0.16/28"
        (side,) = sides
        assert side.join() == "10.0.0.32/28"
