"""`herdbook verify` on two whole nodes: what it says, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from service.cli.main import run
from tests.conftest import Servers
from tests.live.node import NodeProcess, served
from tests.servers.programs import chosen_kinds
from tests.service.store.herd.pairs import write_unseen
from tests.service.store.tools import read

pytestmark = pytest.mark.slow

NEW = "(id, name, herdbook_life, herdbook_stamp) VALUES (REPEAT('{0}', 16), '{0}', 1, 7)"
CHILD = "(id, farm_id, name, tag, weight, herdbook_life, herdbook_stamp)"


class Two(NamedTuple):
    """Two nodes, and the URLs of their databases."""

    nodes: tuple[NodeProcess, NodeProcess]
    urls: tuple[str, str]


@pytest.fixture(scope="module")
def two(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """On two servers where there are two; with one farm, the same on both."""
    kinds = chosen_kinds()
    first, last = servers.get(kinds[0]), servers.get(kinds[-1])
    first.create_database("verify_one")
    last.create_database("verify_other")
    urls = first.url("verify_one"), last.url("verify_other")
    folders = [tmp_path_factory.mktemp("node") for _ in urls]
    with served(folders[0], urls[0]) as one, served(folders[1], urls[1]) as other:
        for url in urls:
            write_unseen(url, f"INSERT INTO farm {NEW.format('a')}")
        yield Two((one, other), urls)
    first.drop_database("verify_one")
    last.drop_database("verify_other")


@pytest.fixture
def verify(
    two: Two, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run the command on both; its exit code and its document."""

    def ran(*options: str) -> tuple[int, dict[str, Any]]:
        code = run(["verify", two.nodes[0].rpc, two.nodes[1].rpc, "--json", *options])
        captured = capsys.readouterr()
        return code, json.loads(captured.out or captured.err)

    return ran


Verify = Callable[..., tuple[int, dict[str, Any]]]


def test_equal_nodes_are_equal(verify: Verify) -> None:
    """Every captured table was compared."""
    code, told = verify()
    assert (code, told["equal"], told["differences"]) == (0, True, [])
    assert {one["table"]: one["rows"] for one in told["tables"]} == {
        "farm": [1, 1],
        "cow": [0, 0],
        "sample": [0, 0],
        "herdbook_herd_node": [0, 0],
        "herdbook_herd_range": [0, 0],
    }


def test_a_row_that_only_one_has_is_told(two: Two, verify: Verify) -> None:
    """With its table and key; the exit code says that they differ."""
    write_unseen(two.urls[1], f"INSERT INTO farm {NEW.format('b')}")
    code, told = verify()
    write_unseen(two.urls[1], "DELETE FROM farm WHERE name = 'b'")
    assert (code, told["equal"], len(told["differences"])) == (3, False, 1)
    (difference,) = told["differences"]
    assert (difference["table"], difference["row_key"]) == ("farm", (b"b" * 16).hex())
    assert difference["parts"][0]["ours"] == "not there"
    assert verify()[0] == 0


def test_a_change_on_its_way_is_no_difference(two: Two, verify: Verify) -> None:
    """The node that wrote it says so; that nothing can be told yet is the answer."""
    two.nodes[0].call("farm.create", {"name": "new"})
    code, told = verify("--wait", "0")
    assert (code, told["equal"], told["differences"]) == (1, False, [])
    assert sum(one["moving"] for one in told["tables"]) == 1
    assert not told["same_vector"]
    read(two.urls[0], "SET @herdbook_applying = 1")
    write_unseen(two.urls[0], "DELETE FROM farm WHERE name = 'new'")
    assert verify("--wait", "0")[0] == 0


def test_an_orphan_is_told_even_where_both_nodes_have_it(two: Two, verify: Verify) -> None:
    """Equal and wrong is not good."""
    orphan = f"INSERT INTO cow {CHILD} VALUES (REPEAT('c', 16), REPEAT('x', 16), 'c', 1, 0, 1, 7)"
    for url in two.urls:
        write_unseen(url, orphan)
    code, told = verify("--table", "cow")
    for url in two.urls:
        write_unseen(url, "DELETE FROM cow")
    assert (code, told["differences"]) == (3, [])
    assert [(one["url"], one["rule"], one["rows"]) for one in told["violations"]] == [
        (node.rpc, "orphan", 1) for node in two.nodes
    ]


def test_people_see_a_table_and_a_verdict(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """Where, what, and how it is on both sides."""
    write_unseen(two.urls[0], "UPDATE farm SET name = 'A' WHERE name = 'a'")
    code = run(["verify", *(node.rpc for node in two.nodes), "--table", "farm"])
    write_unseen(two.urls[0], "UPDATE farm SET name = 'a'")
    lines = capsys.readouterr().out.splitlines()
    assert code == 3
    assert lines[-1] == "The nodes differ."
    (line,) = [line for line in lines if " name " in line]
    assert line.split()[0] == "farm"
    assert line.split()[3:5] == ["A", "a"]


def test_one_node_is_not_compared_with_itself(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """It would always be equal."""
    url = two.nodes[0].rpc
    assert run(["verify", url, url, "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "verify.one_node"


def test_an_unknown_table_is_a_failure(verify: Verify) -> None:
    """And not equal."""
    code, told = verify("--table", "nowhere")
    assert (code, told["error"]["code"]) == (1, "verify.table")


def test_what_is_no_node_cannot_be_compared(
    two: Two, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The error names the address."""
    assert run(["verify", two.nodes[0].rpc, "http://127.0.0.1:1/", "--json"]) == 1
    assert "127.0.0.1:1" in json.loads(capsys.readouterr().err)["error"]["message"]


def test_a_repair_makes_the_nodes_equal(two: Two, verify: Verify) -> None:
    """The value of the node that is named first stands; what never was captured is left alone.

    The last of these tests: what a repair notes stays on its way, since these nodes are not linked.
    """
    write_unseen(two.urls[0], "UPDATE farm SET name = 'right' WHERE name = 'a'")
    write_unseen(two.urls[1], f"INSERT INTO farm {NEW.format('r')}")
    code, told = verify("--repair")
    assert (code, told["equal"], told["repaired"]) == (0, True, {"rows": 2, "left": 0, "held": 0})
    names = "SELECT name FROM farm ORDER BY name"
    assert [read(url, names) for url in two.urls] == [[("r",), ("right",)]] * 2
    write_unseen(two.urls[0], "INSERT INTO farm (id, name) VALUES (REPEAT('p', 16), 'past')")
    code, told = verify("--repair")
    assert (code, told["repaired"]["left"]) == (3, 1)
    assert told["differences"][0]["unsendable"] == "uncaptured"
