"""Tokens at both doors: who gets in, under which name, and that it ends when the token does."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from service.access.tokens import Book
from service.transports.admin import AdminPages
from service.transports.http import RpcFactory
from service.transports.stream_limits import STRANGER_BYTES
from service.transports.web import Answer, Asked
from tests.service.access.tokens import NOW, Watch, door, secret, token
from tests.service.transports.guarded import ADDRESS, Guarded, body, code_of, told
from tests.service.transports.live import post
from tests.service.transports.memory import LIMITS, Line
from tests.service.transports.streams import BOUNDS

HERE = f"api:{ADDRESS}"
READER, WRITER, ADMIN = secret(1), secret(2), secret(3)
LOGIN_CALL = {"jsonrpc": "2.0", "method": "session.login", "id": 1}
TOKENS = (token(1, "read"), token(2, "write", name="loader"), token(3, "admin"))


def world(*, required: bool = True, watch: Watch | None = None) -> Guarded:
    """Both doors with a token of each role."""
    return Guarded(door(*TOKENS, required=required, watch=watch))


# HTTP.


def test_without_a_token_all_is_as_before_where_none_is_required() -> None:
    """Under the address, and with other credentials too, which a proxy may have asked for."""
    open_world = world(required=False)
    for headers in ({}, {"authorization": "Basic aGI6aGI="}):
        for method in ("cow.list", "cow.create", "held.drop"):
            assert told(open_world.post(method, **headers))["result"] == HERE
    assert open_world.connect().ask("held.drop")["result"] == HERE


def test_nobody_gets_in_without_a_token_where_one_is_required() -> None:
    """HTTP says so in its own way too; nothing is run, and nothing is told of the methods."""
    closed = world()
    for headers in ({}, {"authorization": "Basic aGI6aGI="}):
        for method in ("cow.list", "held.drop", "no.such"):
            answer = closed.post(method, **headers)
            assert (answer.status, code_of(told(answer))) == (401, "access.required")
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="herdbook"'
    assert code_of(closed.connect().ask("cow.list")) == "access.required"
    assert code_of(closed.connect().ask("no.such")) == "access.required"
    assert closed.called == []


@pytest.mark.parametrize("required", [True, False])
def test_a_wrong_token_is_refused_also_where_none_is_required(required: bool) -> None:
    """Whoever shows one means to be held to it."""
    somewhere = world(required=required)
    for sent in ("", secret(9), READER[:-1], f"{READER}, Bearer {WRITER}"):
        answer = somewhere.post("cow.list", token=sent)
        assert (answer.status, code_of(told(answer))) == (401, "access.unknown")
        assert answer.headers["WWW-Authenticate"].endswith('error="invalid_token"')
        assert not sent or sent.encode() not in answer.body
    assert somewhere.called == []


@pytest.mark.parametrize("required", [True, False])
def test_a_token_lets_do_what_its_role_is_for_under_its_name(required: bool) -> None:
    """Each call of a batch by itself; the refusal says what is needed."""
    somewhere = world(required=required)
    calls = ("cow.list", "cow.create", "held.drop", "no.such")
    expected = {
        READER: ["token:app-1@192.0.2.7", "access.forbidden", "access.forbidden", "method.unknown"],
        WRITER: [
            "token:loader@192.0.2.7",
            "token:loader@192.0.2.7",
            "access.forbidden",
            "method.unknown",
        ],
        ADMIN: [
            "token:app-3@192.0.2.7",
            "token:app-3@192.0.2.7",
            "token:app-3@192.0.2.7",
            "method.unknown",
        ],
    }
    for shown, outcomes in expected.items():
        answers = told(somewhere.post(*calls, token=shown))
        assert [each.get("result") or code_of(each) for each in answers] == outcomes
    [refused] = told(somewhere.post("cow.create", "cow.list", token=READER))[:1]
    assert refused["error"]["data"]["needs"] == "write"
    assert set(somewhere.called) == {
        "token:app-1@192.0.2.7",
        "token:loader@192.0.2.7",
        "token:app-3@192.0.2.7",
    }


def test_a_token_that_is_not_for_the_clients_address_is_refused() -> None:
    """At both doors."""
    somewhere = Guarded(door(token(1, "read", "10.0.0.0/8"), token(2, "read", "192.0.2.0/24")))
    answer = somewhere.post("cow.list", token=secret(1))
    assert (answer.status, code_of(told(answer))) == (401, "access.wrong_address")
    assert code_of(somewhere.connect().ask("session.login", secret(1))) == "access.wrong_address"
    assert told(somewhere.post("cow.list", token=secret(2)))["result"] == "token:app-2@192.0.2.7"


def test_what_waited_while_its_token_was_revoked_is_not_told() -> None:
    """A call that reads may wait long; what it has found by then is for nobody."""
    somewhere = world()
    asking = somewhere.posting("feed.read", token=READER)
    other = somewhere.posting("feed.read", token=ADMIN)
    somewhere.door.book = Book(TOKENS[1:])
    for waiting in somewhere.waiting:
        waiting.callback("changes")
    late, right = asking.result, other.result
    assert isinstance(late, Answer)
    assert isinstance(right, Answer)
    assert code_of(told(late)) == "access.unknown"
    assert told(right)["result"] == "changes"


# The stream.


def test_a_login_counts_for_all_that_follows_on_the_connection_and_for_no_other() -> None:
    """Also for what is in the same batch behind it."""
    closed = world()
    client, other = closed.connect(), closed.connect()
    assert code_of(client.ask("cow.list")) == "access.required"
    answer = client.ask("session.login", WRITER)["result"]
    assert answer == {"name": "loader", "role": "write", "until": None}
    assert client.ask("cow.create")["result"] == "token:loader@192.0.2.7"
    assert code_of(client.ask("held.drop")) == "access.forbidden"
    assert code_of(other.ask("cow.list")) == "access.required"
    login = {"jsonrpc": "2.0", "method": "session.login", "params": {"token": READER}, "id": 1}
    listing = {"jsonrpc": "2.0", "method": "cow.list", "id": 2}
    other.send(json.dumps([listing, login, listing]).encode() + b"\n")
    [[first, second, third]] = other.received()
    assert code_of(first) == "access.required"
    assert (second["result"]["name"], third["result"]) == ("app-1", "token:app-1@192.0.2.7")


def test_a_login_that_is_refused_changes_nothing() -> None:
    """And is one of the stream only: over HTTP there is nothing that stays."""
    closed = world()
    client = closed.connect()
    client.ask("session.login", READER)
    assert code_of(client.ask("session.login", secret(9))) == "access.unknown"
    assert client.ask("cow.list")["result"] == "token:app-1@192.0.2.7"
    answer = told(closed.post("session.login", token=READER))
    assert code_of(answer) == "params.invalid"


def test_a_revoked_token_ends_its_connections_and_what_they_subscribed_to() -> None:
    """They are told why; connections with other tokens stay."""
    closed = world()
    client, other = closed.connect(), closed.connect()
    client.ask("session.login", READER)
    other.ask("session.login", WRITER)
    for each in (client, other):
        each.call("feed.subscribe")
        each.received()
    closed.door.book = Book(TOKENS[1:])
    assert code_of(client.ask("cow.list")) == "access.unknown"
    closed.factory.look_again()
    [told_last] = client.received()
    assert (told_last["id"], code_of(told_last)) == (None, "access.unknown")
    assert client.is_closed()
    assert not other.is_closed()
    closed.feed.seal(5)
    closed.feed.answer()
    assert client.received() == []
    assert [message["method"] for message in other.received()] == ["feed.change"]


def test_what_was_subscribed_to_while_its_token_was_revoked_is_not_begun() -> None:
    """Not for the moment either that it takes until somebody looks again."""
    closed = world()
    client = closed.connect()
    client.ask("session.login", READER)
    client.send(body("feed.subscribe", "feed.read") + b"\n")
    closed.door.book = Book(TOKENS[1:])
    closed.waiting[0].callback("changes")
    assert closed.feed.asked == []
    [answers, told_last] = client.received()
    assert code_of(answers[1]) == "access.unknown"
    assert (told_last["id"], code_of(told_last)) == (None, "access.unknown")
    assert client.is_closed()


def test_a_token_that_expires_ends_its_connections() -> None:
    """Without anybody's doing."""
    watch = Watch()
    closed = Guarded(door(token(1, until=NOW + timedelta(hours=1)), watch=watch))
    client = closed.connect()
    assert client.ask("session.login", secret(1))["result"]["until"] == "2026-06-01T13:00:00Z"
    closed.factory.look_again()
    assert not client.is_closed()
    watch.now = NOW + timedelta(hours=1)
    closed.factory.look_again()
    [told_last] = client.received()
    assert code_of(told_last) == "access.expired"
    assert client.is_closed()


