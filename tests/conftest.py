"""What all tests share: the two database servers, and an empty database on each."""

from __future__ import annotations

import itertools
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from service.server import PrivateServer, ServerKind
from tests.servers.memory import SHARED_MEMORY, available
from tests.servers.programs import chosen_kinds, program_of
from tests.servers.runs import folder_in

_numbers = itertools.count(1)

# How long an example takes is the machine's business.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Temporary files are in memory where they can be, and children get signals.

    A run in the background ignores SIGINT, one under nohup SIGHUP; its children would as well.

    A signal that is handled, if only by doing nothing, is a child's to decide on.
    """
    folder = folder_in(SHARED_MEMORY, available())
    if folder is not None:
        config.add_cleanup(folder.remove)
        config.option.basetemp = config.option.basetemp or str(folder.tests)
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


class Servers:
    """The running servers of this test session, each started when it is first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: dict[ServerKind, PrivateServer] = {}

    def get(self, kind: ServerKind) -> PrivateServer:
        """The server of this kind, running."""
        if kind not in self._running:
            server = PrivateServer(self._directory / kind, program_of(kind))
            server.start()
            self._running[kind] = server
        return self._running[kind]

    def stop(self) -> None:
        """Stop all that were started."""
        for server in self._running.values():
            server.stop()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The pool of servers; their directories go away with the session."""
    directory = Path(tempfile.mkdtemp(prefix="herdbook-tests-"))
    pool = Servers(directory)
    yield pool
    pool.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session", params=chosen_kinds(), ids=str)
def server(request: pytest.FixtureRequest, servers: Servers) -> PrivateServer:
    """A running server, of each kind in turn. Shared by all tests: leave it running."""
    kind: ServerKind = request.param
    return servers.get(kind)


@pytest.fixture
def database(server: PrivateServer) -> Iterator[str]:
    """The URL of a fresh empty database on the server, dropped after the test."""
    name = f"test_{next(_numbers)}"
    server.create_database(name)
    yield server.url(name)
    server.drop_database(name)
