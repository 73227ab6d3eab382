"""`herdbook range export` and `import`: what is asked of a node, what is written and told."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from service.cli import range_files
from tests.service.cli.conftest import Ran, TinyServer, answer_with
from tests.service.cli.test_family import BARN, RANGE, STALL, answers, asked

Herdbook = Callable[..., Ran]

FILE = (
    "node,cidr,purpose,note\r\nbarn,10.0.0.0/8,pool,\r\n"
    'stall,"10.1.0.1,2",serves,"two, old"\r\nbarn,2001:db8::/32,admin,\r\n'
)
SENT = [
    {"node": "stall", "cidr": "10.1.0.1/32", "purpose": "serves", "note": "two, old"},
    {"node": "stall", "cidr": "10.1.0.2/32", "purpose": "serves", "note": "two, old"},
    {"node": "barn", "cidr": "2001:db8::/32", "purpose": "admin"},
    {"node": "barn", "cidr": "10.0.0.0/8", "purpose": "pool"},
]


class Importing:
    """A node that adds what it is sent, and refuses what it was told to, by block."""

    def __init__(self, server: TinyServer) -> None:
        self.url = server.url
        self.refused: dict[str, str] = {}
        self.refused_later: dict[str, str] = {}
        self.there: set[str] = set()
        self.written: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        server.respond = self._respond

    def _respond(self, request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        asked = request["params"]
        self.calls.append(asked)
        dry = asked.get("dry_run", False)
        refused = self.refused if dry else self.refused | self.refused_later
        failures = [
            {"index": n, "pointer": "/cidr", "code": refused[each["cidr"]], "message": "no"}
            for n, each in enumerate(asked["ranges"])
            if each["cidr"] in refused
        ]
        if failures:
            data = {"code": "constraint.violated", "errors": failures, "errors_left_out": 2}
            error = {"code": 1200, "message": "no (and more)", "data": data}
            answer_with(error=error)(request, handler)
            return
        fresh = [each for each in asked["ranges"] if each["cidr"] not in self.there]
        self.written += [] if dry else fresh
        there = len(asked["ranges"]) - len(fresh)
        answer_with(result={"added": len(fresh), "there": there})(request, handler)


@pytest.fixture
def node(tiny_server: TinyServer) -> Importing:
    """A node to import into."""
    return Importing(tiny_server)


def importing(herdbook: Herdbook, node: Importing, text: str, *options: str) -> Ran:
    """Import a file."""
    Path("ranges.csv").write_text(text, newline="")
    return herdbook("range", "import", "ranges.csv", "--url", node.url, *options)


def test_a_file_is_looked_at_first_and_written_then(herdbook: Herdbook, node: Importing) -> None:
    """Pools come last, so that what is served is not judged beside them."""
    ran = importing(herdbook, node, FILE)
    assert (ran.code, ran.out, ran.err) == (0, "4 ranges are added\n", "")
    assert node.calls == [{"ranges": SENT, "dry_run": True}, {"ranges": SENT}]
    assert node.written == SENT


def test_a_dry_run_writes_nothing(herdbook: Herdbook, node: Importing) -> None:
    """What would be added is told, and what is there."""
    node.there = {"10.0.0.0/8"}
    ran = importing(herdbook, node, FILE, "--dry-run")
    assert ran.out == "3 ranges would be added; 1 was there already\n"
    ran = importing(herdbook, node, FILE, "--dry-run", "--json")
    assert ran.document() == {"added": 3, "there": 1, "dry_run": True}
    assert node.written == []


def test_every_faulty_line_is_told_at_once_whoever_finds_it(
    herdbook: Herdbook, node: Importing
) -> None:
    """With its number: what is wrong by itself, and what a node refuses; nothing is written."""
    node.refused = {"10.1.0.2/32": "range.foreign_pool"}
    text = FILE + "barn,10.0.0.1/8,pool,\r\nbarn,10.0.0.0/8,pool,\r\n,10/8,x,\r\n"
    ran = importing(herdbook, node, text)
    lines = ran.err.splitlines()
    assert ran.code == 1
    assert lines[0] == "error: ranges.csv: nothing was written"
    assert [line.split(":")[0] for line in lines[1:-2]] == [
        "line 3", "line 5", "line 6", "line 7", "line 7", "line 7",
    ]  # fmt: skip
    assert lines[1] == "line 3: no"
    assert lines[-2:] == ["and 2 more", "Correct these lines and run the command again."]
    assert node.written == []
    told = importing(herdbook, node, text, "--json").error()
    assert (told["code"], told["more"], len(told["problems"])) == ("range.file", 2, 6)
    assert told["problems"][0] == {"line": 3, "code": "range.foreign_pool", "message": "no"}


def test_what_is_wrong_with_each_block_of_a_line_alike_is_told_once(
    herdbook: Herdbook, node: Importing
) -> None:
    """And counted once, though the node says it of each."""
    node.refused = {"10.1.0.1/32": "record.not_found", "10.1.0.2/32": "record.not_found"}
    ran = importing(herdbook, node, FILE)
    assert ran.err.splitlines()[1:-2] == ["line 3: no"]


def test_large_files_go_in_several_calls(
    herdbook: Herdbook, node: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By number and by size; all are looked at before any is written."""
    monkeypatch.setattr(range_files, "MOST_IN_A_CALL", 3)
    assert importing(herdbook, node, FILE).code == 0
    assert [(len(call["ranges"]), call.get("dry_run", False)) for call in node.calls] == [
        (3, True), (1, True), (3, False), (1, False),
    ]  # fmt: skip
    monkeypatch.setattr(range_files, "MOST_BYTES", 120)
    node.calls.clear()
    assert importing(herdbook, node, FILE, "--dry-run").code == 0
    assert [len(call["ranges"]) for call in node.calls] == [1, 1, 2]


