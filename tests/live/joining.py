"""A herd that lets newcomers in: an authority, its gate as a process, and machines that join.

with Herd(folder, servers) as herd, herd.gate() as gate:
    newcomer = Newcomer(folder / "barn", gate.address, token)
    newcomer.begin()
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import MySQLdb

from service.cli.place import DATABASE, Place
from service.server import ServerKind
from service.server.processes import servers_on
from tests.live.herds import ROOT, SECONDS, LiveHerd, assert_same, standing_at, states_at
from tests.live.node import CallFailed, NodeProcess
from tests.live.pasture import some_call
from tests.servers.programs import program_of
from tests.service.cli.nodes import caller, herdbook
from tests.service.store.tools import ask, raw_connection, read

RECORDS = "tests.live.pasture"
LOOPBACK = "127.0.0.1"


class Authority:
    """The folder of a herd's authority, what nodes get of it, and its invitations."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._more = dict(more or {})
        done("herd", "ca", "init", str(folder))

    def __call__(self, name: str) -> Mapping[str, str]:
        """The settings of a node that is there from the beginning."""
        done("herd", "ca", "issue", name, "--ca", str(self.folder))
        files = {"CERTIFICATE": "node.crt", "KEY": "node.key", "CA": "ca.crt"}
        folder = self.folder / "nodes" / name
        named = {f"HERDBOOK_HERD_{key}": str(folder / file) for key, file in files.items()}
        return {**named, **self._more}

    def invite(self, name: str, herd: LiveHerd, *more: str) -> str:
        """A token for a node that dials all nodes of a herd."""
        at = [f"tcp:{LOOPBACK}:{site.port}" for site in herd.sites]
        siblings = [word for each in at for word in ("--sibling", each)]
        ca = ("--ca", str(self.folder))
        return done("node", "invite", name, *ca, *siblings, *more).stdout.strip()

    @contextmanager
    def gate(self) -> Iterator[str]:
        """The address of the gate, which is open for the time of a block."""
        listen = f"tcp:0:interface={LOOPBACK}"
        words = ["node", "gate", "--ca", str(self.folder), "--listen", listen, "--json"]
        process = begun(words, stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["listen"]
        finally:
            process.kill()
            process.communicate()


class Newcomer:
    """A machine that joins: one command, begun as often as it takes."""

    def __init__(
        self, folder: Path, address: str, token: str, herd: LiveHerd, kind: ServerKind
    ) -> None:
        self.folder = folder
        self.place = Place(folder)
        self._words = ["join", address, token, "--dir", str(folder), "--records", RECORDS]
        self._words += ["--migrations", str(herd.sites[0].folder / "migrations")]
        self._words += ["--port", "0", "--json"]
        self._settings = {"HERDBOOK_SERVER": str(program_of(kind).path)}
        self.process: subprocess.Popen[str] | None = None

    def begin(self, *more: str) -> None:
        """Run the command, in the foreground."""
        out, log = subprocess.PIPE, self.folder.with_suffix(".log").open("ab")
        with log:
            self.process = begun([*self._words, *more], self._settings, stdout=out, stderr=log)

    def ended(self) -> dict[str, Any]:
        """What the command has told at its end, which is when the node runs on without it."""
        assert self.process is not None
        out, _err = self.process.communicate(timeout=2 * SECONDS)
        assert self.process.returncode == 0, self.log()
        told: dict[str, Any] = json.loads(out)
        return told

    def joined(self) -> dict[str, Any]:
        """What the command tells when the node has joined; it goes on serving."""
        assert self.process is not None
        assert self.process.stdout is not None
        deadline = threading.Timer(2 * SECONDS, self.process.kill)
        deadline.start()
        line = self.process.stdout.readline()
        deadline.cancel()
        assert line, self.log()
        told: dict[str, Any] = json.loads(line)
        return told

    def kill(self, with_server: bool) -> None:
        """End the command at once, and the server that it may have started."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()
        if with_server and self.place.layout.data.exists():
            for server in servers_on(self.place.layout.data):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(server, signal.SIGKILL)

    def stop(self) -> None:
        """End whatever runs of it, in good order where that is possible."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=SECONDS)
        if self.folder.is_dir():
            herdbook("down", "--dir", str(self.folder))

    def log(self) -> str:
        """What it has said."""
        logs = [self.folder.with_suffix(".log"), self.place.log]
        return "\n".join(each.read_text()[-6_000:] for each in logs if each.exists())

    @property
    def url(self) -> str:
        """Its database."""
        socket = quote(str(self.place.layout.socket))
        return f"mysql://root@localhost/{DATABASE}?unix_socket={socket}"

    def node(self, told: Mapping[str, Any]) -> NodeProcess:
        """Something to call it with, once it has told where it serves."""
        return caller(dict(told))

    def rows(self, statement: str) -> list[Any]:
        """What a query finds there; nothing while that cannot be asked."""
        try:
            return read(self.url, statement)
        except MySQLdb.Error:
            return []


class Load:
    """Calls that write, on all nodes of a herd, for the time of a `with` block."""

    def __init__(self, herd: LiveHerd, seed: str) -> None:
        self.done = 0
        self.failures: list[BaseException] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(node, random.Random(f"{seed} {number}")))
            for number, node in enumerate(herd.nodes)
        ]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """End."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _write(self, node: NodeProcess, chance: random.Random) -> None:
        while not self._ended.wait(0.05):
            try:
                node.call(*some_call(chance))
                self.done += 1
            except CallFailed:
                continue
            except BaseException as error:
                self.failures.append(error)
                return


def begun(
    words: Sequence[str], settings: Mapping[str, str] | None = None, **files: Any
) -> subprocess.Popen[str]:
    """A command as a process."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "service.cli.main", *words],
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(settings or {}),
        **files,
    )


