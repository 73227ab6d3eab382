"""`herdbook feed` against a stream that behaves, breaks off, misbehaves, or is not there."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from service.cli.feed_tail import Tail
from service.cli.output import Output
from service.cli.stream_client import Address
from tests.service.cli.conftest import Ran
from tests.service.cli.tiny_stream import (
    Act,
    Peer,
    TinyStream,
    breaking_off,
    change,
    telling,
)

Herdbook = Callable[..., Ran]


@pytest.fixture
def tiny_stream() -> Iterator[TinyStream]:
    """The stream on a free port, stopped at the end."""
    stream = TinyStream()
    yield stream
    stream.stop()
    assert stream.failures == []


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


def test_after_a_break_it_goes_on_behind_what_was_shown(
    herdbook: Herdbook, tiny_stream: TinyStream
) -> None:
    """Half a line is not shown, and comes whole from the next connection; nothing comes twice."""
    tiny_stream.start(
        breaking_off(40, 41, 42, half=b'{"jsonrpc": "2.0", "method": "feed.change", "par'),
        breaking_off(42),
        telling(42, 43, 44),
    )
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--count", "4")
    assert ran.code == 0
    assert [line.split()[1] for line in ran.out.splitlines()] == ["#41", "#42", "#43", "#44"]
    assert [params["from"] for params in tiny_stream.params()] == ["now", 42, 42]
    assert ran.err.count("trying again") == 2


def test_now_is_kept_over_a_break_before_the_first_change(
    herdbook: Herdbook, tiny_stream: TinyStream
) -> None:
    """What is written while the connection is away is not lost, though nothing was shown yet."""
    tiny_stream.start(breaking_off(40), telling(40, 41))
    herdbook("feed", "tail", "--url", tiny_stream.url, "--count", "1")
    assert [params["from"] for params in tiny_stream.params()] == ["now", 40]


def test_positions_that_were_passed_over_are_not_asked_for_again(
    herdbook: Herdbook, tiny_stream: TinyStream
) -> None:
    """A page without changes moves the place as well."""

    def act(peer: Peer) -> None:
        peer.subscribe(0)
        peer.tell(next_=1_000)

    tiny_stream.start(act, telling(1_000, 1_001))
    herdbook("feed", "tail", "--url", tiny_stream.url, "--count", "1")
    assert [params["from"] for params in tiny_stream.params()] == ["now", 1_000]


def overflowing(reason: str) -> Act:
    """Tell a change, and end the subscription."""

    def act(peer: Peer) -> None:
        peer.subscribe(6)
        peer.tell(7)
        peer.overflow(9, reason)
        peer.wait_for_the_end()

    return act


def follow(stream: TinyStream, count: int, pauses: list[float]) -> None:
    """Follow a stream without waiting where the command would."""
    Tail(Address.parse(stream.url), {}, "now", count, Output(False), pauses.append).run()


def test_an_ended_subscription_is_taken_up_again(
    capsys: pytest.CaptureFixture[str], tiny_stream: TinyStream
) -> None:
    """A command that was stopped for a while goes on where it was."""
    tiny_stream.start(overflowing("stalled"), telling(9, 10))
    pauses: list[float] = []
    follow(tiny_stream, 2, pauses)
    assert [params["from"] for params in tiny_stream.params()] == ["now", 9]
    assert pauses == [1.0]
    assert "ended the subscription (stalled); trying again" in capsys.readouterr().err


def test_pauses_grow_while_the_node_is_away(tiny_stream: TinyStream) -> None:
    """A node that is away for long is not asked ten times a second."""

    def refusing(peer: Peer) -> None:
        error = {"code": -32000, "message": "away", "data": {"retryable": True}}
        peer.say(id=peer.asked()["id"], error=error)

    tiny_stream.start(breaking_off(5), *[refusing] * 8, telling(5, 6))
    pauses: list[float] = []
    follow(tiny_stream, 1, pauses)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def refusing(peer: Peer, code: str) -> None:
    """Refuse the next call."""
    data = {"code": code, "hint": "Run `herdbook schema check`.", "retryable": False}
    error = {"code": -32007, "message": "a column is missing", "data": data}
    peer.say(id=peer.asked()["id"], error=error)


def test_what_is_wrong_with_the_node_is_said_once_with_its_hint(
    capsys: pytest.CaptureFixture[str], tiny_stream: TinyStream
) -> None:
    """It is asked less and less often until it is well, and then the output goes on."""

    def mended(peer: Peer) -> None:
        peer.subscribe(6)
        peer.tell(7)
        peer.overflow(7, "server.schema")
        for _ in range(4):
            refusing(peer, "server.schema")
        peer.say(id=peer.asked()["id"], result={})
        peer.wait_for_the_end()

    def still_broken(peer: Peer) -> None:
        peer.subscribe(7)
        peer.overflow(7, "server.schema")
        refusing(peer, "server.schema")
        peer.say(id=peer.asked()["id"], result={})
        peer.wait_for_the_end()

    tiny_stream.start(mended, still_broken, telling(7, 8))
    pauses: list[float] = []
    follow(tiny_stream, 2, pauses)
    assert pauses == [1.0, 2.0, 4.0, 5.0, 5.0]
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "a column is missing (Run `herdbook schema check`.); trying again"
    ]
    assert [line.split()[1] for line in told.out.splitlines()] == ["#7", "#8"]
    asked = [params for params in tiny_stream.params() if "limit" in params]
    assert asked == [{"from": 7, "limit": 1}] * 7


def test_an_end_that_the_node_could_read_on_from_is_waited_out_once(
    capsys: pytest.CaptureFixture[str], tiny_stream: TinyStream
) -> None:
    """What had passed when it was asked about costs one pause."""

    def passing(peer: Peer) -> None:
        peer.subscribe(6)
        peer.overflow(6, "server.schema")
        peer.say(id=peer.asked()["id"], result={})
        peer.wait_for_the_end()

    tiny_stream.start(passing, telling(6, 7))
    pauses: list[float] = []
    follow(tiny_stream, 1, pauses)
    assert pauses == [1.0]
    assert "ended the subscription (server.schema); trying again" in capsys.readouterr().err


def test_a_position_that_was_never_given_ends_it(
    herdbook: Herdbook, tiny_stream: TinyStream
) -> None:
    """The database was restored under a command that follows: the node's words, no more tries."""

    def restored(peer: Peer) -> None:
        peer.subscribe(6)
        peer.overflow(6, "feed.beyond_head")
        refusing(peer, "feed.beyond_head")
        peer.wait_for_the_end()

    tiny_stream.start(restored)
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--json")
    assert ran.code == 1
    assert ran.error()["data"]["code"] == "feed.beyond_head"


