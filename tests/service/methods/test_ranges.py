"""range.locate, disputes, allocate, free and summary: what reaches the store, and what is told."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from records.errors import Failure
from records.stamps import Version
from service.access.door import Visitor
from service.errors import AccessForbidden, Conflict
from service.methods.caller import Caller, calling
from service.methods.family_port import FreeAsked, NewRange, PoolFree, Served, WantedBlock
from service.ranges.arithmetic import Total
from service.ranges.disputes import Dispute
from service.ranges.notation import read_address, read_block
from service.ranges.values import Purpose, Range
from tests.service.access.tokens import door, secret, token
from tests.service.methods.test_family import ID, ROW, family

SERVED = Range(ID, str(ID), read_block("10.0.0.0/8"), Purpose.SERVES, Version(1, 2))
TOLD = {"id": str(ID), "node": "barn", "cidr": "10.0.0.0/8", "purpose": "serves"}


def test_who_serves_an_address_is_told_with_the_range_that_decides() -> None:
    """Nobody is an answer; what is no address is told what was meant."""
    api, store = family(Served(SERVED, "barn"))
    answer = api.call("range.locate", ["10.0.0.7"])
    assert answer == {"address": "10.0.0.7", "node": "barn", "range": TOLD}
    assert store.asked == ("locate", read_address("10.0.0.7"))
    api, _store = family(None)
    answer = api.call("range.locate", {"address": "::1"})
    assert answer == {"address": "::1", "node": None, "range": None}
    for given, code in (("10.1", "range.abbreviated"), (7, "value.wrong_type")):
        (failure,) = api.refused("range.locate", {"address": given}).failures
        assert (failure.pointer, failure.code) == ("/address", code)
    assert api.refused("range.locate", {"address": None}).failures[0].code == "params.missing"


def test_disputes_are_told_with_what_stands_against_them() -> None:
    """The first thousand, and how many there are."""
    named = SERVED._replace(node="barn")
    api, _store = family([Dispute(named, named._replace(node="far"))] * 1_001)
    answer = api.call("range.disputes")
    assert answer["disputes"][0] == {"range": TOLD, "against": {**TOLD, "node": "far"}}
    assert (len(answer["disputes"]), answer["count"]) == (1_000, 1_001)


def test_every_address_there_is_has_to_be_asked_for() -> None:
    """But for those that a node serves."""
    api, store = family(ROW)
    for purpose in ("peers", "pool", "admin"):
        asked = {"cidr": "0.0.0.0/0", "purpose": purpose}
        (failure,) = api.refused("range.add", asked).failures
        assert (failure.pointer, failure.code) == ("/cidr", "range.everything")
        api.call("range.add", {**asked, "everything": True})
        assert store.asked == ("add", NewRange(None, read_block("0.0.0.0/0"), purpose))
    api.call("range.add", {"cidr": "::/0", "purpose": "serves"})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, WantedBlock(28, None, 4, "serves")),
        ({"length": 64}, WantedBlock(64, None, 6, "serves")),
        ({"family": 6, "note": "lab"}, WantedBlock(28, None, 6, "serves", "lab")),
        ({"from": "10.0.0.0/8"}, WantedBlock(28, read_block("10.0.0.0/8"), 4, "serves")),
        ({"from": str(ID)}, WantedBlock(28, ID, 4, "serves")),
    ],
)
def test_a_block_that_is_wanted_reaches_the_store(given: Any, wanted: WantedBlock) -> None:
    """Of the family that its length or a parameter says; the whole range comes back."""
    api, store = family(ROW)
    asked = {"length": 28, "purpose": "serves", **given}
    assert api.call("range.allocate", asked)["cidr"] == "10.0.0.0/24"
    assert store.asked == ("allocate", wanted)


@pytest.mark.parametrize("purpose", ["peers", "pool", "admin"])
def test_a_block_from_which_a_node_is_reached_is_taken_by_operators_only(purpose: str) -> None:
    """As with `range.add`; who writes may take what serves, and who needs no token may all."""
    known = door(token(1, "write"), token(2, "admin"), required=False)
    for number, may in ((1, {"serves"}), (2, {"serves", purpose}), (None, {"serves", purpose})):
        visitor = known.visitor("192.0.2.7", "api:192.0.2.7")
        if number is not None:
            visitor.show(secret(number))
        taken = {each for each in ("serves", purpose) if _allocates(visitor, each)}
        assert taken == may


def _allocates(visitor: Visitor, purpose: str) -> bool:
    """Whether the store is asked."""
    api, store = family(ROW)
    with calling(Caller("api:192.0.2.7", visitor=visitor)), contextlib.suppress(AccessForbidden):
        api.call("range.allocate", {"length": 28, "purpose": purpose})
    return store.asked != ()


def test_all_that_is_wrong_with_a_wanted_block_is_told() -> None:
    """The store is not asked."""
    api, store = family()
    asked = {"length": 129, "purpose": "x", "from": "10.0.0.1/8", "family": 5, "note": 8}
    assert {
        (each.pointer, each.code) for each in api.refused("range.allocate", asked).failures
    } == {
        ("/length", "range.length"),
        ("/purpose", "value.not_a_choice"),
        ("/from", "range.host_bits"),
        ("/family", "range.family"),
        ("/note", "value.wrong_type"),
    }
    missing = api.refused("range.allocate", {"length": True, "purpose": None}).failures
    assert {(each.pointer, each.code) for each in missing} == {
        ("/length", "range.length"),
        ("/purpose", "params.missing"),
    }
    assert store.asked == ()


def test_the_largest_free_block_comes_with_the_refusal() -> None:
    """Also where parameters were sent by position."""
    api, store = family()
    store.error = Conflict([Failure("range.exhausted", "nothing is free", "/length")])
    store.error.details["largest"] = "10.0.0.0/30"
    refused = api.refused("range.allocate", [28, "serves"])
    assert refused.failures[0].pointer == "/0"
    assert refused.details == {"largest": "10.0.0.0/30"}


def test_free_blocks_are_asked_of_a_pool_or_of_a_node() -> None:
    """Of one or the other; numbers that JSON has not are texts."""
    pool = SERVED._replace(node="barn", purpose=Purpose.POOL)
    api, store = family([PoolFree(pool, True, (read_block("10.1.0.0/16"),), 7, 2**70)])
    assert api.call("range.free", {"pool": "10.0.0.0/8", "limit": 1}) == {
        "pools": [
            {
                "pool": {**TOLD, "purpose": "pool"},
                "disputed": True,
                "free": ["10.1.0.0/16"],
                "blocks": 7,
                "addresses": str(2**70),
            }
        ]
    }
    assert store.asked == ("free", FreeAsked(None, read_block("10.0.0.0/8"), 1))
    api.call("range.free", {"node": "barn"})
    assert store.asked == ("free", FreeAsked("barn", None, 50))
    api.call("range.free", [str(ID)])
    assert store.asked == ("free", FreeAsked(None, ID, 50))
    refused = api.refused("range.free", {"pool": "10.0.0.1/8", "node": "barn", "limit": 0})
    assert {(each.pointer, each.code) for each in refused.failures} == {
        ("/pool", "range.host_bits"),
        ("/node", "params.conflicting"),
        ("/limit", "limit.invalid"),
    }


def test_totals_are_told_by_purpose_and_family() -> None:
    """Of all nodes or of one."""
    api, store = family([Total(Purpose.POOL, 6, 2, 1, 2**96)])
    assert api.call("range.summary") == {
        "totals": [
            {"purpose": "pool", "family": 6, "ranges": 2, "blocks": 1, "addresses": str(2**96)}
        ]
    }
    assert store.asked[1:] == (None,)
    api.call("range.summary", ["barn"])
    assert tuple(store.asked) == ("summary", "barn")
    (failure,) = api.refused("range.summary", {"node": 7}).failures
    assert (failure.pointer, failure.code) == ("/node", "value.wrong_type")
