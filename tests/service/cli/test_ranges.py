"""`herdbook range` about all ranges together: what is asked, what is shown, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.service.cli.conftest import Ran, TinyServer, answer_with
from tests.service.cli.test_family import BLOCK, RANGE, answers, asked

Herdbook = Callable[..., Ran]

POOL = {"id": BLOCK, "node": "barn", "cidr": "10.0.0.0/24", "purpose": "pool"}


def test_a_block_is_given_out(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """What was given is told, with the id; what is not said is not sent."""
    answers(tiny_server, range_allocate=RANGE)
    place = ("--url", tiny_server.url)
    ran = herdbook("range", "allocate", "24", "--purpose", "serves", *place)
    assert ran.out == f"10.0.0.0/24 is serves now; its id is {BLOCK}\n"
    more = ("--from", "10.0.0.0/8", "--family", "6", "--note", "lab", "--json")
    ran = herdbook("range", "allocate", "64", "--purpose", "pool", *more, *place)
    assert ran.document() == RANGE
    assert asked(tiny_server, "range.allocate") == [
        {"length": 24, "purpose": "serves"},
        {"length": 64, "purpose": "pool", "from": "10.0.0.0/8", "family": 6, "note": "lab"},
    ]
    assert herdbook("range", "allocate", "129", "--purpose", "pool", *place).code == 2


def test_who_serves_an_address_is_told(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """Where nobody does the command ends with 1."""
    found: dict[str, Any] = {"address": "10.0.0.7", "node": "barn", "range": POOL}
    answers(tiny_server, range_locate=found)
    ran = herdbook("range", "locate", "10.0.0.7", "--url", tiny_server.url)
    assert (ran.code, ran.out) == (0, "barn serves 10.0.0.7, by 10.0.0.0/24\n")
    answers(tiny_server, range_locate={**found, "node": None, "range": None})
    ran = herdbook("range", "locate", "10.0.0.7", "--url", tiny_server.url)
    assert (ran.code, ran.out) == (1, "no node serves 10.0.0.7\n")
    ran = herdbook("range", "locate", "10.0.0.7", "--url", tiny_server.url, "--json")
    assert (ran.code, ran.document()["node"]) == (1, None)


@pytest.mark.parametrize(
    ("disputed", "shown"), [(False, "10.0.0.16/28 …"), (True, "disputed, gives nothing out")]
)
def test_what_is_free_is_a_line_a_pool(
    herdbook: Herdbook, tiny_server: TinyServer, disputed: bool, shown: str
) -> None:
    """With the first blocks, and a sign that there are more."""
    pool = {"pool": POOL, "disputed": disputed, "free": ["10.0.0.16/28"], "blocks": 4}
    answers(tiny_server, range_free={"pools": [{**pool, "addresses": "240"}]})
    ran = herdbook("range", "free", "--pool", "10.0.0.0/24", "--url", tiny_server.url)
    line = ran.out.splitlines()[1]
    assert line.split() == ["10.0.0.0/24", "barn", "240", "4", *shown.split()]
    assert asked(tiny_server, "range.free") == [{"pool": "10.0.0.0/24", "limit": 10}]
    answers(tiny_server, range_free={"pools": []})
    assert herdbook("range", "free", "--url", tiny_server.url).out == "no pools\n"


def test_totals_are_shown_of_what_there_is(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """Purposes without ranges are left out; programs get them all the same."""
    total = {"purpose": "pool", "family": 4, "ranges": 2, "blocks": 1, "addresses": "512"}
    nothing = {"purpose": "pool", "family": 6, "ranges": 0, "blocks": 0, "addresses": "0"}
    answers(tiny_server, range_summary={"totals": [total, nothing]})
    ran = herdbook("range", "summary", "--node", "barn", "--url", tiny_server.url)
    assert [line.split() for line in ran.out.splitlines()[1:]] == [
        ["pool", "IPv4", "2", "1", "512"]
    ]
    assert asked(tiny_server, "range.summary") == [{"node": "barn"}]
    ran = herdbook("range", "summary", "--url", tiny_server.url, "--json")
    assert ran.document() == {"totals": [total, nothing]}


def test_disputes_are_a_line_each_and_end_with_3(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """Where there are more than are told, so it is said."""
    dispute = {"range": POOL, "against": {**POOL, "node": "far", "cidr": "10.0.0.0/8"}}
    answers(tiny_server, range_disputes={"disputes": [dispute], "count": 7})
    ran = herdbook("range", "disputes", "--url", tiny_server.url)
    line = ran.out.splitlines()[1]
    assert line.split() == ["10.0.0.0/24", "pool", "barn", BLOCK, "10.0.0.0/8", "far"]
    assert (ran.code, ran.err) == (3, "these are the first of 7 disputes\n")
    answers(tiny_server, range_disputes={"disputes": [], "count": 0})
    ran = herdbook("range", "disputes", "--url", tiny_server.url)
    assert (ran.code, ran.out) == (0, "no disputes\n")


def test_a_range_is_split_and_parts_of_it_given(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """Each part is a line with its node."""
    answers(
        tiny_server,
        range_split={"parts": [RANGE]},
        node_get=[{"id": RANGE["node_id"], "name": "barn"}],
    )
    place = ("--url", tiny_server.url)
    ran = herdbook("range", "split", "10.0.0.0/23", "24", *place)
    assert ran.out.splitlines()[1].split() == ["10.0.0.0/24", "serves", "barn", BLOCK]
    given = ("--give", "10.0.0.0/24=barn", "--give", "10.0.1.0/24=far")
    ran = herdbook("range", "split", BLOCK, "24", *given, "--json", *place)
    assert ran.document() == {"parts": [RANGE]}
    assert asked(tiny_server, "range.split") == [
        {"range": "10.0.0.0/23", "length": 24},
        {"range": BLOCK, "length": 24, "give": {"10.0.0.0/24": "barn", "10.0.1.0/24": "far"}},
    ]
    for wrong in ("10.0.0.0/24", "=barn", "10.0.0.0/24="):
        ran = herdbook("range", "split", BLOCK, "24", "--give", wrong, *place)
        assert (ran.code, "write BLOCK=NODE" in ran.err) == (2, True)
    twice = ("--give", "10.0.0.0/24=barn", "--give", "10.0.0.0/24=far")
    ran = herdbook("range", "split", BLOCK, "24", *twice, *place)
    assert (ran.code, "--give 10.0.0.0/24 stands there twice" in ran.err) == (2, True)


def test_ranges_are_merged(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """What came of it is told."""
    answers(tiny_server, range_merge=RANGE)
    command = ("range", "merge", "10.0.0.0/25", "10.0.0.128/25", "--url", tiny_server.url)
    ran = herdbook(*command)
    assert ran.out == f"10.0.0.0/24 is one range now, of 2 ranges; its id is {BLOCK}\n"
    assert herdbook(*command, "--note", "lab", "--json").document() == RANGE
    both = {"ranges": ["10.0.0.0/25", "10.0.0.128/25"]}
    assert asked(tiny_server, "range.merge") == [both, {**both, "note": "lab"}]


def test_what_is_refused_is_told_by_the_names_of_the_command(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """And not by those of the method."""
    place = ("--url", tiny_server.url)
    for command, pointer, shown in (
        (("free", "--pool", "10/8"), "/pool", "--pool: no"),
        (("locate", "10"), "/address", "ADDRESS: no"),
        (("split", "10/8", "9"), "/range", "RANGE: no"),
        (("merge", "10/8"), "/ranges/0", "RANGE: no"),
    ):
        failures = [{"pointer": pointer, "code": "range.abbreviated", "message": "no"}]
        error = {"code": -32602, "message": "Invalid params", "data": {"errors": failures}}
        tiny_server.respond = answer_with(error=error)
        assert shown in herdbook("range", *command, *place).err
