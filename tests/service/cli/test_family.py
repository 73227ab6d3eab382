"""`herdbook node` and `herdbook range`: what is asked of a node, and what is shown of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.service.cli.conftest import Ran, TinyServer, answer_with

Herdbook = Callable[..., Ran]

BARN, STALL, BLOCK = (f"018f0000-0000-7000-8000-00000000000{number}" for number in range(3))
NODE = {
    "id": BARN,
    "name": "barn",
    "origin": 7,
    "site": None,
    "urls": ["http://barn:8650/", "http://barn:8652/"],
    "fingerprint": None,
    "weight": 1,
    "state": "active",
}
RANGE = {
    "id": BLOCK,
    "node_id": BARN,
    "cidr": "10.0.0.0/24",
    "purpose": "serves",
    "note": "the lab",
}


def answers(tiny_server: TinyServer, **by_method: Any) -> None:
    """Let each method be answered by its own result."""

    def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        result = by_method[request["method"].replace(".", "_")]
        answer_with(result=result)(request, handler)

    tiny_server.respond = respond


def asked(tiny_server: TinyServer, method: str) -> list[Any]:
    """The parameters of all calls of a method."""
    return [each["params"] for each in tiny_server.requests if each["method"] == method]


def test_nodes_are_a_line_each(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """What is not known is empty; programs get the page as it came."""
    page = {"records": [NODE], "next": "abc"}
    answers(tiny_server, node_list=page)
    ran = herdbook("node", "list", "--url", tiny_server.url, "--state", "active")
    assert (ran.code, ran.err) == (0, "more: --next abc\n")
    _columns, line = ran.out.splitlines()
    assert line.split() == [
        "barn", "7", "active", "1", "http://barn:8650/", "http://barn:8652/", BARN,
    ]  # fmt: skip
    assert asked(tiny_server, "node.list") == [
        {"where": ["state", "=", "active"], "order": "name", "limit": 50}
    ]
    assert herdbook("node", "list", "--url", tiny_server.url, "--json").document() == page


def test_what_is_said_of_a_node_is_sent_by_its_name(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """Nothing else is; an empty site is none; where there is no such node nothing is changed."""
    answers(tiny_server, node_list={"records": [{"id": BARN}]}, node_update=NODE)
    command = ("node", "update", "barn", "--url", tiny_server.url)
    ran = herdbook(*command, "--site", "", "--at", "a:b", "--at", "c:d", "--weight", "0")
    assert (ran.code, ran.out) == (0, "barn: site, urls, weight changed\n")
    assert herdbook(*command, "--state", "draining", "--json").document() == NODE
    asked_for = {"where": ["name", "=", "barn"], "fields": ["id"]}
    assert asked(tiny_server, "node.list") == [asked_for] * 2
    assert asked(tiny_server, "node.update") == [
        {"record": {"id": BARN, "site": None, "urls": ["a:b", "c:d"], "weight": 0}},
        {"record": {"id": BARN, "state": "draining"}},
    ]
    assert herdbook(*command).code == 2


NOBODY = "error: there is no node bran\nknown are barn, stall; did you mean barn?\n"


def only_barn_and_stall(tiny_server: TinyServer) -> None:
    """A node that has no ranges, and knows two nodes."""

    def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        found = [{"id": BARN, "name": "barn"}, {"id": STALL, "name": "stall"}]
        where = request["params"].get("where")
        if request["method"] == "node.list" and where is not None:
            found = [each for each in found if each["name"] == where[2]]
        empty = {"range.count": 0, "range.list": {"records": [], "next": None}}
        answer_with(result=empty.get(request["method"], {"records": found, "next": None}))(
            request, handler
        )

    tiny_server.respond = respond


@pytest.mark.parametrize(
    "command",
    [("node", "update", "bran", "--site", "x"), ("range", "list", "--node", "bran"),
     ("range", "list", "--json", "--node", "bran"), ("range", "export", "--node", "bran")],
    ids=" ".join,
)  # fmt: skip
def test_a_node_that_is_misspelt_is_told_with_those_there_are(
    herdbook: Herdbook, tiny_server: TinyServer, command: tuple[str, ...]
) -> None:
    """And not as one that has no ranges."""
    only_barn_and_stall(tiny_server)
    ran = herdbook(*command, "--url", tiny_server.url)
    assert (ran.code, ran.out) == (1, "")
    if "--json" in command:
        assert ran.error()["code"] == "node.unknown"
    else:
        assert ran.err == NOBODY


def test_a_node_without_ranges_has_none(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """It is there."""
    only_barn_and_stall(tiny_server)
    ran = herdbook("range", "list", "--node", "barn", "--url", tiny_server.url)
    assert (ran.code, ran.out) == (0, "no ranges\n")
    ran = herdbook("range", "export", "--node", "barn", "--url", tiny_server.url)
    assert (ran.code, ran.out) == (0, "node,cidr,purpose,note\r\n")


def test_ranges_are_a_line_each_with_their_nodes_names(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """Each node is asked for once; one that went meanwhile shows its id."""
    other = {**RANGE, "node_id": STALL, "note": None}
    answers(
        tiny_server,
        range_list={"records": [RANGE, RANGE, other], "next": None},
        node_get=[{"id": BARN, "name": "barn"}, None],
    )
    ran = herdbook(
        "range", "list", "--node", "barn", "--purpose", "serves", "--url", tiny_server.url
    )
    assert [line.split() for line in ran.out.splitlines()[1:]] == [
        ["10.0.0.0/24", "serves", "barn", "the", "lab", BLOCK],
        ["10.0.0.0/24", "serves", "barn", "the", "lab", BLOCK],
        ["10.0.0.0/24", "serves", STALL, BLOCK],
    ]
    assert asked(tiny_server, "node.get") == [{"records": [BARN, STALL], "fields": ["id", "name"]}]
    where = ["and", ["node.name", "=", "barn"], ["purpose", "=", "serves"]]
    assert asked(tiny_server, "range.list") == [{"where": where, "order": "cidr", "limit": 50}]


def test_ranges_for_programs_are_what_the_node_answers(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """With the ids of nodes; nobody is asked for their names."""
    page = {"records": [RANGE], "next": None}
    answers(tiny_server, range_list=page)
    ran = herdbook("range", "list", "--json", "--url", tiny_server.url)
    assert (ran.code, json.loads(ran.out)) == (0, page)
    assert asked(tiny_server, "node.get") == []


def test_nothing_is_said_to_be_nothing(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """Without asking for any node."""
    answers(tiny_server, range_list={"records": [], "next": None})
    assert herdbook("range", "list", "--url", tiny_server.url).out == "no ranges\n"
    assert asked(tiny_server, "range.list") == [{"order": "cidr", "limit": 50}]


def test_a_block_is_given_and_taken(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """What was done is told, with the id."""
    answers(tiny_server, range_add=RANGE, range_release={"released": 2})
    place = ("--url", tiny_server.url)
    ran = herdbook("range", "add", "10.0.0.0/24", "--purpose", "serves", "--node", "barn", *place)
    assert ran.out == f"10.0.0.0/24 is serves now; its id is {BLOCK}\n"
    assert asked(tiny_server, "range.add") == [
        {"cidr": "10.0.0.0/24", "purpose": "serves", "node": "barn"}
    ]
    assert herdbook("range", "release", BLOCK, BARN, *place).out == "released: 2\n"
    assert asked(tiny_server, "range.release") == [{"records": [BLOCK, BARN]}]
    assert herdbook("range", "release", *place).code == 2
    assert asked(tiny_server, "range.list") == []
    assert herdbook("range", "add", "10.0.0.0/24", *place).code == 2


def test_a_block_that_is_one_ranges_only_is_released_by_itself(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """Where it is that of several, or of none, nothing is released, and all that is said."""
    by_block = {
        "10.0.0.0/24": [RANGE],
        "10.1.0.0/24": [{**RANGE, "id": STALL}, {**RANGE, "id": BARN, "purpose": "pool"}],
    }

    def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        asked = request["params"]
        results: dict[str, Callable[[], Any]] = {
            "range.list": lambda: {"records": by_block.get(asked["where"][2], []), "next": None},
            "range.release": lambda: {"released": len(asked["records"])},
            "node.get": lambda: [{"id": BARN, "name": "barn"}],
        }
        answer_with(result=results[request["method"]]())(request, handler)

    tiny_server.respond = respond
    place = ("--url", tiny_server.url)
    ran = herdbook("range", "release", "10.0.0.0/24", BARN, *place)
    assert (ran.code, ran.out) == (0, "released: 2\n")
    assert asked(tiny_server, "range.release") == [{"records": [BLOCK, BARN]}]
    ran = herdbook("range", "release", "10.0.0.0/24", "10.1.0.0/24", "10.2.0.0/24", "10/8", *place)
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "error: nothing was released",
        f"10.1.0.0/24 is that of several ranges: {STALL} (serves, barn), {BARN} (pool, barn)",
        "there is no range 10.2.0.0/24",
        "10/8 is abbreviated; write 10.0.0.0/8",
        "Name each range by its id, or by a block that only one has; `herdbook range list` tells "
        "them.",
    ]
    assert len(asked(tiny_server, "range.release")) == 1


def test_the_block_in_the_way_is_told(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """In the words of the command line; with `--json` as it came."""
    message = "10.0.0.0/24 cannot be given to barn as pool: there is 10.0.0.0/8, pool of far"
    failure = {"pointer": "/cidr", "code": "range.taken", "message": message}
    hint = "Nothing was written. Resolve what each pointer names and send the call again."
    data = {"code": "constraint.violated", "hint": hint, "errors": [failure]}
    tiny_server.respond = answer_with(error={"code": 1200, "message": message, "data": data})
    command = ("range", "add", "10.0.0.0/24", "--purpose", "pool", "--url", tiny_server.url)
    ran = herdbook(*command)
    assert ran.code == 1
    assert message in ran.err
    assert "Resolve that and run the command again." in ran.err
    assert herdbook(*command, "--json").error()["data"]["errors"] == [failure]
