"""Ranges out of the tables: what is read to find the few that are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.methods.family_port import NewRange
from service.ranges.blocks import Block
from service.ranges.notation import read_block
from service.store.own_node import keep
from service.store.ranges.adding import AddRange
from service.store.ranges.counting import is_disputed
from service.store.ranges.rows import POOLS_OF_NODE, holders, named_ranges, pools_within
from service.store.transaction import Transaction
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import ask, in_transaction, raw_connection, read

CATALOGUE = with_family(RANCH)
RANGE = CATALOGUE.records["range"]
GIVEN = 3_000
FEW = 1_500
"""Rows that are read at most, with those of the question how many; more were given out."""

Question = Callable[[Transaction, bytes], object]
POOLS = {"IPv4": (read_block("10.0.0.0/8"), 28), "IPv6": (read_block("2001:db8::/32"), 64)}


@pytest.fixture
def url(database: str) -> str:
    """A database whose one node has a pool of each family, and gave much out of it."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    in_transaction(database, CATALOGUE, partial(keep, name="barn"))
    ((node,),) = read(database, "SELECT id FROM herdbook_herd_node")
    to_database = RANGE.fields["cidr"].kind.to_database
    for pool, length in POOLS.values():
        in_transaction(database, CATALOGUE, AddRange(RANGE, NewRange(None, pool, "pool")).attempt)
        size = 1 << ((32 if pool.family == 4 else 128) - length)
        blocks = [Block(pool.family, pool.first + at * size, length) for at in range(GIVEN)]
        marks = ", ".join(["(%s, %s, %s, 'serves')"] * GIVEN)
        values = [v for each in blocks for v in (uuid4().bytes, node, to_database(each.network))]
        with raw_connection(database) as connection:
            ask(
                connection,
                f"INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) VALUES {marks}",
                values,
            )
    return database


def rows_read(url: str, question: Question) -> int:
    """How many rows the server reads for a question, through indexes or without."""

    def counted(tx: Transaction) -> int:
        ((node,),) = tx.rows("SELECT `id` FROM `herdbook_herd_node`")
        before = _handled(tx)
        question(tx, node)
        return _handled(tx) - before

    return in_transaction(url, CATALOGUE, counted)


def _handled(tx: Transaction) -> int:
    found: list[Any] = tx.rows("SHOW SESSION STATUS LIKE 'Handler_read%'")
    return sum(int(number) for _name, number in found)


@pytest.mark.parametrize("family", POOLS)
def test_what_meets_a_pool_is_found_without_reading_what_was_given_out_of_it(
    url: str, family: str
) -> None:
    """However much that is, and though all of it is one node's."""
    pool, length = POOLS[family]
    given = Block(pool.family, pool.first, length)
    questions: dict[str, Question] = {
        "holders of a pool": lambda tx, _node: holders(tx, pool),
        "holders of a block": lambda tx, _node: holders(tx, given),
        "pools within": lambda tx, _node: pools_within(tx, pool),
        "pools of the node": lambda tx, node: named_ranges(tx, POOLS_OF_NODE, (node,)),
        "disputes": lambda tx, _node: is_disputed(tx, holders(tx, pool)[0]),
    }
    found = {name: rows_read(url, question) for name, question in questions.items()}
    assert {name: rows for name, rows in found.items() if rows > FEW} == {}
