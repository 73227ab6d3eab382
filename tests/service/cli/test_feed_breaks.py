"""`herdbook feed tail` when something breaks: it goes on where it was, or says why it does not."""

from __future__ import annotations

from collections.abc import Callable

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
    telling,
)

Herdbook = Callable[..., Ran]


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


HINT = "Run `herdbook schema check`. Send the call again after a moment."


def refusing(peer: Peer, code: str) -> None:
    """Refuse the next call."""
    data = {"code": code, "hint": HINT, "retryable": False}
    error = {"code": -32007, "message": "a column is missing", "data": data}
    peer.say(id=peer.asked()["id"], error=error)


def test_what_is_wrong_with_the_node_is_said_once_with_its_hint(
    capsys: pytest.CaptureFixture[str], tiny_stream: TinyStream
) -> None:
    """It is asked less and less often until it is well, and then the output goes on.

    That the call is to be sent again is not said: the command does that.
    """

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
