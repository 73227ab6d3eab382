"""`herdbook held` and `herdbook journal`: what is asked of a node, and what is shown of it."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.service.cli.conftest import Ran, TinyServer, answer_with

Herdbook = Callable[..., Ran]

HELD = {
    "id": "ab" * 32,
    "record": "city",
    "key": {"id": 7},
    "reason": "refused",
    "because": "The database refuses it.",
    "text": "a CHECK of the table does not hold",
    "held_at": "2026-01-31T12:00:00.000000Z",
    "waits": "record",
}
STAMP = {"at": "2026-01-31T12:00:00.000000Z", "origin": 1, "node": "berlin"}
ENTRY = {
    "number": 7,
    "noted_at": "2026-01-31T12:00:00.000000Z",
    "rule": "later write",
    "because": "Two nodes wrote this.",
    "record": "city",
    "key": {"id": 7},
    "life": 1,
    "sender": {"origin": 2, "node": None},
    "restored_at": None,
    "values": [
        {
            "field": "name",
            "lost": "Graz",
            "lost_at": STAMP,
            "kept": None,
            "kept_at": None,
            "lost_by": "token:loader@192.0.2.7",
            "kept_by": None,
        },
        {"column": "9", "lost": 1, "lost_at": STAMP, "kept": 2, "kept_at": STAMP},
        {"column": "old", "lost": 1, "lost_at": STAMP, "kept": 2, "kept_at": STAMP},
    ],
}


def script(tiny_server: TinyServer, *answers: dict[str, Any]) -> None:
    """Let held.retry be answered so, one after the other; a status tells of three held rows."""
    waiting = list(answers)

    def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        if request["method"] == "herd.status":
            answer_with(result={"held": {"refused": 3}})(request, handler)
        else:
            answer_with(result=waiting.pop(0))(request, handler)

    tiny_server.respond = respond


def retried(tried: int, written: int, *held: Any, more: str | None = None) -> dict[str, Any]:
    """The answer of held.retry."""
    return {"tried": tried, "written": written, "held": list(held), "next": more}


def asked(tiny_server: TinyServer, method: str) -> list[Any]:
    """The parameters of all calls of a method."""
    return [each["params"] for each in tiny_server.requests if each["method"] == method]


def test_what_is_held_is_a_line_each(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """With why, and the id by which it can be named; more is told."""
    tiny_server.respond = answer_with(result={"held": [HELD], "next": "abc"})
    ran = herdbook("held", "list", "--url", tiny_server.url, "--reason", "refused")
    assert ran.code == 0
    _columns, line = ran.out.splitlines()
    for part in ("city", "id=7", "record", "refused", "a CHECK", "ab" * 32):
        assert part in line
    assert ran.err == "more: --next abc\n"
    assert asked(tiny_server, "held.list") == [{"reason": "refused", "limit": 50}]
    tiny_server.respond = answer_with(result={"held": [], "next": None})
    assert herdbook("held", "list", "--url", tiny_server.url).out == "nothing is held\n"


def test_a_retry_goes_through_all_pages_until_nothing_more_is_written(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """What waited for others comes in the next round; what stays held is shown, with 3."""
    script(
        tiny_server,
        retried(2, 1, HELD, more="p2"),
        retried(1, 0, HELD),
        retried(2, 1, HELD),
        retried(1, 0, HELD),
    )
    ran = herdbook("held", "retry", "--url", tiny_server.url)
    assert ran.code == 3
    assert ran.out.startswith("written: 2, held: 1\n")
    assert "a CHECK of the table does not hold" in ran.out
    assert asked(tiny_server, "held.retry") == [{}, {"next": "p2"}, {}, {}]


def test_a_retry_of_which_nothing_is_left_ends_well(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """One round, and 0; programs get the numbers."""
    script(tiny_server, retried(3, 3))
    ran = herdbook("held", "retry", "city", "--url", tiny_server.url, "--json")
    assert (ran.code, ran.document()) == (0, {"written": 3, "held": []})
    assert asked(tiny_server, "held.retry") == [{"record": "city"}]


def test_one_record_is_named_by_its_key_or_id(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """A key of several fields is JSON; without any name nothing is dropped."""
    tiny_server.respond = answer_with(result={"entry": 5})
    ran = herdbook("held", "drop", "city", "7", "--url", tiny_server.url)
    assert ran.out == "dropped; `herdbook journal show 5` tells what it was\n"
    herdbook("held", "drop", "stall", '{"place": 2}', "--url", tiny_server.url)
    herdbook("held", "drop", "--id", "ab" * 32, "--url", tiny_server.url)
    assert asked(tiny_server, "held.drop") == [
        {"record": "city", "key": "7"}, {"record": "stall", "key": {"place": 2}}, {"id": "ab" * 32},
    ]  # fmt: skip
    assert herdbook("held", "drop", "city", "--url", tiny_server.url).code == 2
    tiny_server.respond = answer_with(result=retried(1, 1))
    assert herdbook("held", "retry", "city", "7", "--url", tiny_server.url).code == 0


def test_entries_are_a_line_each(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """Number, moment, rule, record and fields."""
    tiny_server.respond = answer_with(result={"entries": [ENTRY], "next": None})
    ran = herdbook("journal", "list", "--url", tiny_server.url)
    _columns, line = ran.out.splitlines()
    for part in (
        "7",
        "2026-01-31T12:00:00",
        "later write",
        "city",
        "id=7",
        "name, column 9 (not here), old",
    ):
        assert part in line
    assert herdbook("journal", "list", "--rule", "none", "--url", tiny_server.url).code == 2


def test_an_entry_is_shown_with_both_values(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """Where and when each was written; what nothing stands for is empty."""
    tiny_server.respond = answer_with(result=ENTRY)
    ran = herdbook("journal", "show", "7", "--url", tiny_server.url)
    assert (ran.code, ran.err) == (0, "`herdbook journal restore 7` writes back what lost\n")
    lines = ran.out.splitlines()
    assert lines[0] == "#7  city  id=7"
    assert "Two nodes wrote this." in lines
    assert "by a change that origin 2 sent" in lines
    assert lines[-2].startswith("column 9 (not here)")
    graz = ["2026-01-31T12:00:00.000", "berlin", "by", "token:loader@192.0.2.7"]
    assert lines[-3].split() == ["name", '"Graz"', *graz]
    assert lines[-1].split()[0:3] == ["old", "1", "2026-01-31T12:00:00.000"]
    assert lines[-1].split()[4] == "2"


def test_a_restore_tells_the_record_and_what_was_left(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """Columns that are gone are named; a refusal lists every failure."""
    answer = {"outcome": "created", "record": {"id": 7}, "left": ["old"]}
    tiny_server.respond = answer_with(result=answer)
    ran = herdbook("journal", "restore", "7", "--url", tiny_server.url)
    assert ran.out == 'created {"id":7}; no field is there for old\n'
    failures = [
        {"pointer": "/values/name", "code": "unique.taken", "message": "taken"},
        {"pointer": "/values/code", "code": "unique.taken", "message": "taken too"},
    ]
    data = {"code": "constraint.violated", "hint": "Give other values.", "errors": failures}
    tiny_server.respond = answer_with(error={"code": 1200, "message": "taken", "data": data})
    ran = herdbook("journal", "restore", "7", "--url", tiny_server.url)
    assert ran.code == 1
    assert "--set code: taken too" in ran.err
    assert "Give other values." in ran.err