def test_who_never_showed_a_token_is_not_thrown_out_where_none_is_required() -> None:
    """Looking again is about tokens that were shown."""
    open_world = world(required=False)
    client = open_world.connect()
    open_world.door.book = Book()
    open_world.factory.look_again()
    open_world.clock.advance(BOUNDS.login_seconds)
    assert client.ask("cow.list")["result"] == HERE


def test_who_shows_no_token_for_long_is_told_and_leaves_the_place_to_others() -> None:
    """Whatever else he does meanwhile; who has shown one stays."""
    closed = world()
    stranger, client = closed.connect(), closed.connect()
    client.ask("session.login", READER)
    closed.clock.advance(BOUNDS.login_seconds - 1)
    assert code_of(stranger.ask("session.login", secret(9))) == "access.unknown"
    assert not stranger.is_closed()
    closed.clock.advance(1)
    [told_last] = stranger.received()
    assert (told_last["id"], code_of(told_last)) == (None, "access.required")
    assert stranger.is_closed()
    assert client.ask("cow.list")["result"] == "token:app-1@192.0.2.7"


def test_the_body_of_a_stranger_is_not_waited_for() -> None:
    """The answer comes with the end of the headers; whoever has a token sends on."""
    closed = world()
    factory = RpcFactory(closed.runner, LIMITS, closed.clock, closed.door)
    for shown, answered in ((None, b"401"), (secret(9), b"401"), (READER, b"")):
        line = Line(factory)
        token_line = "" if shown is None else f"Authorization: Bearer {shown}\r\n"
        whole = post(body("cow.list"), extra=token_line)
        line.send(whole[:-5])
        assert line.received[9:12] == answered
        if not answered:
            line.send(whole[-5:])
            assert b"token:app-1" in line.received
            continue
        assert b"access." in line.received
        line.send(b"x" * 500)
        closed.clock.advance(LIMITS.linger_seconds)
        assert line.is_closing()
    assert closed.called == ["token:app-1@192.168.1.1"]


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["unfinished", "whole"])
def test_a_long_line_of_a_stranger_is_not_kept(end: bytes) -> None:
    """Neither where it comes in pieces; a wrong token makes nobody known."""
    closed = world()
    stranger = closed.connect()
    stranger.ask("session.login", secret(9))
    stranger.send(b" " * STRANGER_BYTES)
    assert not stranger.is_closed()
    stranger.send(b" " + end)
    [told_last] = stranger.received()
    assert (told_last["id"], code_of(told_last)) == (None, "access.required")
    assert stranger.is_closed()


