"""A node whose database has no space left: it says so, promises nothing, and heals by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from service.server import PrivateServer, ServerKind
from tests.conftest import Servers
from tests.live.full import Disk, bounded_files, disk_of_its_own, mounting_fails
from tests.live.herds import Checker, LiveHerd
from tests.live.node import CallFailed
from tests.live.units import until
from tests.live.verified import require_verified
from tests.servers.programs import chosen_kinds
from tests.service.cli.nodes import herdbook

CIRCLE = [(1, 0), (2, 1), (0, 2)]
FULL = 1
"""The node whose server is full."""

MANY, OTHERS = 600, 300
FARMS = "SELECT code FROM farm"


@contextmanager
def a_disk(way: str, folder: Path, kind: ServerKind) -> Iterator[Disk]:
    """A server that can be full, in one of two ways."""
    if way == "files":
        with bounded_files(folder, kind) as disk:
            yield disk
        return
    reason = mounting_fails(folder.with_name("tried"))
    if reason is not None:
        pytest.skip(f"no file system of its own: {reason}")
    with disk_of_its_own(folder, kind) as disk:
        yield disk


def create(herd: LiveHerd, node: int, number: int) -> str:
    """Create a farm; its code."""
    code = f"{node}-{number}"
    herd.nodes[node].call("farm.create", {"code": code, "name": code.ljust(50, "x")})
    return code


def write_until_refused(herd: LiveHerd) -> list[str]:
    """Write at the node whose disk is full; what it acknowledged before it refused."""
    done: list[str] = []
    for number in range(MANY):
        try:
            done.append(create(herd, FULL, number))
        except CallFailed as failed:
            refused = failed
            break
    else:
        raise AssertionError("it never refuses")
    assert (refused.code, refused.number) == ("server.full", -32005)
    return done


def status(herd: LiveHerd, number: int) -> tuple[int, dict[str, Any]]:
    """What `herdbook herd status` says, and how it ends."""
    ran = herdbook("herd", "status", "--url", herd.nodes[number].rpc, "--json")
    return ran.returncode, json.loads(ran.stdout)


def farms(herd: LiveHerd, number: int) -> set[str]:
    """What a node has."""
    return {code for (code,) in herd.rows(number, FARMS)}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["files", "disk"])
@pytest.mark.parametrize("kind", chosen_kinds(), ids=str)
def test_a_full_disk_is_told_and_nothing_is_lost_by_it(
    tmp_path: Path, servers: Servers, kind: ServerKind, way: str
) -> None:
    """What it acknowledged stays, what it refused is nowhere; the others go on without it.

    Neither node nor server ends. When there is room it gets what it lacks, by itself.
    """
    others = [servers.get(each) for each in (chosen_kinds()[0], chosen_kinds()[-1])]
    with a_disk(way, tmp_path / "disk", kind) as disk:
        nodes: list[PrivateServer] = [others[0], disk.server, others[1]]
        with LiveHerd(tmp_path, nodes, CIRCLE) as herd, Checker(herd) as checker:
            create(herd, 0, 0)
            herd.agree()
            before = herd.nodes[FULL].pid
            disk.fill()
            done = write_until_refused(herd)
            theirs = [create(herd, node, 1 + n) for node in (0, 2) for n in range(OTHERS)]
            for node in (0, 2):
                until(lambda node=node: set(theirs) <= farms(herd, node))  # type: ignore[misc]
                assert "[-]" not in herd.readiness(node)
            told_of_it(herd)
            disk.free()
            herd.agree()
            until(lambda: "[-]" not in herd.readiness(FULL))
            until(lambda: status(herd, FULL)[1]["alarms"] == [])
            assert herd.nodes[FULL].pid == before
            later = create(herd, FULL, MANY)
            herd.agree()
            assert farms(herd, FULL) == {"0-0", *done, *theirs, later}
            require_verified(herd)
        assert checker.broken == []


def told_of_it(herd: LiveHerd) -> None:
    """The node whose disk is full is up, and says in every place why it does not go on."""
    until(lambda: "what siblings send cannot be written" in herd.readiness(FULL))
    assert "[-] herd: " in herd.readiness(FULL)
    assert "[+] database: ok" in herd.readiness(FULL)
    code, told = status(herd, FULL)
    assert code == 3
    assert {alarm["code"] for alarm in told["alarms"]} == {"delta.not_applied"}
    assert "no space left" in str(told["alarms"])
    assert herd.nodes[FULL].call("farm.get", {"code": "0-0"})["code"] == "0-0"
