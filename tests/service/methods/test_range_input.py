"""Bad input to the methods about ranges: what is told, on real servers, of both families."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.methods.api import build_registry
from service.store.own_node import keep
from service.store.ranges.stored import StoredRanges
from service.store.records import StoredRecords
from service.store.settings import SessionSettings
from tests.service.methods.calls import Api, NoDelay, SameThread, Statements
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read, working

CATALOGUE = with_family(RANCH)


class Ranges:
    """The API on a database whose node is barn, and where there is far."""

    def __init__(self, api: Api, url: str) -> None:
        self._api, self._url = api, url

    def add(self, cidr: str, purpose: str = "pool", node: str = "barn") -> Any:
        """Add a range."""
        return self._api.call("range.add", {"cidr": cidr, "purpose": purpose, "node": node})

    def give(self, length: int, source: str | None = None, family: int | None = None) -> Any:
        """The block that is given out."""
        return self._api.call("range.allocate", _wanted(length, source, family))["cidr"]

    def not_added(self, cidr: str, purpose: str = "pool", node: str = "barn") -> tuple[str, str]:
        """Why a range is refused: a code and a sentence; nothing is written."""
        return self._refused("range.add", {"cidr": cidr, "purpose": purpose, "node": node})

    def not_given(
        self, length: int, source: str | None = None, family: int | None = None
    ) -> tuple[str, str]:
        """Why no block is given out."""
        return self._refused("range.allocate", _wanted(length, source, family))

    def _refused(self, method: str, asked: Any) -> tuple[str, str]:
        before = read(self._url, "SELECT COUNT(*) FROM herdbook_herd_range")
        (failure,) = self._api.refused(method, asked).failures
        assert read(self._url, "SELECT COUNT(*) FROM herdbook_herd_range") == before
        return failure.code, failure.message


def _wanted(length: int, source: str | None, family: int | None) -> dict[str, object]:
    asked = {"length": length, "purpose": "serves", "from": source, "family": family}
    return {name: value for name, value in asked.items() if value is not None}


@pytest.fixture
def ranges(database: str) -> Iterator[Ranges]:
    """The API on a fresh database."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    in_transaction(database, CATALOGUE, partial(keep, name="barn"))
    read(database, "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('x', 16), 'far')")
    with ExitStack() as stack:
        settings = SessionSettings(autocommit=True)
        reading: Any = SameThread(stack.enter_context(working(database, CATALOGUE, settings)))
        writing: Any = SameThread(stack.enter_context(working(database, CATALOGUE)))
        nobody: Any = None
        stored = StoredRanges(CATALOGUE, reading, writing, nobody, NoDelay())
        registry = build_registry(
            CATALOGUE, StoredRecords(CATALOGUE, reading, writing), ranges=stored
        )
        yield Ranges(Api(registry, Statements()), database)


FAMILIES = [
    ("10.0.0.0/16", "10.0.0.0/8", "10.0.7.0/24"),
    ("2001:db8:7::/48", "2001:db8::/32", "2001:db8:7:1::/64"),
]


@pytest.mark.parametrize(("pool", "outer", "inner"), FAMILIES)
def test_pools_that_meet_one_of_another_node_are_told_which(
    ranges: Ranges, pool: str, outer: str, inner: str
) -> None:
    """The same, around it, and within it; and what would go instead, which then goes."""
    ranges.add(pool, "pool", "far")
    rest = {"10.0.0.0/8": "10.128.0.0/9", "2001:db8::/32": "2001:db8:8000::/33"}[outer]
    instead = {
        pool: "name another block, or release that one first",
        outer: f"the largest block in it that no other node has as a pool is {rest}",
        inner: "far can give it away by splitting that pool",
    }
    for block, hint in instead.items():
        said = f"{block} cannot be given to barn as pool: there is {pool}, pool of far; {hint}"
        assert ranges.not_added(block) == ("range.taken", said)
    ranges.add(rest)


