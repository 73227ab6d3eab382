"""A database server as a child process, with its own directory and socket.

server = PrivateServer(Path("herd"))
server.start()
server.create_database("herdbook")
... server.url("herdbook") ...
server.stop()
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from urllib.parse import quote

from service.server.data import record_origin, recorded_origin, require_fitting, set_up_data
from service.server.errors import DirectoryUnusable, ServerFailed
from service.server.find import Program, find_program
from service.server.layout import Layout
from service.server.lock import DirectoryLock, require_unused
from service.server.options import serve_command
from service.server.processes import end_process, servers_on
from service.server.statements import answers, create_database, drop_database

# How often a starting server is asked whether it is ready.
_ASK_EVERY_SECONDS = 0.05


class PrivateServer:
    """One server on one directory. The object's owner starts it and must stop it.

    `program` is found on the machine where it is not given: of the kind that wrote the directory,
    if there are data already. `start_seconds` bounds a start, in which a server that crashed may
    have to recover; `stop_seconds` is how long it may take to end by itself. `options` are further
    command-line options of the server.
    """

    def __init__(
        self,
        directory: Path,
        program: Program | None = None,
        *,
        buffer_pool_megabytes: int = 128,
        start_seconds: float = 120,
        stop_seconds: float = 60,
        options: Sequence[str] = (),
    ) -> None:
        self.layout = Layout(directory.absolute())
        self.program = program or self._fitting_program()
        self._buffer_pool_megabytes = buffer_pool_megabytes
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._options = list(options)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = DirectoryLock(self.layout.lock)

    @property
    def directory(self) -> Path:
        """The directory that holds everything of this server."""
        return self.layout.directory

    @property
    def socket(self) -> Path:
        """The socket on which the server is reached."""
        return self.layout.socket

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs, else None."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether the process is alive (frozen counts as alive)."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str) -> str:
        """The URL of a database on this server, over its socket."""
        name, socket = quote(database, safe=""), quote(str(self.socket))
        return f"mysql://root@localhost/{name}?unix_socket={socket}"

    def start(self) -> None:
        """Start the server and wait until it answers; set the directory up if it is new.

        A server that a killed node left running here is stopped first. Raises a ServerError that
        says why it did not start.
        """
        if self.running:
            return
        owned = self._lock.held
        try:
            self.layout.prepare()
            self._lock.take()
            self._start_owned()
        except OSError as error:
            self._give_up(owned)
            raise DirectoryUnusable(
                f"The directory {self.directory} cannot be used for a database server: "
                f"{error.strerror}: {error.filename}. Choose one that this user may write to."
            ) from error
        except BaseException:
            self._give_up(owned)
            raise

    def stop(self) -> None:
        """End the server in good order; by force only if it does not end in time."""
        if self._process is not None:
            end_process(self._process.pid, self._stop_seconds)
            self._process.wait()
            self.layout.tidy()
        self._process = None
        self._lock.release()

    def kill(self) -> None:
        """End the server at once, as a crash would. `start` brings it back."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop and start again, on the same socket."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Hold the process still: connections stay open and nobody answers, once this returns."""
        self._signal(signal.SIGSTOP)
        if self._process is not None and self.running:
            # A parent is told when the last thread has stopped, or when the process has ended.
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def create_database(self, name: str) -> None:
        """Make a database for UTF-8 text that compares byte by byte; leave one that is there."""
        create_database(self.socket, name)

    def drop_database(self, name: str) -> None:
        """Remove a database with all its tables; none of that name is fine."""
        drop_database(self.socket, name)

    def __enter__(self) -> Self:
        """Start the server for the time of a `with` block."""
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop the server at the block's end."""
        self.stop()

    def _fitting_program(self) -> Program:
        """A program of the kind that wrote the directory, or any if it is new."""
        origin = recorded_origin(self.layout)
        return find_program(origin.kind if origin else None)

    def _start_owned(self) -> None:
        """Start on a directory that is ours alone: a server that still runs here is a leftover."""
        if self.layout.data.exists():
            for pid in list(servers_on(self.layout.data)):
                end_process(pid, self._stop_seconds)
            require_unused(self.layout.data)
            require_fitting(self.program, self.layout)
        else:
            set_up_data(self.program, self.layout)
        self._launch()
        self._wait_until_ready()
        record_origin(self.program, self.layout)

    def _launch(self) -> None:
        """Start the process: in a session of its own, so that the terminal's Ctrl-C misses it."""
        command = serve_command(self.program, self.layout, self._buffer_pool_megabytes)
        self.layout.put_aside_long_log()
        self.layout.forget_former_run()
        with self.layout.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options],
                # `servers_on` recognises it by this folder.
                cwd=self.layout.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        """Ask until the server answers; raise ServerFailed when it dies or takes too long."""
        deadline = time.monotonic() + self._start_seconds
        while time.monotonic() < deadline:
            if not self.running:
                raise self._failed("ended before it was ready")
            if answers(self.socket):
                return
            time.sleep(_ASK_EVERY_SECONDS)
        raise self._failed(f"did not answer within {self._start_seconds:g} seconds")

    def _failed(self, what: str) -> ServerFailed:
        """The error for a start that failed, with the end of the log."""
        return ServerFailed(
            f"The database server {self.program.path} on {self.directory} {what}. "
            f"The end of {self.layout.log}:\n{self.layout.last_words()}"
        )

    def _give_up(self, owned: bool) -> None:
        """After a failed start: no process, and the directory is free unless we had it before."""
        self.kill()
        if owned:
            return
        if self._lock.held:
            self.layout.tidy()
        self._lock.release()

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the running server."""
        if self._process is not None and self.running:
            self._process.send_signal(number)
