"""range.import: what reaches the store, and what is told of what does not."""

from __future__ import annotations

import pytest

from records.errors import Failure
from service.errors import Conflict, ParametersRefused, ValuesRefused
from service.methods.family_port import Added, NewRange
from service.ranges.notation import read_block
from tests.service.methods.calls import places
from tests.service.methods.test_family import family

POOL = {"node": "barn", "cidr": "10.0.0.0/8", "purpose": "pool", "note": "ours"}
SERVES = {"cidr": "::/0", "purpose": "serves"}


def test_all_ranges_reach_the_store_as_values() -> None:
    """For nodes by their names, or for the one that is asked; a dry run only looks."""
    api, store = family(Added(2, 0))
    assert api.call("range.import", {"ranges": [POOL, SERVES]}) == {"added": 2, "there": 0}
    wanted = [
        NewRange("barn", read_block("10.0.0.0/8"), "pool", "ours"),
        NewRange(None, read_block("::/0"), "serves"),
    ]
    assert store.asked == ("add_all", wanted, True)
    api.call("range.import", {"ranges": [POOL, SERVES], "dry_run": True})
    assert store.asked == ("add_all", wanted, False)
    api.call("range.import", [[{**SERVES, "purpose": "peers"}], True])
    assert store.asked[1] == [NewRange(None, read_block("::/0"), "peers")]


def test_all_that_is_wrong_with_any_is_told_with_its_index() -> None:
    """The store is not asked."""
    api, store = family()
    bad = [
        POOL,
        {"node": 7, "cidr": "10.0.0.1/8", "purpose": "lending", "note": "x" * 401},
        {**SERVES, "purpose": "pool"},
        {"cidr": 8, "site": "x"},
        "10.0.0.0/8",
    ]
    error = api.refused("range.import", {"ranges": bad})
    assert isinstance(error, ValuesRefused)
    assert sorted(places(error)) == [
        (1, "/cidr", "range.host_bits"),
        (1, "/node", "value.wrong_type"),
        (1, "/note", "value.too_long"),
        (1, "/purpose", "value.not_a_choice"),
        (2, "/cidr", "range.everything"),
        (3, "", "params.unknown"),
        (3, "/cidr", "value.wrong_type"),
        (3, "/purpose", "params.missing"),
        (4, "", "value.wrong_type"),
    ]
    assert store.asked == ()


@pytest.mark.parametrize("given", [None, "10.0.0.0/8", [POOL] * 10_001])
def test_what_is_no_list_that_can_be_taken_is_refused(given: object) -> None:
    """Also one that is too long, and together with what is wrong beside it."""
    api, store = family()
    error = api.refused("range.import", {"ranges": given, "dry_run": "no"})
    assert isinstance(error, ParametersRefused)
    assert {failure.pointer for failure in error.failures} == {"/ranges", "/dry_run"}
    assert store.asked == ()


def test_what_the_store_refuses_keeps_its_index() -> None:
    """As the client counts."""
    api, store = family()
    store.error = Conflict([Failure("range.taken", "in the way", "/cidr", 1)])
    assert places(api.refused("range.import", {"ranges": [POOL, SERVES]})) == [
        (1, "/cidr", "range.taken")
    ]
