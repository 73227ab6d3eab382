"""Three MariaDB servers that hold the same data, on this machine only.

A cluster copies all data to a server that joins. Here the servers begin as copies of one directory
instead, so there is nothing to copy, and the program that would do it only says so.
"""

from __future__ import annotations

import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import MySQLdb

from service.server import PrivateServer, ServerKind
from tests.servers.ports import free_ports
from tests.servers.programs import CHOSEN, galera_library, program_of

SERVERS = 3
"""With two, the one that outlives the other could not know that it is the one."""

_STATE = "grastate.dat"
_POSITION = "HERDBOOK_TEST_CLUSTER_POSITION"
_JOINED_SECONDS = 60.0
# Called by a server that joins, to say where its data are, and by the one that it asks for them.
_NOTHING_TO_COPY = f"""#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --role) role=$2; shift ;;
    --gtid) asked=$2; shift ;;
  esac
  shift
done
if [ "$role" = joiner ]; then
  echo 'ready 127.0.0.1:1'
  echo "${_POSITION}"
else
  echo "done $asked"
fi
"""
_OPTIONS = {
    # A server that is killed is given up after three seconds.
    "evs.keepalive_period": "PT0.5S",
    "evs.suspect_timeout": "PT3S",
    "evs.inactive_timeout": "PT8S",
    "evs.inactive_check_period": "PT0.5S",
    "gcache.size": "32M",
}
_environment = threading.Lock()


class GaleraCluster:
    """Servers that are one database; each can be written to. The owner stops them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        ports = free_ports(2 * SERVERS)
        self._group, self._catching_up = ports[:SERVERS], ports[SERVERS:]
        self.servers: list[PrivateServer] = []

    def start(self) -> None:
        """Start all, and wait until each has joined."""
        tools = self._directory / "tools"
        tools.mkdir(parents=True)
        script = tools / "wsrep_sst_nothing"
        script.write_text(_NOTHING_TO_COPY)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        with self._server(0, first=True) as origin:
            directory = origin.directory
        for number in range(1, SERVERS):
            hidden = shutil.ignore_patterns("run", "tmp", "server.log")
            shutil.copytree(directory, self._directory / str(number), ignore=hidden)
        with _surroundings(tools, _position(directory / "data" / _STATE)):
            for number in range(SERVERS):
                server = self._server(number, first=number == 0)
                server.start()
                self.servers.append(server)
                _wait_until_joined(server, number + 1)

    def stop(self) -> None:
        """Stop those that run, the last of them first."""
        for server in reversed(self.servers):
            server.stop()

    def __enter__(self) -> Self:
        """Start it for the time of a `with` block."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop it at the block's end."""
        self.stop()

    def create_database(self, name: str) -> list[str]:
        """Make a database; its URL at each server."""
        self.servers[0].create_database(name)
        return [server.url(name) for server in self.servers]

    def _server(self, number: int, *, first: bool) -> PrivateServer:
        return PrivateServer(
            self._directory / str(number),
            program_of(ServerKind.MARIADB),
            buffer_pool_megabytes=64,
            stop_seconds=20,
            options=self._options(number, first=first),
        )

    def _options(self, number: int, *, first: bool) -> list[str]:
        """How a server becomes one of the cluster; the first one begins it."""
        others = ",".join(f"127.0.0.1:{port}" for port in self._group)
        places = {
            "gmcast.listen_addr": f"tcp://127.0.0.1:{self._group[number]}",
            "ist.recv_addr": f"127.0.0.1:{self._catching_up[number]}",
        }
        provider = ";".join(f"{key}={value}" for key, value in (_OPTIONS | places).items())
        return [
            "--wsrep-on=ON",
            f"--wsrep-provider={galera_library()}",
            "--wsrep-cluster-name=herdbook-tests",
            f"--wsrep-cluster-address=gcomm://{'' if first else others}",
            f"--wsrep-provider-options={provider}",
            f"--wsrep-node-name=server{number}",
            "--wsrep-node-address=127.0.0.1",
            "--wsrep-sst-method=nothing",
            "--wsrep-slave-threads=2",
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
        ]


def clusters_are_tested() -> bool:
    """Whether MariaDB is among the servers to test on."""
    return ServerKind.MARIADB.value in [name.strip() for name in CHOSEN.split(",")]


def _position(state: Path) -> str:
    """The moment of a stopped server's data, as the cluster counts it."""
    lines = [line.split() for line in state.read_text().splitlines()]
    noted = {words[0]: words[1] for words in lines if len(words) == 2}
    return f"{noted['uuid:']}:{noted['seqno:']}"


@contextmanager
def _surroundings(tools: Path, position: str) -> Iterator[None]:
    """What the servers' own children are to find, while servers are started."""
    with _environment:
        before = dict(os.environ)
        os.environ["PATH"] = os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)])
        os.environ[_POSITION] = position
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _wait_until_joined(server: PrivateServer, members: int) -> None:
    """Wait until a server takes statements and knows all that were started so far."""
    deadline = time.monotonic() + _JOINED_SECONDS
    while (found := _state_of(server)) != {
        "wsrep_ready": "ON",
        "wsrep_cluster_size": str(members),
        "wsrep_local_state_comment": "Synced",
    }:
        assert server.running, f"the server ended:\n{server.layout.last_words(40)}"
        said = server.layout.last_words(40)
        assert time.monotonic() < deadline, f"the server did not join: {found}\n{said}"
        time.sleep(0.05)


def _state_of(server: PrivateServer) -> dict[str, str]:
    """What a server says of itself and the cluster; nothing, where it turns callers away."""
    question = (
        "SHOW STATUS WHERE Variable_name IN "
        "('wsrep_ready', 'wsrep_cluster_size', 'wsrep_local_state_comment')"
    )
    try:
        connection = MySQLdb.connect(user="root", unix_socket=str(server.socket))
        with closing(connection), closing(connection.cursor()) as cursor:
            cursor.execute(question)
            return dict(cursor.fetchall())
    except MySQLdb.OperationalError:
        # While it joins, it may end connections at any moment.
        return {}
