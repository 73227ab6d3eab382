"""Machines join a herd of whole nodes over TLS, on mixed servers, while these are written to."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.identity.certificates import read_certificate
from service.identity.joining.kept import read_kept
from service.identity.joining.place import paths_in
from tests.conftest import Servers
from tests.live.herds import SECONDS, LiveHerd
from tests.live.joining import Authority, Load, Newcomer, fill, require_equal
from tests.live.node import NodeProcess
from tests.servers.programs import chosen_kinds

COWS = 3_000
LINKS = [(1, 0)]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The herd's authority. Nodes look often, and keep little of their changelog."""
    more = {"HERDBOOK_CAPTURE_CHECK_SECONDS": "0.5"}
    return Authority(tmp_path_factory.mktemp("authority") / "ca", more)


@pytest.fixture(scope="module")
def herd(
    servers: Servers, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveHerd]:
    """Two nodes with a herd of cows."""
    kinds = chosen_kinds()
    mixed = [servers.get(kinds[number % len(kinds)]) for number in range(2)]
    folder = tmp_path_factory.mktemp("herd")
    with LiveHerd(folder, mixed, LINKS, papers=authority) as running:
        fill(running, COWS)
        running.agree()
        yield running


def node_at(node: NodeProcess, name: str) -> dict[str, Any]:
    """The record of a node as one has it; nothing where it has none."""
    page = node.call("node.list", {"where": ["name", "=", name]})
    found: list[dict[str, Any]] = page["records"]
    return found[0] if found else {}


def ranges_at(node: NodeProcess, name: str) -> list[dict[str, Any]]:
    """The ranges of a node of a name, as one knows them."""
    where = ["node_id", "=", node_at(node, name)["id"]]
    found: list[dict[str, Any]] = node.call("range.list", {"where": where, "order": "cidr"})[
        "records"
    ]
    return found


