"""A running reactor for the tests over sockets, and a log without surprises for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from twisted.logger import globalLogPublisher

from service.rpc.limits import Limits
from service.transports.connections import WebFactory
from service.transports.web import WebLimits
from tests.service.transports import reactor_thread
from tests.service.transports.live import HeldCalls, LiveServer, rpc_factory


@pytest.fixture(scope="session")
def running_reactor() -> Iterator[None]:
    """Twisted's reactor in a thread, stopped at the end of the session."""
    reactor_thread.start()
    yield
    reactor_thread.stop()


@pytest.fixture(autouse=True)
def quiet_twisted() -> Iterator[None]:
    """No exception may end up in Twisted's log, whatever a client does."""
    failures: list[Any] = []

    def observe(event: Any) -> None:
        if event.get("log_failure") is not None:
            failures.append(event["log_failure"].getTraceback())

    publisher = cast(Any, globalLogPublisher)
    publisher.addObserver(observe)
    yield
    publisher.removeObserver(observe)
    assert failures == []


@pytest.fixture
def held() -> HeldCalls:
    """The methods under test, with calls that wait."""
    return HeldCalls()


@pytest.fixture
def listen(running_reactor: None) -> Iterator[Callable[[WebFactory], LiveServer]]:
    """Starts listeners; all are stopped after the test."""
    servers: list[LiveServer] = []

    def listen(factory: WebFactory) -> LiveServer:
        servers.append(LiveServer(factory))
        return servers[-1]

    yield listen
    for server in servers:
        server.stop()


@pytest.fixture
def serve(listen: Callable[[WebFactory], LiveServer], held: HeldCalls) -> Callable[..., LiveServer]:
    """Starts a JSON-RPC listener over `held` with the limits given."""

    def serve(limits: Limits | None = None, web: WebLimits | None = None) -> LiveServer:
        return listen(rpc_factory(held, limits, web))

    return serve