def test_who_has_shown_a_token_sends_long_lines_also_right_behind_it() -> None:
    """The login and the beginning of the next line may come in one piece."""
    closed = world()
    client = closed.connect()
    login = json.dumps({**LOGIN_CALL, "params": [READER]}).encode() + b"\n"
    long_line = b" " * STRANGER_BYTES + body("cow.list")
    client.send(login + long_line)
    client.send(b"\n" + long_line + b"\n")
    logged_in, *answers = client.received()
    assert logged_in["result"]["name"] == "app-1"
    assert [each["result"] for each in answers] == ["token:app-1@192.0.2.7"] * 2


def test_where_no_token_is_required_everybody_sends_long_lines() -> None:
    """As before."""
    client = world(required=False).connect()
    client.send(b" " * STRANGER_BYTES + body("cow.list") + b"\n")
    assert [each["result"] for each in client.received()] == [HERE]


# The admin listener.


@pytest.mark.parametrize(
    ("required", "shown", "status"),
    [
        (True, None, 401),
        (True, READER, 200),
        (True, secret(9), 401),
        (False, None, 200),
        (False, secret(9), 401),
    ],
)
def test_numbers_need_a_token_where_calls_do(
    required: bool, shown: str | None, status: int
) -> None:
    """Probes never do."""
    pages = AdminPages({}, CollectorRegistry(), Clock(), door(*TOKENS, required=required))
    headers = {} if shown is None else {"authorization": f"Bearer {shown}"}

    def status_of(path: str) -> int:
        answered = Deferred.fromCoroutine(pages(Asked("GET", path, headers=headers)))
        answer = answered.result
        assert isinstance(answer, Answer)
        return answer.status

    assert status_of("/metrics") == status
    assert (status_of("/livez"), status_of("/readyz")) == (200, 200)


