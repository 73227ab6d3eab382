"""Who calls too often, at all three doors: refused with what to do, and not shut out."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from service.access.door import Door
from service.access.rates import Limiter, rate_of
from service.errors import TooManyCalls
from service.transports.admin import AdminPages
from service.transports.http import RpcFactory
from service.transports.web import Answer, Asked
from tests.service.access.tokens import door, secret, token
from tests.service.transports.guarded import ADDRESS, Guarded, body, code_of, told
from tests.service.transports.live import post
from tests.service.transports.memory import LIMITS, Line

READER, SLOW = secret(1), secret(2)


class World:
    """Both doors with a limit of ten calls for a token, and twenty for an address."""

    def __init__(self) -> None:
        self.now = 0.0
        limiter = Limiter(rate_of(1), rate_of(2), lambda: self.now)
        tokens = (token(1, "read"), token(2, "read", rate=0.2))
        self.door: Door = door(*tokens, required=True, limiter=limiter)
        self.guarded = Guarded(self.door)


@pytest.fixture
def world() -> World:
    """The doors."""
    return World()


def test_too_many_calls_over_http_are_answered_with_429(world: World) -> None:
    """With the seconds to wait, for HTTP whole ones; then the next is answered."""
    for _ in range(10):
        assert world.guarded.post("cow.list", token=READER).status == 200
    refused = world.guarded.post("cow.list", token=READER)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    error = told(refused)["error"]
    assert (error["code"], code_of(told(refused))) == (1505, "access.too_many")
    assert 0 < error["data"]["retry_seconds"] <= 1
    assert error["data"]["retryable"] is True
    world.now += error["data"]["retry_seconds"]
    assert world.guarded.post("cow.list", token=READER).status == 200
    assert len(world.guarded.called) == 11


def test_every_call_of_a_batch_counts(world: World) -> None:
    """Those within the limit are carried out, each of the others says why not."""
    answers = told(world.guarded.post(*["cow.list"] * 12, token=READER))
    assert [("result" in one) for one in answers] == [True] * 10 + [False] * 2
    assert {code_of(one) for one in answers[10:]} == {"access.too_many"}
    assert len(world.guarded.called) == 10


@pytest.mark.parametrize("sent", [b"[", b"[]", b"[" + b"1," * 99 + b"1]", b"\xff"])
def test_a_body_without_a_call_counts_as_one(world: World, sent: bytes) -> None:
    """Over HTTP and on the stream: who sends what is no call has no more of it than of calls."""
    answers: list[Any] = [world.guarded.posting_body(sent, READER) for _ in range(15)]
    assert [one.result.status for one in answers] == [200] * 10 + [429] * 5
    world.now += 20
    client = world.guarded.connect()
    client.ask("session.login", READER)
    for _ in range(15):
        client.send(sent + b"\n")
    refused = [code_of(one) for one in client.received() if isinstance(one, dict)]
    assert refused[-5:] == ["access.too_many"] * 5
    assert refused.count("access.too_many") == 5
    assert not client.is_closed()


def test_a_call_beside_what_is_none_counts_once(world: World) -> None:
    """Ten bodies, each with one call and one thing that is none, are as many calls."""
    sent = b"[1," + body("cow.list") + b"]"
    answers: list[Any] = [world.guarded.posting_body(sent, READER) for _ in range(11)]
    assert [one.result.status for one in answers] == [200] * 10 + [429]
    assert len(world.guarded.called) == 10


def test_on_the_stream_a_call_is_refused_and_the_connection_stays(world: World) -> None:
    """What is subscribed goes on; after a while calls are answered again."""
    client = world.guarded.connect()
    client.ask("session.login", READER)
    answers = [client.ask("cow.list") for _ in range(12)]
    assert [("result" in one) for one in answers] == [True] * 10 + [False] * 2
    assert code_of(answers[-1]) == "access.too_many"
    assert not client.is_closed()
    world.now += 1
    assert client.ask("cow.list")["result"] == "token:app-1@192.0.2.7"


def test_a_tokens_own_rate_counts(world: World) -> None:
    """Two calls at once, of one in five seconds."""
    statuses = [world.guarded.post("cow.list", token=SLOW).status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]


def test_guessing_tokens_is_limited(world: World) -> None:
    """Over HTTP and over the stream, by address; a good token from elsewhere counts on."""
    factory = RpcFactory(world.guarded.runner, LIMITS, world.guarded.clock, world.door)
    refused = [factory.stranger(_bearer(secret(9)), _Peer()) for _ in range(30)]
    statuses = [one.status for one in refused if one is not None]
    assert statuses == [401] * 20 + [429] * 10
    client = world.guarded.connect()
    assert code_of(client.ask("session.login", secret(9))) == "access.too_many"
    assert factory.stranger(_bearer(READER), _Peer("198.51.100.7")) is None


class _Peer:
    def __init__(self, host: str = ADDRESS) -> None:
        self.host = host


def _bearer(shown: str) -> dict[str, str]:
    return {"authorization": f"Bearer {shown}"}


def test_the_body_of_a_call_too_many_is_not_waited_for(world: World) -> None:
    """The answer comes with the end of the headers."""
    world.door.limiter = Limiter(None, None, lambda: 0.0)
    factory = RpcFactory(world.guarded.runner, LIMITS, world.guarded.clock, world.door)
    world.door.book = world.door.book.with_token(token(3, "read", name="once", rate=0.1))
    whole = post(body("cow.list"), extra=f"Authorization: Bearer {secret(3)}\r\n")
    first = Line(factory)
    first.send(whole)
    assert first.received.startswith(b"HTTP/1.1 200 ")
    second = Line(factory)
    second.send(whole[:-5])
    assert second.received.startswith(b"HTTP/1.1 429 ")
    assert b"Retry-After: 10\r\n" in second.received


class Probed:
    """The admin listener's pages, and how often its one check was made."""

    def __init__(self, world: World) -> None:
        self.clock = Clock()
        self.checked = 0
        pages = {"database": self._check}
        self._pages = AdminPages(pages, CollectorRegistry(), self.clock, world.door)

    def status(self, address: str, path: str = "/readyz", shown: str | None = None) -> int:
        """The status of a page, for who is at an address."""
        headers = {} if shown is None else _bearer(shown)
        asked = Asked("GET", path, headers=headers, address=address)
        answered: Any = Deferred.fromCoroutine(self._pages(asked))
        assert isinstance(answered.result, Answer)
        return answered.result.status

    async def _check(self) -> None:
        self.checked += 1


