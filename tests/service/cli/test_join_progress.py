"""How far a node is that joins: what is read of its answers, and what is shown of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from service.cli import join_progress
from service.cli.join_progress import Bar, Follower, Seen, seen_of
from service.cli.output import Output
from tests.service.cli.conftest import TinyServer, reply

LINKED = {"we_lack": 40, "receiving": {"parts": 1, "rows": 25, "snapshot": True}, "reason": None}
DIALLED = {"we_lack": None, "receiving": None, "reason": "it is not there"}
MET: dict[str, Any] = {"name": "mill", "state": "not linked"}
WARNED = [{"code": "range.refused", "text": "there is 10.1.0.0/16"}]


def status(*siblings: dict[str, Any], warnings: Any = ()) -> dict[str, Any]:
    """What `herd.status` answers, as far as it is read."""
    return {"origin": 9, "siblings": list(siblings), "warnings": list(warnings)}


@pytest.mark.parametrize(
    ("found", "state", "seen"),
    [
        (status(), "joining", Seen(True, None, 0, None, ())),
        (status(), None, Seen(True, None, 0, None, ())),
        (status(DIALLED, MET), "joining", Seen(True, None, 0, "it is not there", ())),
        (status(DIALLED, LINKED), "joining", Seen(True, 40, 25, "it is not there", ())),
        (status(MET), "active", Seen(False, None, 0, None, ())),
        (status(MET), "draining", Seen(False, None, 0, None, ())),
        (
            status(warnings=WARNED),
            "active",
            Seen(False, None, 0, None, ("range.refused: there is 10.1.0.0/16",)),
        ),
    ],
)
def test_what_a_node_answers_is_read(found: dict[str, Any], state: str | None, seen: Seen) -> None:
    """Siblings that are linked, dialled, or were met once."""
    assert seen_of(found, state) == seen


def test_the_bar_goes_forward_only_and_to_its_end() -> None:
    """Rows and changes count alike; what breaks off and comes anew moves nothing."""
    moved: list[float] = []

    def advance(steps: float = 1, /) -> None:
        moved.append(steps)

    bar = Bar(100, advance)
    for lacks, rows in ((100, 0), (100, 30), (100, 10), (60, 10), (0, 0)):
        bar.show(Seen(True, lacks, rows, None, ()))
    bar.show(Seen(False, 5, 0, None, ()))
    assert moved == [0, 30, 0, 10, 60, 0]


Answers = list[tuple[dict[str, Any], str | None]]


@pytest.fixture
def asked(tiny_server: TinyServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], None]:
    """Lets the node answer one look after the other; the last one again and again."""
    monkeypatch.setattr(join_progress, "_LOOK_SECONDS", 0.0)

    def prepare(answers: Answers) -> None:
        def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
            found, state = answers[0]
            result: dict[str, Any] = found
            if request["method"] == "node.list":
                result = {"records": [] if state is None else [{"state": state}]}
                if len(answers) > 1:
                    answers.pop(0)
            answer = {"jsonrpc": "2.0", "id": request["id"], "result": result}
            reply(handler, json.dumps(answer).encode())

        tiny_server.respond = respond

    return prepare


def test_it_is_followed_until_its_record_says_that_it_has_joined(
    tiny_server: TinyServer, asked: Callable[[Answers], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Why nobody is linked is said once; what is to be known of it is kept."""
    joining = (status(LINKED), "joining")
    away = (status(DIALLED), "joining")
    asked([away, away, joining, joining, (status(LINKED, warnings=WARNED), "active")])
    follower = Follower(tiny_server.url, lambda: True, Output(as_json=False))
    assert follower.follow()
    assert (follower.is_level, follower.why_not) == (True, "")
    assert follower.warnings == ("range.refused: there is 10.1.0.0/16",)
    assert capsys.readouterr().err == "no sibling is linked yet: it is not there\n"


def test_a_node_that_has_ended_is_followed_no_more(
    tiny_server: TinyServer, asked: Callable[[Answers], None]
) -> None:
    """Nothing is claimed of it."""
    asked([(status(LINKED), "joining")])
    looks = iter([True, True, True, False])
    follower = Follower(tiny_server.url, lambda: next(looks, False), Output(as_json=True))
    assert not follower.follow()
    assert not follower.is_level


def test_a_node_that_wants_a_token_is_not_asked_again(tiny_server: TinyServer) -> None:
    """It says so, and that nothing is known."""

    def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        data = {"code": "access.required", "hint": "Show one."}
        error = {"code": -32001, "message": "a token is needed", "data": data}
        answer = {"jsonrpc": "2.0", "id": request["id"], "error": error}
        reply(handler, json.dumps(answer).encode(), 401)

    tiny_server.respond = respond
    follower = Follower(tiny_server.url, lambda: True, Output(as_json=True))
    assert follower.follow()
    assert not follower.is_level
    assert "a token is needed" in follower.why_not
    assert len(tiny_server.requests) == 1
