"""Ranges of whole nodes: blocks for many clients at once, and how soon a change is known.

Two nodes that are siblings, with a pool of each family out of which many blocks were given. Clients
keep a connection each to the first node's stream, and all ask at one moment: each is timed from
when its own call is sent until its answer is there. Then one client asks, one call after the other.
At last a range is written, at the node itself and at its sibling, and who serves its addresses is
asked again and again until the node tells of it.

Node, sibling, server and clients share one machine.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from bench.machine import ask, plain_connection, server_of
from bench.ranges import POOLS, given_of
from bench.report import Report, options, percentile, progress, run, servers
from records.catalogue import with_family
from service.ranges.blocks import Block
from service.ranges.notation import read_block
from service.store.writer import chunks
from tests.live.herds import CATALOGUE, LiveHerd
from tests.live.node import NodeProcess

_CIDR = with_family(CATALOGUE).records["range"].fields["cidr"].kind
_INSERT = "INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) VALUES "
_ROWS_A_STATEMENT = 1_000
_SECONDS = 300.0
_TARGET_BURST, _TARGET_ONE, _TARGET_CURRENT = 50.0, 10.0, 1_000.0
"""Milliseconds: at the 99th percentile, at the median, at most."""


class Client:
    """One connection to a node's stream."""

    def __init__(self, node: NodeProcess) -> None:
        parts = urlsplit(node.stream)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 0), _SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def send(self, method: str, params: Any) -> None:
        """Call without waiting for the answer."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.socket.sendall(json.dumps(call).encode() + b"\n")

    def answer(self) -> Any:
        """The result, once all of it has come; None while it has not."""
        some = self.socket.recv(65_536)
        if not some:
            raise ConnectionError("the node closed the stream")
        self._read += some
        if not self._read.endswith(b"\n"):
            return None
        message, self._read = json.loads(self._read), b""
        if "error" in message:
            raise RuntimeError(f"the node refuses: {message['error']}")
        return message["result"]

    def call(self, method: str, params: Any) -> Any:
        """The result of a call."""
        self.send(method, params)
        while (result := self.answer()) is None:
            pass
        return result


def burst(clients: Sequence[Client], method: str, params: Any) -> tuple[list[float], list[Any]]:
    """All clients call at one moment: milliseconds to each answer, and the answers."""
    began: dict[Client, float] = {}
    took: list[float] = []
    results: list[Any] = []
    with selectors.DefaultSelector() as waiting:
        for client in clients:
            waiting.register(client.socket, selectors.EVENT_READ, client)
            began[client] = time.perf_counter()
            client.send(method, params)
        while len(results) < len(clients):
            for key, _events in waiting.select(_SECONDS):
                if (result := key.data.answer()) is not None:
                    took.append((time.perf_counter() - began[key.data]) * 1_000)
                    results.append(result)
    return took, results


@contextmanager
def herd_on(kind: str) -> Iterator[LiveHerd]:
    """Two siblings on one server of a kind, with nothing in them."""
    folder = Path(tempfile.mkdtemp(prefix="herdbook-bench-"))
    try:
        with (
            # It prints the nodes' logs when it ends.
            redirect_stdout(sys.stderr),
            server_of(kind) as server,
            LiveHerd(folder, [server, server], [(1, 0)]) as herd,
        ):
            wait_for(lambda: all(node.call("node.count") == 2 for node in herd.nodes))
            yield herd
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something is so; raises TimeoutError where it takes too long."""
    deadline = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come about in time")
        time.sleep(0.2)


def fill(herd: LiveHerd, count: int) -> None:
    """Pools of the first node, and the blocks that were given out of them; both nodes have all."""
    own = {"where": ["name", "=", "node0"]}
    node = herd.nodes[0].call("node.list", own)["records"][0]["id"].replace("-", "")
    with plain_connection(herd.sites[0].database) as connection:
        for pool, length in POOLS.values():
            herd.nodes[0].call("range.add", {"cidr": str(pool), "purpose": "pool"})
            for some in chunks(given_of(pool, length, count), _ROWS_A_STATEMENT):
                _insert(connection, bytes.fromhex(node), some)
    total = len(POOLS) * (count + 1)
    wait_for(lambda: all(each.call("range.count") == total for each in herd.nodes))
    herd.agree(_SECONDS)


def _insert(connection: Any, node: bytes, blocks: Sequence[Block]) -> None:
    values = [(uuid4().bytes, node, _CIDR.to_database(each.network)) for each in blocks]
    marks = ", ".join(["(%s, %s, %s, 'serves')"] * len(values))
    ask(connection, _INSERT + marks, [each for row in values for each in row])


