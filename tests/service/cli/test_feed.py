"""`herdbook feed` against a stream that behaves, breaks off, misbehaves, or is not there."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.service.cli.conftest import Ran
from tests.service.cli.tiny_stream import (
    Peer,
    TinyStream,
    change,
    telling,
)

Herdbook = Callable[..., Ran]


def test_a_change_is_a_line_for_people(herdbook: Herdbook, tiny_stream: TinyStream) -> None:
    """When, which, what, whose: all on one line."""
    tiny_stream.start(telling(0, 17))
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--count", "1")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "2026-01-31T12:00:00.000000Z  #17  city  update  id=c17, part=2  name,population"
        "  api:127.0.0.1\n"
    )


def test_rows_and_what_no_longer_matches_are_shown(
    herdbook: Herdbook, tiny_stream: TinyStream
) -> None:
    """--rows adds the row as JSON; a row that fell out of the condition is marked."""

    def act(peer: Peer) -> None:
        peer.subscribe(0)
        told = [
            change(1, row={"name": "Graz\x1b[31m"}),
            change(2, row=None, matches=False),
            change(3, record=None, table="old", key=None, fields=[]),
        ]
        params = {"subscription": 1, "changes": told, "next": 3, "complete": True}
        peer.say(method="feed.change", params=params)
        peer.wait_for_the_end()

    tiny_stream.start(act)
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--rows", "--count", "3")
    first, second, third = ran.out.splitlines()
    assert first.endswith('  {"name": "Graz\\u001b[31m"}')
    assert second.endswith("  (no longer matches)  null")
    assert third == "2026-01-31T12:00:00.000000Z  #3  old  update  api:127.0.0.1"
    assert tiny_stream.params()[0]["rows"] is True


def test_json_is_one_change_a_line_as_it_came(herdbook: Herdbook, tiny_stream: TinyStream) -> None:
    """Programs get every member, to the last digit."""

    def act(peer: Peer) -> None:
        peer.subscribe(0)
        peer.raw(
            b'{"jsonrpc":"2.0","method":"feed.change","params":{"subscription":1,"changes":'
            b'[{"position":1,"price":1.10},{"position":2,"big":12345678901234567890123}],"next":2,'
            b'"complete":true}}\n'
        )
        peer.wait_for_the_end()

    tiny_stream.start(act)
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--json", "--count", "2")
    assert ran.out == '{"position":1,"price":1.10}\n{"position":2,"big":12345678901234567890123}\n'


@pytest.mark.parametrize(
    ("words", "params"),
    [
        ([], {"from": "now", "rows": False}),
        (["--from", "start"], {"from": 0, "rows": False}),
        (["--from", "4711", "--rows"], {"from": 4711, "rows": True}),
        (
            ["--record", "city", "--record", "country", "--record", "city"],
            {"from": "now", "rows": False, "records": ["city", "country"]},
        ),
        (
            ["--record", "city", "--where", '["name", "=", "Graz"]'],
            {
                "from": "now",
                "rows": False,
                "records": ["city"],
                "where": {"city": ["name", "=", "Graz"]},
            },
        ),
        (
            ["--where", '{"city": ["area", ">", 1.10]}'],
            {"from": "now", "rows": False, "where": {"city": ["area", ">", 1.1]}},
        ),
    ],
)
def test_what_is_wanted_reaches_the_node(
    herdbook: Herdbook, tiny_stream: TinyStream, words: list[str], params: dict[str, Any]
) -> None:
    """Each option is a parameter of feed.subscribe."""
    tiny_stream.start(telling(0, 1))
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--count", "1", *words)
    assert ran.code == 0
    assert tiny_stream.params() == [params]


def test_count_ends_within_a_page(herdbook: Herdbook, tiny_stream: TinyStream) -> None:
    """Exactly so many changes are shown."""
    tiny_stream.start(telling(0, 1, 2, 3, 4, 5))
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--count", "3")
    assert [line.split()[1] for line in ran.out.splitlines()] == ["#1", "#2", "#3"]


def test_ctrl_c_is_the_usual_end(
    herdbook: Herdbook, tiny_stream: TinyStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 0, and nothing is said."""

    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("service.cli.stream_client.StreamClient.next_told", interrupt)
    tiny_stream.start(lambda peer: peer.subscribe(0))
    assert herdbook("feed", "tail", "--url", tiny_stream.url) == Ran(0, "", "")


def test_a_refusal_is_shown_as_it_came(herdbook: Herdbook, tiny_stream: TinyStream) -> None:
    """A class that is not there is not tried again."""
    error = {"code": -32602, "message": "Invalid params", "data": {"retryable": False}}
    tiny_stream.start(lambda peer: peer.say(id=peer.asked()["id"], error=error))
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--record", "ctiy", "--json")
    assert ran.code == 1
    assert ran.error() == error


@pytest.mark.parametrize("words", [["tail", "--record", "ctiy"], ["consumers"], ["forget", "me"]])
def test_people_are_told_a_refusal_in_words(
    herdbook: Herdbook, tiny_stream: TinyStream, words: list[str]
) -> None:
    """No JSON: every failure on a line, and what to do."""
    failure = {"pointer": "/records/0", "code": "record.unknown", "message": "no class ctiy"}
    data = {"errors": [failure], "detail": "no class ctiy", "hint": "feed.consumers tells"}
    error = {"code": -32602, "message": "Invalid params", "data": data}
    tiny_stream.start(lambda peer: peer.say(id=peer.asked()["id"], error=error))
    ran = herdbook("feed", *words, "--url", tiny_stream.url)
    told = "error: --record: no class ctiy\n`herdbook feed consumers` tells\n"
    assert ran == Ran(1, "", told)


