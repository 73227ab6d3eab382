"""range.split and range.merge: what reaches the store, and what is told of what does not."""

from __future__ import annotations

import pytest

from records.errors import Failure
from service.errors import Conflict
from service.methods.family_port import WantedMerge, WantedSplit
from service.ranges.notation import read_block
from tests.service.methods.test_family import ID, ROW, family

WHOLE = read_block("10.0.0.0/23")
TOLD = {
    "id": str(ID), "node_id": str(ID), "cidr": "10.0.0.0/24", "purpose": "serves", "note": None,
    "claim": "AAAAAAAAAAEAAAAC",
}  # fmt: skip


def test_a_split_reaches_the_store_and_the_parts_come_back() -> None:
    """By block or by id, with parts for other nodes or without."""
    claimed = {**ROW, "claim": bytes(7) + b"\1" + bytes(3) + b"\2"}
    api, store = family([claimed])
    given = {"10.0.1.0/24": "far"}
    asked = {"range": "10.0.0.0/23", "length": 24, "give": given}
    assert api.call("range.split", asked) == {"parts": [TOLD]}
    assert store.asked == ("split", WantedSplit(WHOLE, 24, {read_block("10.0.1.0/24"): "far"}))
    api.call("range.split", [str(ID), 24])
    assert store.asked == ("split", WantedSplit(ID, 24, {}))


def test_a_merge_reaches_the_store_and_the_whole_comes_back() -> None:
    """Blocks and ids may be mixed."""
    api, store = family({**ROW, "claim": None})
    asked = {"ranges": ["10.0.0.0/23", str(ID)], "note": "lab"}
    assert api.call("range.merge", asked) == {**TOLD, "claim": None}
    assert store.asked == ("merge", WantedMerge([WHOLE, ID], "lab"))


def test_all_that_is_wrong_is_told() -> None:
    """The store is not asked."""
    api, store = family()
    asked = {"range": 7, "length": 0.5, "give": {"10.0.0.1/8": "far", "10.0.0.0/8": 8}}
    error = api.refused("range.split", asked)
    assert {(each.pointer, each.code) for each in error.failures} == {
        ("/range", "value.wrong_type"),
        ("/length", "range.length"),
        ("/give/10.0.0.1~18", "range.host_bits"),
        ("/give/10.0.0.0~18", "value.wrong_type"),
    }
    error = api.refused("range.split", {"range": None, "length": 24, "give": ["far"]})
    assert {(each.pointer, each.code) for each in error.failures} == {
        ("/range", "params.missing"),
        ("/give", "value.wrong_type"),
    }
    error = api.refused("range.merge", {"ranges": ["10/8", 7, str(ID)], "note": 7})
    assert {(each.pointer, each.code) for each in error.failures} == {
        ("/ranges/0", "range.abbreviated"),
        ("/ranges/1", "value.wrong_type"),
        ("/note", "value.wrong_type"),
    }
    assert store.asked == ()


def test_parts_are_given_once_each_and_not_more_than_there_can_be() -> None:
    """Two notations of one block are one part; of too many none is read."""
    api, store = family()
    twice = {"2001:db8::/33": "far", "2001:DB8::/33": "barn"}
    (failure,) = api.refused("range.split", ["2001:db8::/32", 33, twice]).failures
    assert (failure.pointer, failure.code) == ("/2/2001:DB8::~133", "range.twice")
    many = {f"no block {number}": "far" for number in range(4_097)}
    (failure,) = api.refused("range.split", ["2001:db8::/32", 33, many]).failures
    assert (failure.pointer, failure.code) == ("/2", "range.too_many")
    assert store.asked == ()


@pytest.mark.parametrize("given", [None, "10.0.0.0/8", ["10.0.0.0/8"] * 4_097])
def test_what_is_no_list_of_ranges_is_refused(given: object) -> None:
    """Also one that is too long."""
    api, store = family()
    (failure,) = api.refused("range.merge", {"ranges": given}).failures
    assert (failure.pointer, failure.code) == ("/ranges", "value.wrong_type")
    assert store.asked == ()


def test_what_the_store_refuses_points_at_what_was_sent() -> None:
    """Also where parameters were sent by position."""
    api, store = family()
    store.error = Conflict([Failure("range.split", "no", "/length")])
    assert api.refused("range.split", ["10.0.0.0/8", 8]).failures[0].pointer == "/1"
    store.error = Conflict([Failure("range.merge_gap", "no", "/ranges")])
    asked = {"ranges": ["10.0.0.0/9", "10.192.0.0/10"]}
    assert api.refused("range.merge", asked).failures[0].pointer == "/ranges"


def test_an_empty_list_is_for_the_store_to_refuse() -> None:
    """It says what is wrong with it, as of one range alone."""
    api, store = family({**ROW, "claim": None})
    api.call("range.merge", {"ranges": []})
    assert store.asked == ("merge", WantedMerge([], None))
