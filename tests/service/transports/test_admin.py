"""The admin listener tells probes and Prometheus the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from service.metrics import CallMetrics, new_registry
from service.transports.admin import AdminFactory, AdminPages
from service.transports.connections import WebFactory
from service.transports.readiness import Check
from service.transports.web import Answer, Asked
from tests.service.transports.live import LiveServer
from tests.service.transports.memory import Line
from tests.service.transports.reactor_thread import reactor


async def fine() -> None:
    """A check that passes."""


async def away() -> str:
    """A check that fails."""
    return "the database cannot be reached"


async def broken() -> str:
    """A check with a mistake in it."""
    raise RuntimeError("SELECT secret")


async def stuck() -> str:
    """A check that never ends."""
    await Deferred[None]()
    return "never said"


def ask(checks: Mapping[str, Check], path: str, query: str = "", method: str = "GET") -> Answer:
    """The answer of a page, after time enough for every check."""
    clock = Clock()
    pages = AdminPages(checks, new_registry(), clock)
    answered = Deferred.fromCoroutine(pages(Asked(method, path, query)))
    clock.advance(1.0)
    assert clock.getDelayedCalls() == []
    answer: Any = getattr(answered, "result", None)
    assert isinstance(answer, Answer)
    return answer


def test_probes_that_come_together_are_told_of_the_same_checks() -> None:
    """One that leaves takes nothing from the others; what is found is not kept for long."""
    clock, begun, waiting = Clock(), 0, Deferred[None]()

    async def slow() -> str | None:
        nonlocal begun
        begun += 1
        await waiting
        return "too full"

    pages = AdminPages({"disk": slow}, new_registry(), clock)
    asked: list[Any] = [Deferred.fromCoroutine(pages(Asked("GET", "/readyz"))) for _ in range(3)]
    asked[0].addErrback(lambda _: None)
    asked[0].cancel()
    waiting.callback(None)
    assert [one.result.body for one in asked[1:]] == [b"not ready: disk\n"] * 2
    assert begun == 1
    clock.advance(1.0)
    assert Deferred.fromCoroutine(pages(Asked("GET", "/readyz"))).called
    assert begun == 2


def test_a_running_process_is_alive_whatever_its_checks_say() -> None:
    """A node without its database is not restarted for that."""
    answer = ask({"database": away}, "/livez")
    assert (answer.status, answer.body) == (200, b"ok\n")


def test_a_node_is_ready_when_all_checks_pass() -> None:
    """Only then calls are sent to it."""
    assert ask({"database": fine, "schema": fine}, "/readyz").status == 200
    answer = ask({"database": fine, "schema": away}, "/readyz")
    assert (answer.status, answer.body) == (503, b"not ready: schema\n")


def test_verbose_readiness_lists_every_check() -> None:
    """An operator sees what is wrong and what is not."""
    answer = ask({"database": away, "schema": fine}, "/readyz", "verbose")
    assert answer.status == 503
    assert answer.body.decode().splitlines() == [
        "[-] database: the database cannot be reached",
        "[+] schema: ok",
        "not ready: database",
    ]
    assert ask({"schema": fine}, "/readyz", "verbose=1").body == b"[+] schema: ok\nok\n"


def test_a_broken_check_is_a_failed_one(caplog: pytest.LogCaptureFixture) -> None:
    """Its exception goes to the log and not over the wire."""
    answer = ask({"database": broken}, "/readyz", "verbose")
    assert answer.status == 503
    assert b"SELECT" not in answer.body
    assert b"trace" in answer.body
    assert "SELECT secret" in caplog.text


def test_a_check_that_hangs_is_a_failed_one() -> None:
    """A probe is answered in time, and other checks are not held up."""
    answer = ask({"database": stuck, "schema": fine}, "/readyz", "verbose")
    assert answer.status == 503
    assert b"[-] database: no answer within 0.8 seconds\n[+] schema: ok" in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading_is_possible(method: str) -> None:
    """Nothing can be changed through this listener."""
    answer = ask({}, "/metrics", method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_other_paths_name_those_there_are() -> None:
    """A wrong address is told the right ones."""
    answer = ask({}, "/rpc")
    assert answer.status == 404
    assert "/readyz" in json.loads(answer.body)["error"]


def test_prometheus_can_read_the_metrics_over_http(
    listen: Callable[[WebFactory], LiveServer],
) -> None:
    """The numbers about calls and the process are there, in base units, and in the right type."""
    registry = new_registry()
    metrics = CallMetrics(registry, {"country.get"})
    metrics.started()
    metrics.ended("country.get", "ok", 0.25)
    reply = listen(AdminFactory({}, registry, reactor)).request("GET", "/metrics")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {
        family.name: family for family in text_string_to_metric_families(reply.body.decode())
    }
    assert families["herdbook_rpc_calls"].type == "counter"
    assert families["herdbook_rpc_seconds"].type == "histogram"
    assert families["herdbook_rpc_calls_in_flight"].samples[0].value == 0
    assert "process_resident_memory_bytes" in families
    counted = [
        sample.labels
        for sample in families["herdbook_rpc_calls"].samples
        if sample.name == "herdbook_rpc_calls_total"
    ]
    assert counted == [{"method": "country.get", "outcome": "ok"}]


def test_closing_ends_the_connections_of_probes() -> None:
    """A node that stops does not wait for those who keep asking whether it is there."""
    clock = Clock()
    factory = AdminFactory({"database": fine}, new_registry(), clock)
    line = Line(factory)
    line.send(b"GET /readyz HTTP/1.1\r\nHost: herd\r\n\r\n")
    assert line.received.endswith(b"ok\n")
    assert not line.is_closing()
    closed = factory.close()
    assert line.is_closing()
    line.leave()
    assert closed.called
    assert clock.getDelayedCalls() == []


def test_probes_work_over_http(listen: Callable[[WebFactory], LiveServer]) -> None:
    """GET and HEAD are answered, and bodies are not read."""
    server = listen(AdminFactory({"database": away}, new_registry(), reactor))
    assert server.request("GET", "/livez").body == b"ok\n"
    assert server.request("GET", "/readyz?verbose").status == 503
    head = server.request("HEAD", "/livez")
    assert (head.status, head.body) == (200, b"")
    assert server.request("GET", "/livez", b"x" * 2_000).status == 413
