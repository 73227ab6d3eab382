"""Ranges of a herd of whole nodes that come out of files, and change hands, on mixed servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cli.main import run
from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.node import CallFailed
from tests.live.units import until
from tests.servers.programs import chosen_kinds

FILE = (
    "node,cidr,purpose,note\r\n"
    "node0,10.0.0.0/8,pool,ours\r\n"
    "node1,10.1.0.0/16,serves,\r\n"
    'node0,192.0.2.0/24,serves,"two, old"\r\n'
    "node1,2001:db8::/32,admin,\r\n"
)


@pytest.fixture(scope="module")
def herd(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHerd]:
    """Two nodes that are siblings, and know each other."""
    kinds = chosen_kinds()
    mixed = [servers.get(kinds[number % len(kinds)]) for number in range(2)]
    with LiveHerd(tmp_path_factory.mktemp("herd"), mixed, [(1, 0)]) as running:
        until(lambda: all(node.call("node.count") == 2 for node in running.nodes))
        yield running


def command(herd: LiveHerd, number: int, *words: str) -> int:
    """How a command about ranges ends that asks a node."""
    return run(["range", *words, "--url", herd.nodes[number].rpc])


def test_a_file_goes_into_one_node_and_comes_out_of_the_other(
    herd: LiveHerd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it was; a second time nothing is written, and a faulty one is told by its lines."""
    file = tmp_path / "ranges.csv"
    file.write_text(FILE, newline="")
    assert command(herd, 0, "import", str(file), "--dry-run") == 0
    assert herd.nodes[0].call("range.count") == 0
    assert command(herd, 0, "import", str(file)) == 0
    until(lambda: herd.nodes[1].call("range.count") == 4)
    capsys.readouterr()
    assert command(herd, 1, "export") == 0
    assert capsys.readouterr().out == FILE
    assert command(herd, 1, "import", str(file)) == 0
    assert capsys.readouterr().out == "0 ranges are added; 4 were there already\n"
    file.write_text(FILE + "node1,10.2.0.0/16,serves,\nnode1,10/8,pool,\nnode9,::/1,admin,\n")
    assert command(herd, 1, "import", str(file)) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in told[1:4]] == ["line 6", "line 7", "line 8"]
    assert herd.nodes[1].call("range.count") == 4
    herd.agree()


def test_what_is_said_of_a_node_on_another_one_is_known_to_all(
    herd: LiveHerd, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it wrote there itself stays; so does what was said, when it starts anew."""
    before = herd.nodes[1].call("node.list", {"where": ["name", "=", "node1"]})["records"][0]
    place = ("--url", herd.nodes[0].rpc)
    said = ("--site", "north", "--weight", "3", "--state", "draining", "--at", "http://n1:1/")
    assert run(["node", "update", "node1", *said, *place]) == 0
    assert capsys.readouterr().out == "node1: site, urls, weight, state changed\n"
    now = {"site": "north", "weight": 3, "state": "draining", "urls": ["http://n1:1/"]}
    expected = {**before, **now}
    key = {"id": before["id"]}
    until(lambda: herd.nodes[1].call("node.get", key) == expected)
    herd.kill_node(1)
    herd.start_node(1)
    assert herd.nodes[1].call("node.get", key) == expected
    assert run(["node", "update", "nobody", "--site", "north", *place]) == 1
    herd.agree()


def test_what_is_split_and_merged_on_one_node_is_so_on_the_other(herd: LiveHerd) -> None:
    """With the same claim, which all know alike."""
    first, second = herd.nodes
    added = {"cidr": "2001:db8:7::/48", "purpose": "serves", "node": "node1"}
    first.call("range.add", added)
    parts = first.call("range.split", {"range": "2001:db8:7::/48", "length": 49})["parts"]
    keys = {"records": [each["id"] for each in parts]}
    until(lambda: second.call("range.get", keys) == parts)
    assert len({each["claim"] for each in parts}) == 1
    whole = second.call("range.merge", {"ranges": [each["id"] for each in parts]})
    assert (whole["cidr"], whole["claim"]) == ("2001:db8:7::/48", parts[0]["claim"])
    until(lambda: first.call("range.get", {"records": [whole["id"]]}) == [whole])
    assert first.call("range.get", keys) == [None, None]
    herd.agree()


def test_a_part_of_a_pool_that_is_given_away_is_given_out_by_the_other_node_alone(
    herd: LiveHerd, capsys: pytest.CaptureFixture[str]
) -> None:
    """And only its own node may give it; nothing is disputed."""
    first, second = herd.nodes
    pool = first.call("range.add", {"cidr": "198.18.0.0/24", "purpose": "pool"})
    asked = {"length": 26, "purpose": "serves", "from": "198.18.0.0/24"}
    assert first.call("range.allocate", asked)["cidr"] == "198.18.0.0/26"
    until(lambda: second.call("range.get", {"records": [pool["id"]]}) != [None])
    give = ("split", pool["id"], "25", "--give", "198.18.0.128/25=node1")
    assert command(herd, 1, *give) == 1
    assert "ask node0 to split or merge it" in capsys.readouterr().err
    assert command(herd, 0, *give) == 0
    parts = [line.split()[:3] for line in capsys.readouterr().out.splitlines()[1:]]
    assert parts == [["198.18.0.0/25", "pool", "node0"], ["198.18.0.128/25", "pool", "node1"]]
    part = ["and", ["node.name", "=", "node1"], ["cidr", "=", "198.18.0.128/25"]]
    until(lambda: second.call("range.count", {"where": part}) == 1)
    given = [
        first.call("range.allocate", {**asked, "from": "198.18.0.0/25"})["cidr"],
        second.call("range.allocate", {**asked, "from": "198.18.0.128/25"})["cidr"],
    ]
    assert given == ["198.18.0.64/26", "198.18.0.128/26"]
    with pytest.raises(CallFailed) as refused:
        first.call("range.allocate", {**asked, "from": "198.18.0.128/25"})
    assert refused.value.errors[0]["code"] == "range.foreign_pool"
    herd.agree()
    assert [node.call("range.disputes")["count"] for node in herd.nodes] == [0, 0]