@pytest.mark.parametrize(
    ("address", "shown", "is_told"),
    [
        ("127.0.0.1", None, True),
        (None, None, True),
        (ADDRESS, None, False),
        (ADDRESS, secret(9), False),
        (ADDRESS, READER, True),
    ],
)
def test_what_is_wrong_with_a_node_is_not_for_strangers(
    address: str | None, shown: str | None, is_told: bool
) -> None:
    """On other machines the list needs a token where calls do; whether it is ready does not."""

    async def problem() -> str | None:
        return "the table cow has no triggers"

    pages = AdminPages({"capture": problem}, CollectorRegistry(), Clock(), door(*TOKENS))
    headers = {} if shown is None else {"authorization": f"Bearer {shown}"}
    asked = Asked("GET", "/readyz", "verbose", headers, address=address)
    answer = Deferred.fromCoroutine(pages(asked)).result
    assert isinstance(answer, Answer)
    assert answer.status == 503
    assert b"not ready: capture" in answer.body
    assert (b"the table cow" in answer.body) == is_told


# Secrets.


def test_no_secret_is_logged_or_answered_whatever_is_wrong_with_a_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Wrong parameters, wrong places, wrong names; also where the log tells all."""
    caplog.set_level(logging.DEBUG)
    closed = world()
    client = closed.connect()
    answers = [
        client.ask("session.login"),
        client.ask("session.login", [READER]),
        client.ask("session.login", READER, READER),
        client.ask("session.login", {"token": READER, "tokne": READER}),
        client.ask("session.login", secret(9)),
        client.ask("cow.list", READER),
    ]
    for call in (
        {"jsonrpc": "2.0", "method": "session.login", "params": {"tokn": READER}, "id": 1},
        {"jsonrpc": "1.0", "method": "session.login", "params": {"token": READER}, "id": 1},
        {"jsonrpc": "2.0", "method": "session.login", "params": READER, "id": 1},
        {"jsonrpc": "2.0", "method": "session.login", "params": {"token": READER, "x": "\0"}},
    ):
        client.send(json.dumps(call).encode() + b"\n")
    client.send(b'{"jsonrpc": "2.0", "method": "session.login", "params": ["' + READER.encode())
    client.send(b"\n")
    answers += client.received()
    assert len(answers) >= 10
    assert all("error" in answer for answer in answers)
    everything = json.dumps(answers) + caplog.text
    assert "access.unknown" in everything
    for number in (1, 9):
        assert secret(number) not in everything
        assert secret(number)[3:20] not in everything


def test_a_token_in_an_address_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It belongs in a header; the log, which others read, tells where it was tried."""
    caplog.set_level(logging.DEBUG)
    closed = world()
    line = Line(RpcFactory(closed.runner, LIMITS, closed.clock, closed.door))
    header = f"Authorization: Bearer {READER}\r\n"
    line.send(post(body("cow.list"), path=f"/rpc?access_token={READER}", extra=header))
    assert b"token:app-1" in line.received
    assert "/rpc?access_token=hb_***" in caplog.text
    assert READER not in caplog.text