@pytest.mark.parametrize("words", [["tail"], ["consumers"], ["forget", "me"]])
def test_nobody_there_is_told_with_what_to_do(herdbook: Herdbook, words: list[str]) -> None:
    """A refused connection names the address and how to start a node; nothing is tried again."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        ran = herdbook("feed", *words, "--url", url)
    assert (ran.code, ran.out) == (1, "")
    assert f"{url} cannot be reached: Connection refused" in ran.err
    assert "herdbook up" in ran.err


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8652",
        "http://127.0.0.1:8650/",
        "tcp://",
        "tcp://x",
        "tcp://x:99999",
        "tcp://x:0",
        "tcp://x:²",
        "unix:here",
    ],
)
def test_an_address_that_is_none_is_told(herdbook: Herdbook, url: str) -> None:
    """A wrong --url says what one looks like."""
    ran = herdbook("feed", "tail", "--url", url)
    assert ran.code == 1
    assert "write tcp://127.0.0.1:8652" in ran.err
    assert f"{url} is no address of a stream" in ran.err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "takes HTTP: it is no stream"),
        (b"[]\n", "no JSON-RPC message"),
        (b'{"jsonrpc": "2.0", "id": 1}\n', "neither result nor error"),
        (b'{"jsonrpc": "2.0", "id": 1, "error": 7}\n', "no JSON-RPC message"),
        (b'{"jsonrpc": "2.0", "id": 1, "result": {"subscription": "x"}}\n', "nothing that a node"),
    ],
)
def test_what_is_no_stream_is_told(
    herdbook: Herdbook, tiny_stream: TinyStream, answer: bytes, said: str
) -> None:
    """Another listener's answer is not taken for a broken connection."""

    def act(peer: Peer) -> None:
        peer.asked()
        peer.raw(answer)
        peer.wait_for_the_end()

    tiny_stream.start(act)
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--json")
    assert (ran.code, ran.error()["code"]) == (1, "feed.answer")
    assert said in ran.error()["message"]
    if "stream" in said:
        assert "listen.stream" in ran.error()["hint"]


def test_who_takes_the_call_and_says_nothing_is_told(
    herdbook: Herdbook, tiny_stream: TinyStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command does not wait for ever, and says which listener it needs."""
    monkeypatch.setattr("service.cli.feed_tail.FIRST_ANSWER_SECONDS", 0.05)
    tiny_stream.start(lambda peer: peer.wait_for_the_end())
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--json")
    assert (ran.code, ran.error()["code"]) == (1, "feed.unreachable")
    assert ran.error()["message"] == f"{tiny_stream.url} did not answer within 0.05 seconds"
    assert "listen.stream" in ran.error()["hint"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tail", "--from", "yesterday"], "no position"),
        (["tail", "--from", "-1"], "no position"),
        (["tail", "--from", "9" * 30], "no position"),
        (["tail", "--count", "0"], "--count"),
        (["tail", "--where", "{nope"], "not valid JSON"),
        (["tail", "--where", "[]"], "object of conditions by class"),
        (["tail", "--record", "a", "--record", "b", "--where", "[]"], "object of conditions"),
        (["forget"], "Missing argument 'NAME'"),
    ],
)
def test_wrong_usage_is_explained(herdbook: Herdbook, words: list[str], said: str) -> None:
    """Exit code 2, the reason, and where help is."""
    ran = herdbook("feed", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "--help" in ran.err


CONSUMERS = {
    "consumers": [
        {
            "consumer": "search-index",
            "position": 90,
            "registered_at": "2026-01-01T00:00:00.000000Z",
            "seen_at": "2026-01-02T00:00:00.000000Z",
        }
    ],
    "head": 100,
    "horizon": 40,
}


def test_consumers_are_listed_with_how_far_behind_they_are(
    herdbook: Herdbook, tiny_stream: TinyStream
) -> None:
    """People get a table, programs what the node said."""

    def act(peer: Peer) -> None:
        peer.say(id=peer.asked()["id"], result=CONSUMERS)

    tiny_stream.start(act, act)
    ran = herdbook("feed", "consumers", "--url", tiny_stream.url)
    assert ran.out.splitlines()[0] == "kept: positions 41 to 100"
    assert ran.out.splitlines()[2].split()[:3] == ["search-index", "90", "10"]
    assert herdbook("feed", "consumers", "--url", tiny_stream.url, "--json").document() == CONSUMERS
    assert [request["method"] for request in tiny_stream.requests] == ["feed.consumers"] * 2


def test_a_consumer_is_forgotten(herdbook: Herdbook, tiny_stream: TinyStream) -> None:
    """The name goes to the node as it is."""
    tiny_stream.start(lambda peer: peer.say(id=peer.asked()["id"], result={"forgotten": "me"}))
    ran = herdbook("feed", "forget", "me", "--url", tiny_stream.url)
    assert (ran.code, ran.out) == (0, "forgot me\n")
    assert tiny_stream.params() == [{"consumer": "me"}]


@pytest.mark.parametrize("words", [[], ["tail"], ["consumers"], ["forget"]])
def test_help_has_examples(herdbook: Herdbook, words: list[str]) -> None:
    """Each command shows how it is used."""
    ran = herdbook("feed", *words, "--help")
    assert ran.code == 0
    assert "Example" in ran.out
    assert f"herdbook feed {' '.join(words)}".rstrip() in ran.out
