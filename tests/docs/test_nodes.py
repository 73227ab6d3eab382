"""`docs/nodes.md`: its commands run as they stand, one after the other."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cli.demonstration.nodes import NAMES, NORTH
from service.cli.main import run
from tests.live.node import NodeProcess, served
from tests.live.units import until
from tests.servers.ports import free_ports
from tests.service.store.tools import read

PAGE = (Path(__file__).parents[2] / "docs" / "nodes.md").read_text()
_NODE = "INSERT INTO herdbook_herd_node (id, name) VALUES (%s, %s)"


def blocks(kind: str) -> list[str]:
    """What stands in the page's blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def north(database: str, tmp_path: Path) -> Iterator[NodeProcess]:
    """The node of this name, which knows the others of the demonstration."""
    (port,) = free_ports(1)
    settings = {
        "HERDBOOK_NODE_NAME": NORTH,
        "HERDBOOK_HERD_LISTEN": f"tcp:{port}:interface=127.0.0.1",
    }
    with served(tmp_path, database, **settings) as node:
        for number, name in enumerate(NAMES):
            if name != NORTH:
                read(database, _NODE, (bytes([number + 1]) * 16, name))
        until(lambda: node.call("node.count") == len(NAMES))
        yield node


def test_the_commands_of_the_page_run_as_they_stand(
    north: NodeProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each ends well, and what is in the way of a block is told as the page says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HERDBOOK_URL", north.rpc)
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) >= 13
    for line in lines:
        if "locate" in line:
            until(lambda: north.call("range.locate", {"address": "10.1.2.3"})["node"] is not None)
        command, _, file = line.partition(" > ")
        program, *words = shlex.split(command)
        assert program == "herdbook"
        capsys.readouterr()
        assert run(words) == 0, (line, capsys.readouterr().err)
        if file:
            Path(file).write_text(capsys.readouterr().out, newline="")
    [(refused,)] = [re.findall(r"`herdbook (range add [^`]*)`", PAGE)]
    assert run(shlex.split(refused)) == 1
    (told,) = blocks("text")
    assert told.strip() in capsys.readouterr().err
