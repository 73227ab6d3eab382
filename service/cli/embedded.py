"""A node with its own server, as `up` and `demo` run it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from records.catalogue import Catalogue
from service.cli.advice import hints_about, option_words, with_options
from service.cli.options import make_importable
from service.cli.output import CommandFailed, ExitCode, Output
from service.cli.place import DATABASE, Place, Running
from service.cli.prepare import catalogue_for, leave_no_core_dump, migrate, start_log
from service.cli.signals import end_as_by_ctrl_c, end_if_asked, hand_over
from service.cli.waited import write_what_waited
from service.config import DEFAULT_FILE, Configuration, load_configuration
from service.server import PrivateServer, find_program
from service.server.keeper import Keeper
from service.server.processes import end_process

READY_SECONDS = 180.0
_ASK_EVERY_SECONDS = 0.1
_STOP_SECONDS = 60.0
_LAST_LINES = 15

_NOT_YET = "mysql://root@localhost/herdbook"
"""Stands for the database's URL while its server is not there."""


class _Told(msgspec.Struct):
    """What a command with --json says of the error that ended it."""

    error: dict[str, object]


@dataclass(frozen=True)
class Embedded:
    """What is run: a place, a configuration file if any, and what the command line says over it."""

    place: Place
    file: Path | None
    given: Mapping[str, object]
    output: Output

    def run(self, on_ready: Callable[[Running], None]) -> None:
        """Start the server, migrate and serve until a signal ends it; stops the server always.

        What is wrong with the configuration or the record classes is told before anything starts.
        """
        before = self._configuration(_NOT_YET)
        make_importable(before.folder)
        catalogue = catalogue_for(before)
        leave_no_core_dump()
        start_log(before.log.level)
        with private_server(self.place, self.output) as server:
            configuration = self._configuration(server.url(DATABASE))
            with hints_about(self.same_place()):
                migrate(configuration, catalogue, self.output)
                write_what_waited(configuration, catalogue, self.output)
            end_if_asked()
            self._serve(server, configuration, catalogue, on_ready)

    def _configuration(self, database: str) -> Configuration:
        """The configuration, on this database; raises ConfigurationError."""
        given = {**self.given, "database.url": database}
        return tokens_at(self.place, load_configuration(self.file, os.environ, given))

    def same_place(self, *, from_anywhere: bool = False) -> list[str]:
        """What tells `herdbook schema` of this database and this project.

        Whoever reads it is in this folder, or `from_anywhere`.
        """
        config = None if self.file in (None, Path(DEFAULT_FILE)) else self.file
        if from_anywhere and self.file is not None:
            config = self.file.absolute()
        return option_words(
            {
                "--dir": self.place.directory,
                "--config": config,
                "--records": self.given.get("node.records"),
                "--migrations": self.given.get("node.migrations"),
            }
        )

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
                stream=addresses.stream,
                admin=addresses.admin,
                database=server.url(DATABASE),
                dir=str(self.place.directory),
                pid=os.getpid(),
            )
            self.place.tell(running)
            on_ready(running)
            hand_over()

        try:
            with Keeper(server), _ports_advised():
                advise = partial(with_options, options=self.same_place(from_anywhere=True))
                run_node(configuration, catalogue, ready, advise)
        finally:
            self.place.forget()


@contextmanager
def _ports_advised() -> Iterator[None]:
    """Let who finds a port taken know of `--port`, by CommandFailed in the place of the error."""
    from service.transports.listening import CannotListen

    try:
        yield
    except CannotListen as error:
        if not error.listener.startswith("listen."):
            raise
        hint = (
            "Or run the same command again with --port PORT, which is for calls; admin and stream "
            "take free ones then."
        )
        raise CommandFailed(str(error), hint, code="transports.cannot_listen") from error


def tokens_at(place: Place, configuration: Configuration) -> Configuration:
    """The configuration of a node on a directory, where its tokens are unless it says otherwise."""
    if configuration.access.tokens is not None:
        return configuration
    return replace(configuration, access=replace(configuration.access, tokens=place.tokens))


@contextmanager
def private_server(place: Place, output: Output) -> Iterator[PrivateServer]:
    """The private server of a directory, with its database, for the time of a block."""
    end_as_by_ctrl_c()
    place.require_usable()
    fresh = not place.layout.data.exists()
    if fresh:
        output.note(f"setting up a database server in {place.directory}")
    with PrivateServer(place.directory, find_program() if fresh else None) as server:
        server.create_database(DATABASE)
        yield server


@contextmanager
def database_in(place: Place, output: Output, *, may_make: bool) -> Iterator[str]:
    """The URL of a directory's database: of the node that runs there, else of a server started.

    Where there is none, one is set up if the command `may_make` it; else raises CommandFailed.
    """
    running = place.running()
    if running is not None:
        yield running.database
        return
    if not (may_make or place.layout.data.exists()):
        named = shlex.quote(str(place.directory))
        raise CommandFailed(
            f"no node's database is in {place.directory}",
            f"name the directory that `herdbook up` was given. `herdbook schema upgrade --dir "
            f"{named}` sets up a database there, and so does `herdbook up --dir {named}`",
            code="no_database_there",
        )
    with private_server(place, output) as server:
        yield server.url(DATABASE)


@dataclass(frozen=True)
class Detached:
    """A node's process that has begun to start. Whoever began it ends it, if `ready` has not."""

    place: Place
    child: subprocess.Popen[bytes]
    log_start: int

    def ready(self) -> Running:
        """Wait until the node is ready.

        Raises CommandFailed with the end of its log if it ends before that.
        """
        try:
            running = _ready(self.place, self.child)
        except BaseException:
            self.end()
            raise
        if running is None:
            self.end()
            raise _told(_last_words(self.place.log, self.log_start), self.child.wait())
        return running

    def ask_to_end(self) -> None:
        """Ask the process to end, and do not wait for it."""
        self.child.terminate()

    def end(self) -> None:
        """End the process and its server; one that is gone is fine."""
        end_process(self.child.pid, _STOP_SECONDS)
        self.child.wait()


def begin_detached(
    place: Place, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> Detached:
    """Run a command line as a process of its own, in this environment or that of this process."""
    place.require_usable()
    start = place.log.stat().st_size if place.log.exists() else 0
    with place.log.open("ab") as log:
        child = subprocess.Popen(
            # -P: a folder called `schema` here must not hide ours.
            [sys.executable, "-P", "-m", "service.cli.main", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment,
        )
    return Detached(place, child, start)


def _told(words: list[str], exit_code: int) -> CommandFailed:
    """The error with which a node's process ended, as it told it; else the end of its log."""
    for line in reversed(words):
        try:
            error = msgspec.json.decode(line, type=_Told).error
        except msgspec.MsgspecError:
            continue
        code = ExitCode(exit_code) if exit_code in set(ExitCode) else ExitCode.FAILED
        hint = str(error.get("hint", ""))
        return CommandFailed(str(error["message"]), hint, code=str(error["code"]), exit_code=code)
    return CommandFailed("the node did not start:\n" + "\n".join(words[-_LAST_LINES:]))


def _ready(place: Place, child: subprocess.Popen[bytes]) -> Running | None:
    """What a node's process tells once it is ready; None if it ends or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        running = place.running()
        if running is not None and running.pid == child.pid:
            return running
        time.sleep(_ASK_EVERY_SECONDS)
    return None


def _last_words(log: Path, start: int) -> list[str]:
    """The lines that were written into a log from a place on."""
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace")
    return text.splitlines()