def done(*words: str) -> subprocess.CompletedProcess[str]:
    """A command that has to succeed."""
    ran = herdbook(*words)
    assert ran.returncode == 0, ran.stderr
    return ran


def fill(herd: LiveHerd, cows: int) -> None:
    """So many cows on the first node, of farms that no load touches."""
    farms = [(f"large{number}", f"large {number}") for number in range(20)]
    rows = [(1_000 + number, f"large{number % 20}", number) for number in range(cows)]
    with raw_connection(herd.sites[0].database) as connection:
        for statement, values in (
            ("INSERT INTO farm (code, name) VALUES {}", farms),
            ("INSERT INTO cow (number, farm_code, weight) VALUES {}", rows),
        ):
            for at in range(0, len(values), 500):
                some = values[at : at + 500]
                marks = ", ".join(["(" + ", ".join(["%s"] * len(some[0])) + ")"] * len(some))
                ask(
                    connection, statement.format(marks), tuple(each for row in some for each in row)
                )


def require_equal(herd: LiveHerd, newcomer: Newcomer, rpc: str) -> None:
    """Nobody writes any more: all agree, and `herdbook verify` finds them equal, row by row.

    What the newcomer has written last may still be on its way, so all are waited for together.
    """
    urls = [newcomer.url, *(site.database for site in herd.sites)]

    def is_everywhere() -> bool:
        ((_vector, unsealed, held), *more) = {standing_at(url) for url in urls}
        return not (more or unsealed or held)

    wait_until(is_everywhere, newcomer.log)
    herd.agree()
    assert_same(states_at(herd.sites[0].database), states_at(newcomer.url), "the newcomer")
    for node in herd.nodes:
        told = json.loads(done("verify", node.rpc, rpc, "--json").stdout)
        assert (told["equal"], told["same_vector"]) == (True, True)
        assert sum(mine + theirs for one in told["tables"] for mine, theirs in [one["rows"]]) > 0


def wait_until(is_so: Callable[[], bool], told: Callable[[], str]) -> None:
    """Wait for something that other processes do; fails when it takes too long."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)