def test_who_calls_too_often_keeps_no_probe_of_his_neighbours_away(world: World) -> None:
    """A node that is busy is not one that is dead: what has used up its calls gets no 429 here."""
    probed = Probed(world)
    for _ in range(20):
        world.door.limiter.count(None, ADDRESS)
    with pytest.raises(TooManyCalls):
        world.door.limiter.look(None, ADDRESS)
    assert [probed.status(ADDRESS, "/livez") for _ in range(50)] == [200] * 50
    assert [probed.status(ADDRESS) for _ in range(50)] == [200] * 50


def test_probes_take_no_calls_from_their_neighbours(world: World) -> None:
    """They come for as long as a node runs."""
    probed = Probed(world)
    for _ in range(50):
        probed.status(ADDRESS, "/livez")
        probed.status(ADDRESS)
    assert [world.guarded.post("cow.list", token=READER).status for _ in range(10)] == [200] * 10


def test_a_flood_of_probes_costs_few_checks(world: World) -> None:
    """What was found counts for a while; then the database is asked again."""
    probed = Probed(world)
    for _ in range(50):
        probed.status(ADDRESS)
    assert probed.checked == 1
    probed.clock.advance(1)
    probed.status(ADDRESS)
    assert probed.checked == 2


@pytest.mark.parametrize("path", ["/metrics", "/nothing", "/readyz"])
def test_what_is_no_probe_is_limited_on_the_admin_listener(world: World, path: str) -> None:
    """Such as tokens that are tried at the numbers or at `/readyz`; but not on this machine."""
    probed = Probed(world)
    statuses = [probed.status(ADDRESS, path, secret(9)) for _ in range(21)]
    assert 429 not in statuses[:20]
    assert statuses[20] == 429
    assert 429 not in [probed.status("127.0.0.1", path, secret(9)) for _ in range(50)]