@pytest.mark.parametrize(("block", "outer", "inner"), FAMILIES)
def test_blocks_that_are_served_may_nest_and_not_be_the_same(
    ranges: Ranges, block: str, outer: str, inner: str
) -> None:
    """Of another node or of this one; what is there is told."""
    ranges.add(block, "serves", "far")
    network, _, length = block.partition("/")
    half = f"{network}/{int(length) + 1}"
    said = (
        f"{block} cannot be given to barn as serves: there is {block}, served by far; blocks "
        f"within it may be served, such as {half}"
    )
    assert ranges.not_added(block, "serves") == ("range.taken", said)
    ranges.add(half, "serves")
    for nested in (outer, inner):
        ranges.add(nested, "serves")
        said = f"{nested} cannot be given to barn as serves: there is {nested}, served by barn"
        said += "; it is so already"
        assert ranges.not_added(nested, "serves") == ("range.taken", said)


@pytest.mark.parametrize(("pool", "outer", "inner"), FAMILIES)
def test_what_lies_in_another_nodes_pool_is_that_nodes_to_give(
    ranges: Ranges, pool: str, outer: str, inner: str
) -> None:
    """Neither added nor given out here; what holds it may be served."""
    ranges.add(pool, "pool", "far")
    said = f"{inner} lies in {pool}, pool of far: let far give it out, or split the pool"
    assert ranges.not_added(inner, "serves") == ("range.foreign_pool", said)
    length = int(pool.partition("/")[2]) + 1
    said = f"{pool}, pool of far; barn gives nothing out of it: ask far, or split it"
    assert ranges.not_given(length, pool) == ("range.foreign_pool", said)
    ranges.add(outer, "serves")


@pytest.mark.parametrize(
    ("pool", "given", "rest", "longest"),
    [
        ("10.0.0.0/29", ["10.0.0.0/30", "10.0.0.4/31"], "10.0.0.6/31", 32),
        ("2001:db8::/61", ["2001:db8::/62", "2001:db8:0:4::/63"], "2001:db8:0:6::/63", 128),
    ],
)
def test_a_pool_that_has_nothing_large_enough_tells_what_it_has(
    ranges: Ranges, pool: str, given: list[str], rest: str, longest: int
) -> None:
    """The largest block that is free, until there is none."""
    ranges.add(pool)
    half = int(pool.partition("/")[2]) + 1
    assert [ranges.give(half, pool), ranges.give(half + 1, pool)] == given
    hint = f"/{half + 1} is the largest that is, at {rest}; ask for that or longer"
    assert ranges.not_given(half, pool) == (
        "range.exhausted", f"no /{half} is free in the pool {pool}; {hint}"
    )  # fmt: skip
    assert ranges.give(half + 1, pool) == rest
    none = "nothing is free there; release ranges, or give the node another pool"
    assert ranges.not_given(longest, pool) == (
        "range.exhausted", f"no /{longest} is free in the pool {pool}; {none}"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pool", "too_long", "bits"), [("10.0.0.0/24", 33, 32), ("2001:db8::/48", 129, 128)]
)
def test_blocks_that_no_pool_has_are_told_the_nearest_that_one_has(
    ranges: Ranges, pool: str, too_long: int, bits: int
) -> None:
    """As large as the pool, larger, and longer than there are bits."""
    ranges.add(pool)
    length = int(pool.partition("/")[2])
    never = f"the pool {pool}, which is never given out whole; ask for /{length + 1} or longer"
    assert ranges.not_given(length, pool) == (
        "range.larger", f"a /{length} is as large as {never}"
    )  # fmt: skip
    assert ranges.not_given(8, pool) == ("range.larger", f"a /8 is larger than {never}")
    code, said = ranges.not_given(too_long, pool)
    assert code == "range.length"
    assert f"from 1 to {bits}" in said or f"or {bits}" in said


@pytest.mark.parametrize(("family", "pool"), [(4, "10.0.0.0/24"), (6, "2001:db8::/48")])
def test_without_a_pool_of_the_family_it_is_told_so(ranges: Ranges, family: int, pool: str) -> None:
    """By the node's name, or by the pool that was named."""
    ranges.add("2001:db8::/48" if family == 4 else "10.0.0.0/24")
    said = f"barn has no IPv{family} pool; give it one"
    assert ranges.not_given(30, None, family) == ("range.no_pool", said)
    said = f"there is no IPv{family} pool {pool}"
    assert ranges.not_given(30 if family == 4 else 64, pool) == ("range.no_pool", said)