def test_an_end_for_good_is_told_with_what_to_do(
    herdbook: Herdbook, tiny_stream: TinyStream
) -> None:
    """Where going on would leave something out, the command ends."""
    tiny_stream.start(overflowing("too_large"))
    ran = herdbook("feed", "tail", "--url", tiny_stream.url, "--json")
    assert ran.code == 1
    assert ran.error()["code"] == "feed.too_large"
    assert "--keys" in ran.error()["hint"]


def test_a_position_that_is_no_longer_kept_is_told_with_the_ends(
    herdbook: Herdbook, tiny_stream: TinyStream
) -> None:
    """In words, and in numbers for programs."""

    def act(peer: Peer) -> None:
        peer.subscribe(9)
        peer.overflow(9, "pruned")
        ends = {"found": False, "changes": [], "next": 9, "head": 20, "horizon": 11}
        peer.say(id=peer.asked()["id"], result=ends)
        peer.wait_for_the_end()

    tiny_stream.start(act)
    ran = herdbook("feed", "tail", "--from", "9", "--url", tiny_stream.url, "--json")
    assert ran.code == 1
    error = ran.error()
    assert error["code"] == "feed.pruned"
    assert error["message"] == (
        "the changes after position 9 are no longer kept; those after 11 are, up to 20"
    )
    assert (error["position"], error["head"], error["horizon"]) == (9, 20, 11)
    assert "--from now" in error["hint"]
    assert tiny_stream.params()[1] == {"from": 9, "limit": 1, "rows": False}


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