def test_where_it_stops_midway_it_is_told_how_far_it_came(
    herdbook: Herdbook, node: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has taken a block since it was looked at; nothing is said of that before."""
    monkeypatch.setattr(range_files, "MOST_IN_A_CALL", 2)
    node.refused_later = {"2001:db8::/32": "range.taken"}
    ran = importing(herdbook, node, FILE)
    assert (ran.code, len(node.written)) == (1, 2)
    assert ran.err.startswith("error: 2 ranges were added before this: ")
    assert ran.err.endswith("Run it again for the rest: what is there already is passed over.\n")


def test_what_the_node_refuses_of_no_range_is_told_as_it_is(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """As of any call."""
    tiny_server.respond = answer_with(error={"code": -32001, "message": "too busy"})
    Path("ranges.csv").write_text(FILE)
    ran = herdbook("range", "import", "ranges.csv", "--url", tiny_server.url)
    assert (ran.code, ran.err) == (1, "error: too busy\n")


def test_a_file_that_is_no_text_or_not_there_is_refused(
    herdbook: Herdbook, node: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the line; a file may come by stdin."""
    Path("ranges.csv").write_bytes(FILE.encode() + b"barn,10.9.0.0/16,pool,\xff\n")
    ran = herdbook("range", "import", "ranges.csv", "--url", node.url)
    assert ran.err.startswith("error: ranges.csv is no UTF-8 in line 5\n")
    assert herdbook("range", "import", "gone.csv", "--url", node.url).code == 1
    assert node.calls == []
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FILE.encode())))
    assert herdbook("range", "import", "-", "--url", node.url).code == 0
    assert node.written == SENT


def test_every_address_there_is_has_to_be_asked_for(herdbook: Herdbook, node: Importing) -> None:
    """Here as well as of the node; also of a range by itself."""
    text = "node,cidr,purpose\nbarn,0.0.0.0/0,pool\n"
    assert "line 2: 0.0.0.0/0 is every IPv4 address" in importing(herdbook, node, text).err
    assert importing(herdbook, node, text, "--everything").code == 0
    assert node.calls[-1]["everything"] is True


def test_ranges_are_written_as_a_file_that_reads_as_it_was(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """All pages, with the names of the nodes; each node is asked for once."""
    note = '"a", b\r\nc'
    pages = {
        None: {"records": [RANGE, {**RANGE, "note": None}], "next": "more"},
        "more": {"records": [{**RANGE, "node_id": STALL, "note": note}], "next": None},
    }
    results: dict[str, Callable[[Any], Any]] = {
        "range.count": lambda _asked: 3,
        "range.list": lambda asked: pages[asked.get("next")],
        "node.get": lambda asked: [{"id": each, "name": f"n{each[-1]}"} for each in
                                   asked["records"]],
    }  # fmt: skip

    def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        result = results[request["method"]](request["params"])
        answer_with(result=result)(request, handler)

    tiny_server.respond = respond
    command = ("range", "export", "--url", tiny_server.url)
    ran = herdbook(*command)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "node,cidr,purpose,note\r\nn0,10.0.0.0/24,serves,the lab\r\nn0,10.0.0.0/24,serves,\r\n"
        'n1,10.0.0.0/24,serves,"""a"", b\r\nc"\r\n'
    )
    assert [each["records"] for each in asked(tiny_server, "node.get")] == [[BARN], [STALL]]
    lines = herdbook(*command, "--json").out.splitlines()
    assert json.loads(lines[2]) == {
        "node": "n1", "cidr": "10.0.0.0/24", "purpose": "serves", "note": note,
    }  # fmt: skip


def test_what_is_exported_can_be_chosen(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """By node, purpose, and any condition; of nothing there is the first line."""
    answers(
        tiny_server,
        range_count=0,
        range_list={"records": [], "next": None},
        node_list={"records": [{"id": BARN}], "next": None},
    )
    command = ("range", "export", "--url", tiny_server.url)
    chosen = ("--node", "barn", "--purpose", "pool", "--where", '["cidr", "within", "10.0.0.0/8"]')
    assert herdbook(*command, *chosen).out == "node,cidr,purpose,note\r\n"
    where = [
        "and", ["node.name", "=", "barn"], ["purpose", "=", "pool"],
        ["cidr", "within", "10.0.0.0/8"],
    ]  # fmt: skip
    assert asked(tiny_server, "range.count") == [{"where": where}]
    assert asked(tiny_server, "range.list")[0]["where"] == where
    ran = herdbook(*command, "--where", "[purpose")
    assert (ran.code, ran.err.startswith("error: --where is no JSON")) == (2, True)