def blocks_at(node: NodeProcess, name: str) -> list[tuple[str, str]]:
    """Their purposes and blocks."""
    return [(each["purpose"], each["cidr"]) for each in ranges_at(node, name)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", chosen_kinds(), ids=str)
def test_one_command_and_the_node_has_all_and_serves(
    herd: LiveHerd, authority: Authority, tmp_path: Path, kind: Any
) -> None:
    """Certificate, rows, ranges, under load; what is written later streams. Then it stops."""
    name = f"barn-{kind}"
    number = chosen_kinds().index(kind)
    blocks = ["--serves", f"10.{number}.0.0/16", "--peers", "127.0.0.0/8", "--pool"]
    token = authority.invite(name, herd, *blocks, f"172.{16 + number}.0.0/16")
    with authority.gate() as address:
        newcomer = Newcomer(tmp_path / name, address, token, herd, kind)
        try:
            with Load(herd, name) as load:
                newcomer.begin()
                told = newcomer.joined()
                assert told["joined"]
            assert load.failures == []
            assert load.done > 0
            assert newcomer.rows("SELECT COUNT(*) FROM cow WHERE number >= 1000") == [(COWS,)]
            require_equal(herd, newcomer, told["rpc"])
            shown = node_at(herd.nodes[0], name)
            assert (shown["state"], shown["fingerprint"]) == ("active", told["fingerprint"])
            assert blocks_at(herd.nodes[1], name) == [
                ("serves", f"10.{number}.0.0/16"),
                ("peers", "127.0.0.0/8"),
                ("pool", f"172.{16 + number}.0.0/16"),
            ]
        finally:
            newcomer.stop()
        assert newcomer.process is not None
        assert newcomer.process.returncode == 0


@pytest.mark.slow
def test_a_block_in_the_way_is_named_and_what_was_taken_once_is_not_taken_again(
    herd: LiveHerd, authority: Authority, tmp_path: Path
) -> None:
    """The node runs on without its command, and the same command finds it running."""
    herd.nodes[1].call("range.add", {"cidr": "10.200.0.0/16", "purpose": "serves"})
    blocks = ("--serves", "10.200.0.0/16", "--pool", "172.30.0.0/16")
    token = authority.invite("shed", herd, *blocks)
    with authority.gate() as address:
        newcomer = Newcomer(tmp_path / "shed", address, token, herd, chosen_kinds()[-1])
        try:
            newcomer.begin("--detach")
            told = newcomer.ended()
            assert blocks_at(newcomer.node(told), "shed") == [("pool", "172.30.0.0/16")]
            [warning] = newcomer.node(told).call("herd.status")["warnings"]
            assert warning["code"] == "range.refused"
            assert "there is 10.200.0.0/16, served by node1" in warning["text"]
            newcomer.begin()
            assert newcomer.ended() == told
            [pool] = ranges_at(newcomer.node(told), "shed")
            newcomer.node(told).call("range.release", {"id": pool["id"]})
            newcomer.stop()
            newcomer.begin()
            again = newcomer.joined()
            assert again["pid"] != told["pid"]
            assert blocks_at(newcomer.node(again), "shed") == []
            require_equal(herd, newcomer, again["rpc"])
        finally:
            newcomer.stop()


MOMENTS: list[tuple[str, Callable[[Newcomer], object]]] = [
    ("it begins", lambda new: (new.folder / "herd").is_dir()),
    ("it has its certificate", lambda new: paths_in(new.folder).certificate.exists()),
    ("its server is set up", lambda new: new.place.layout.unfinished.exists()),
    ("its schema is made", lambda new: new.rows("SHOW TABLES")),
    ("it has a database", lambda new: new.rows("SELECT 1 FROM herdbook_node")),
    ("it runs", lambda new: new.place.running()),
    ("rows come", lambda new: new.rows("SELECT 1 FROM cow LIMIT 1")),
    ("it takes its ranges", lambda new: new.rows("SELECT 1 FROM herdbook_herd_range")),
]
"""When it is killed: as soon as somebody who looks again and again sees that."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", chosen_kinds(), ids=str)
def test_killed_at_any_moment_and_run_again_it_joins(
    herd: LiveHerd, authority: Authority, tmp_path: Path, kind: Any
) -> None:
    """Each time the same command, without a look at what is there.

    Half of the times its server is killed too, half of the times it is left behind. The certificate
    stays the first one.
    """
    name, chance = f"mill-{kind}", random.Random(str(kind))
    number = 100 + chosen_kinds().index(kind)
    token = authority.invite(name, herd, "--serves", f"10.{number}.0.0/16")
    with authority.gate() as address:
        newcomer = Newcomer(tmp_path / name, address, token, herd, kind)
        certificates = set()
        try:
            with Load(herd, name) as load:
                for moment, is_there in MOMENTS:
                    newcomer.begin()
                    seen(newcomer, is_there, moment)
                    time.sleep(chance.random() * 0.2)
                    newcomer.kill(with_server=chance.random() < 0.5)
                    certificates |= certificate_of(newcomer)
                newcomer.begin()
                told = newcomer.joined()
            assert load.failures == []
            require_equal(herd, newcomer, told["rpc"])
            assert certificates == certificate_of(newcomer)
            [kept] = [each for each in read_kept(authority.folder) if each.name == name]
            assert kept.bond is not None
            given = read_certificate(kept.bond.certificate.encode(), "")
            assert {given.serial_number} == certificates
            assert node_at(herd.nodes[1], name)["state"] == "active"
            assert blocks_at(herd.nodes[1], name) == [("serves", f"10.{number}.0.0/16")]
        finally:
            newcomer.stop()


def seen(newcomer: Newcomer, is_there: Callable[[Newcomer], object], moment: str) -> None:
    """Wait until somebody sees that something is so, or the command has told that it has joined."""
    deadline = time.monotonic() + 2 * SECONDS
    while not is_there(newcomer):
        assert newcomer.process is not None
        assert newcomer.process.poll() is None, f"{moment}: {newcomer.log()}"
        assert time.monotonic() < deadline, f"{moment}: {newcomer.log()}"
        time.sleep(0.03)


def certificate_of(newcomer: Newcomer) -> set[int]:
    """The number of its certificate, if it has one."""
    path = paths_in(newcomer.folder).certificate
    return {read_certificate(path.read_bytes(), "").serial_number} if path.exists() else set()