def allocating(herd: LiveHerd, report: Report, kind: str, clients: int, rounds: int) -> None:
    """Blocks for all clients at once, and then for one after the other."""
    node = herd.nodes[0]
    with ExitStack() as held:
        all_of_them = [held.enter_context(closing(Client(node))) for _ in range(clients)]
        for name, (pool, length) in POOLS.items():
            asked = {"length": length, "purpose": "serves", "from": str(pool)}
            first, _block = burst(all_of_them[:1], "range.allocate", asked)
            add_row(report, f"{kind}: the first {name}, which reads the pool", first)
            before = processor_ms(node)
            took, given = _rounds(all_of_them, asked, rounds)
            each = (processor_ms(node) - before) / len(given)
            if len({each["cidr"] for each in given}) != len(given):
                raise RuntimeError("a block was given out twice")
            add_row(report, f"{kind}: {name}, {clients} clients at once", took, p99=_TARGET_BURST)
            add_row(report, f"{kind}: {name}, processor time of the node for each", [each])
            took, given = _rounds(all_of_them[:1], asked, clients)
            add_row(report, f"{kind}: {name}, one client", took, p50=_TARGET_ONE)


def processor_ms(node: NodeProcess) -> float:
    """Milliseconds of processor time that a node has taken so far, its threads' as well."""
    fields = Path(f"/proc/{node.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000 / os.sysconf("SC_CLK_TCK")


def _rounds(clients: Sequence[Client], asked: Any, rounds: int) -> tuple[list[float], list[Any]]:
    """Bursts, with a pause before each."""
    took: list[float] = []
    given: list[Any] = []
    for _turn in range(rounds):
        time.sleep(0.3 if len(clients) > 1 else 0)
        some, results = burst(clients, "range.allocate", asked)
        took += some
        given += results
    return took, given


def current(herd: LiveHerd, report: Report, kind: str, times: int) -> None:
    """From when a range was written until `range.locate` tells of it."""
    here = {"where": ["name", "=", "node0"]}
    node = bytes.fromhex(herd.nodes[0].call("node.list", here)["records"][0]["id"].replace("-", ""))
    with closing(Client(herd.nodes[0])) as client:
        for where, site in (("at the node", 0), ("at its sibling", 1)):
            with plain_connection(herd.sites[site].database) as connection:
                took = [_known_after(client, connection, node, site, at) for at in range(times)]
            measured = f"{kind}: locate is current after SQL {where}"
            add_row(report, measured, took, most=_TARGET_CURRENT)
        took = [_timed(client, "range.locate", {"address": "10.0.0.1"}) for _ in range(1_000)]
        add_row(report, f"{kind}: range.locate, one client", took)


def _known_after(client: Client, connection: Any, node: bytes, site: int, number: int) -> float:
    """Milliseconds until a block that nobody had is known to be served."""
    block = f"192.0.{site}.{number}/32"
    time.sleep(0.31)
    _insert(connection, node, [read_block(block)])
    began = time.perf_counter()
    while client.call("range.locate", {"address": block.removesuffix("/32")})["node"] is None:
        time.sleep(0.002)
    return (time.perf_counter() - began) * 1_000


def _timed(client: Client, method: str, params: Any) -> float:
    began = time.perf_counter()
    client.call(method, params)
    return (time.perf_counter() - began) * 1_000


def add_row(report: Report, measured: str, took: Sequence[float], **targets: float) -> None:
    """One line of the results; `targets` names one of its figures."""
    figures = {
        "p50": percentile(took, 0.50),
        "p99": percentile(took, 0.99),
        "most": max(took),
    }
    name, target = next(iter(targets.items()), ("", None))
    report.add(
        measured=measured,
        calls=len(took),
        **figures,
        target="" if target is None else f"{name} {target:,.0f}",
        reached=None if target is None else figures[name] < target,
    )


def main() -> None:
    """Measure on each server and print the results."""
    parser = options("Ranges of whole nodes, in milliseconds.")
    parser.add_argument("--blocks", type=int, default=100_000, help="given out of each pool")
    parser.add_argument("--clients", type=int, default=200, help="that ask at once")
    parser.add_argument("--rounds", type=int, default=10, help="in which all of them ask")
    arguments = parser.parse_args()
    columns = ("measured", "calls", "p50", "p99", "most", "target", "reached")
    title = f"Milliseconds, with {arguments.blocks:,} blocks given out of each pool"
    report = Report(title, columns)
    for kind in servers(arguments):
        progress(f"{kind}: giving {arguments.blocks:,} blocks out of each pool")
        with herd_on(kind) as herd:
            fill(herd, arguments.blocks)
            progress(f"{kind}: {arguments.clients} clients")
            allocating(herd, report, kind, arguments.clients, arguments.rounds)
            current(herd, report, kind, 20)
    report.show(as_json=arguments.json)


if __name__ == "__main__":
    run(main)
