"""A node as a process, on a database of the tests' servers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from records.catalogue import load_catalogue
from schema.migrator import Migrator
from service.database_url import DatabaseUrl

RECORDS = "tests.live.every_kind"
_START_SECONDS = 60.0
_CALL_SECONDS = 60.0
_STOP_SECONDS = 30.0


class CallFailed(AssertionError):
    """The node answered with a JSON-RPC error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(json.dumps(error))
        self.error = error
        self.number: int = error["code"]
        self.code: str = error["data"]["code"]
        self.errors: list[dict[str, Any]] = error["data"].get("errors", [])


class NodeProcess:
    """`herdbook serve` on a database, for the time of a `with` block."""

    def __init__(
        self, folder: Path, database: str, *, through: Sequence[str] = (), **settings: str
    ) -> None:
        """`through` is a command that runs the one whose words follow it."""
        self._through = through
        self._folder = folder
        self._database = database
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self.rpc = ""
        self.admin = ""
        self.stream = ""
        self.herd = ""

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        """Start it, and wait until it is ready."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        environment = {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "HERDBOOK_NODE_RECORDS": RECORDS,
            "HERDBOOK_NODE_MIGRATIONS": str(self._folder / "migrations"),
            "HERDBOOK_DATABASE_URL": self._database,
            "HERDBOOK_LISTEN_RPC": "tcp:0:interface=127.0.0.1",
            "HERDBOOK_LISTEN_ADMIN": "tcp:0:interface=127.0.0.1",
            "HERDBOOK_LISTEN_STREAM": "tcp:0:interface=127.0.0.1",
        }
        with (self._folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._through, sys.executable, "-m", "service.cli.main", "serve", "--json"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self._folder,
                env=os.environ | environment | self._settings,
            )
        ready = self._first_line()
        assert ready, f"the node did not start: {self.log()}"
        told = json.loads(ready)
        self.rpc, self.admin, self.stream = told["rpc"], told["admin"], told["stream"]
        self.herd = told["herd"] or ""

    def stop(self) -> None:
        """Stop it; one that was never started, or has ended, is fine."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def log(self) -> str:
        """What it said; nothing where it was never started."""
        log = self._folder / "node.log"
        return log.read_text() if log.exists() else ""

    def call(self, method: str, params: Any = None, token: str = "") -> Any:
        """The result of one call on a connection of its own; raises CallFailed."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        answer = self.post(call, token)
        if "error" in answer:
            raise CallFailed(answer["error"])
        return answer["result"]

    def post(self, document: Any, token: str = "") -> Any:
        """The reply to any body, with a token where one is given."""
        parts = urlsplit(self.rpc)
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=_CALL_SECONDS
        )
        try:
            headers = {"Content-Type": "application/json"}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            connection.request("POST", "/", json.dumps(document), headers)
            response = connection.getresponse()
            return json.loads(response.read() or b"null")
        finally:
            connection.close()

    def _first_line(self) -> str:
        """The line that says it is ready; empty if it ends or takes too long."""
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = threading.Timer(_START_SECONDS, self._process.kill)
        deadline.start()
        try:
            return self._process.stdout.readline()
        finally:
            deadline.cancel()


def page(node: NodeProcess, path: str) -> str:
    """A page of the admin listener, whatever its status."""
    try:
        answer = urllib.request.urlopen(node.admin.rstrip("/") + path, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text: str = answer.read().decode()
        return text


def migrate(folder: Path, database: str, records: str = RECORDS) -> None:
    """Write the first revision of a record module into a folder, and run it."""
    (folder / "migrations").mkdir(exist_ok=True)
    url = DatabaseUrl.parse(database).as_sqlalchemy()
    migrator = Migrator(url, load_catalogue(records), folder / "migrations")
    migrator.upgrade()
    migrator.revision("first tables")
    migrator.upgrade()


@contextmanager
def served(folder: Path, database: str, **settings: str) -> Iterator[NodeProcess]:
    """A node on a database that is migrated first."""
    migrate(folder, database)
    with NodeProcess(folder, database, **settings) as node:
        yield node
