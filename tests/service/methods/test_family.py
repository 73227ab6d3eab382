"""node.* and range.*: what reaches the store, and what is told of what does not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from netaddr import IPNetwork

from records.catalogue import with_family
from records.errors import Failure
from service.errors import Conflict, NotFound, Refused
from service.methods.api import build_registry
from service.methods.family_port import NewRange
from service.ranges.notation import read_block
from tests.service.methods.calls import Api, Statements
from tests.service.methods.memory import Remembering
from tests.service.methods.samples import CATALOGUE

ID = UUID("018f0000-0000-7000-8000-000000000001")
ROW = {
    "id": ID,
    "node_id": ID,
    "cidr": IPNetwork("10.0.0.0/24"),
    "purpose": "serves",
    "note": None,
    "claim": None,
}


def family(answer: Any = None) -> tuple[Api, Remembering]:
    """An API with the family on a store that remembers."""
    store: Any = Remembering(answer)
    registry = build_registry(with_family(CATALOGUE), store, undo=store, ranges=store)
    return Api(registry, Statements()), store


def test_they_are_read_like_any_record_and_written_in_two_ways_only() -> None:
    """Nothing goes past the question whether a block is in the way."""
    api, _store = family()
    names = [method.name for method in api.registry]
    assert [name for name in names if name.startswith(("node.", "range."))] == [
        "node.count", "node.get", "node.list", "node.update",
        "range.add", "range.allocate", "range.count", "range.disputes", "range.free",
        "range.get", "range.import", "range.list", "range.locate", "range.merge", "range.release",
        "range.split", "range.summary",
    ]  # fmt: skip


def test_without_ranges_there_are_no_methods() -> None:
    """Nor where the catalogue has no such classes."""
    store: Any = Remembering()
    for registry in (
        build_registry(with_family(CATALOGUE), store),
        build_registry(CATALOGUE, store, ranges=store),
    ):
        assert not [each.name for each in registry if each.name.startswith(("node.", "range."))]


def test_a_new_range_reaches_the_store_as_values_and_comes_back_whole() -> None:
    """For a node by its name, or for the one that is asked."""
    api, store = family(ROW)
    asked = {"cidr": "10.0.0.0/24", "purpose": "serves", "node": "barn", "note": "the lab"}
    assert api.call("range.add", asked) == {
        "id": str(ID), "node_id": str(ID), "cidr": "10.0.0.0/24", "purpose": "serves",
        "note": None, "claim": None,
    }  # fmt: skip
    assert store.asked == ("add", NewRange("barn", read_block("10.0.0.0/24"), "serves", "the lab"))
    api.call("range.add", ["2001:db8::/32", "pool"])
    assert store.asked == ("add", NewRange(None, read_block("2001:db8::/32"), "pool"))


def test_all_that_is_wrong_with_the_parameters_is_told() -> None:
    """Host bits, purposes that are none, names that are none; the store is not asked."""
    api, store = family()
    asked = {"cidr": "10.0.0.1/24", "purpose": "lending", "node": 7, "note": 8, "site": "x"}
    error = api.refused("range.add", asked)
    assert {(failure.pointer, failure.code) for failure in error.failures} == {
        ("/cidr", "range.host_bits"),
        ("/purpose", "value.not_a_choice"),
        ("/node", "value.wrong_type"),
        ("/note", "value.wrong_type"),
        ("/site", "params.unknown"),
    }
    missing = api.refused("range.add", {"cidr": None})
    assert {(failure.pointer, failure.code) for failure in missing.failures} == {
        ("/cidr", "params.missing"),
        ("/purpose", "params.missing"),
    }
    assert store.asked == ()


@pytest.mark.parametrize(
    ("error", "at", "given", "place"),
    [
        (Conflict, "/cidr", {"cidr": "10.0.0.0/24", "purpose": "pool"}, "/cidr"),
        (NotFound, "/node", {"cidr": "10.0.0.0/24", "purpose": "pool", "node": "x"}, "/node"),
        (Conflict, "/cidr", ["10.0.0.0/24", "pool"], "/0"),
        (Conflict, "", ["10.0.0.0/24", "pool"], ""),
    ],
)
def test_what_the_store_refuses_points_at_what_was_sent(
    error: type[Refused], at: str, given: Any, place: str
) -> None:
    """By name or by position."""
    api, store = family()
    store.error = error([Failure("range.taken", "in the way", at)])
    refused = api.refused("range.add", given)
    assert type(refused) is error
    assert refused.failures == (Failure("range.taken", "in the way", place),)


def test_ranges_are_released_by_their_ids() -> None:
    """One or many; the count comes back."""
    api, store = family(2)
    assert api.call("range.release", {"records": [str(ID)]}) == {"released": 2}
    assert store.asked[0] == "delete"
    assert store.asked[2] == [(ID,)]
    api.call("range.release", {"id": str(ID)})
    assert store.asked[2] == [(ID,)]


def test_ranges_are_asked_for_by_what_their_node_is_called() -> None:
    """Conditions, order and pages are those of every class."""
    api, store = family([])
    where = ["and", ["node.name", "=", "barn"], ["purpose", "=", "pool"]]
    api.call("range.list", {"where": where, "order": "cidr"})
    _page, record, query = store.asked
    assert record.name == "range"
    (both,) = query.where.conditions
    assert [each.path.name for each in both.conditions] == ["node.name", "purpose"]
