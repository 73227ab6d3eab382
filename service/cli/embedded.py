"""A node with its own server, as `up` and `demo` run it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from records.catalogue import Catalogue
from service.cli.output import CommandFailed, Output
from service.cli.place import DATABASE, Place, Running
from service.cli.prepare import catalogue_for, migrate, start_log
from service.cli.signals import end_as_by_ctrl_c
from service.config import Configuration, load_configuration
from service.server import PrivateServer, find_program
from service.server.keeper import Keeper
from service.server.processes import end_process

_READY_SECONDS = 180.0
_ASK_EVERY_SECONDS = 0.1
_STOP_SECONDS = 60.0
_LAST_LINES = 15


@dataclass(frozen=True)
class Embedded:
    """What is run: a place, a configuration file if any, and what the command line says over it."""

    place: Place
    file: Path | None
    given: Mapping[str, object]
    output: Output

    def run(self, on_ready: Callable[[Running], None]) -> None:
        """Start the server, migrate and serve until a signal ends it; stops the server always."""
        with private_server(self.place, self.output) as server:
            configuration = self.configuration(server)
            start_log(configuration.log.level)
            catalogue = catalogue_for(configuration)
            migrate(configuration, catalogue, self.output)
            self._serve(server, configuration, catalogue, on_ready)

    def configuration(self, server: PrivateServer) -> Configuration:
        """The configuration, on this server; raises ConfigurationError."""
        over = {**self.given, "database.url": server.url(DATABASE)}
        return load_configuration(self.file, os.environ, over)

    def _serve(
        self,
        server: PrivateServer,
        configuration: Configuration,
        catalogue: Catalogue,
        on_ready: Callable[[Running], None],
    ) -> None:
        """Serve, and tell those who look at the directory."""
        # Twisted is imported only once everything before it has worked.
        from service.node import Addresses, run_node

        def ready(addresses: Addresses) -> None:
            running = Running(
                rpc=addresses.rpc,
                admin=addresses.admin,
                database=server.url(DATABASE),
                dir=str(self.place.directory),
                pid=os.getpid(),
            )
            self.place.tell(running)
            on_ready(running)

        try:
            with Keeper(server):
                run_node(configuration, catalogue, ready)
        finally:
            self.place.forget()


@contextmanager
def private_server(place: Place, output: Output) -> Iterator[PrivateServer]:
    """The private server of a directory, with its database, for the time of a block."""
    end_as_by_ctrl_c()
    fresh = not place.layout.data.exists()
    if fresh:
        output.note(f"setting up a database server in {place.directory}")
    with PrivateServer(place.directory, find_program() if fresh else None) as server:
        server.create_database(DATABASE)
        yield server


@contextmanager
def database_in(place: Place, output: Output) -> Iterator[str]:
    """The URL of a directory's database: of the node that runs there, else of a server started."""
    running = place.running()
    if running is not None:
        yield running.database
        return
    with private_server(place, output) as server:
        yield server.url(DATABASE)


def start_detached(place: Place, arguments: Sequence[str]) -> Running:
    """Run a command line as a process of its own, and wait until its node is ready.

    Raises CommandFailed with the end of its log if it ends before that.
    """
    place.directory.mkdir(parents=True, exist_ok=True)
    start = place.log.stat().st_size if place.log.exists() else 0
    with place.log.open("ab") as log:
        child = subprocess.Popen(
            # -P: a folder called `schema` here must not hide ours.
            [sys.executable, "-P", "-m", "service.cli.main", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        running = _ready(place, child)
    except BaseException:
        end_process(child.pid, _STOP_SECONDS)
        raise
    if running is None:
        end_process(child.pid, _STOP_SECONDS)
        raise CommandFailed(f"the node did not start:\n{_last_words(place.log, start)}")
    return running


def _ready(place: Place, child: subprocess.Popen[bytes]) -> Running | None:
    """What a node's process tells once it is ready; None if it ends or takes too long."""
    deadline = time.monotonic() + _READY_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        running = place.running()
        if running is not None and running.pid == child.pid:
            return running
        time.sleep(_ASK_EVERY_SECONDS)
    return None


def _last_words(log: Path, start: int) -> str:
    """What was written into a log from a place on, its end only."""
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-_LAST_LINES:])
