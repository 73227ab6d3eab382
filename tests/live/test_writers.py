"""Who wrote, and from where: told of every change on every node of a herd, whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.test_access import called, made
from tests.live.units import until
from tests.servers.programs import chosen_kinds
from tests.service.store.tools import ask, raw_connection

TOKENS = {"HERDBOOK_ACCESS_TOKENS": "herdbook.tokens"}
"""In the folder of each node."""


@pytest.mark.slow
def test_each_change_tells_who_wrote_it_and_from_where(servers: Servers, tmp_path: Path) -> None:
    """A token and its client's address, an address alone, an account; also at the sibling."""
    kinds = chosen_kinds()
    mixed = [servers.get(kinds[number % len(kinds)]) for number in range(2)]
    with LiveHerd(tmp_path, mixed, [(1, 0)], papers=lambda _name: TOKENS) as herd:
        here, there = herd.nodes
        loader = made(tmp_path / "node0", "loader", "--role", "write")
        until(lambda: called(here, loader, "farm.count")[0] == 0)
        assert called(here, loader, "farm.create", "code=a", "name=a")[0] == 0
        here.call("farm.create", {"code": "b", "name": "b"})
        with raw_connection(herd.sites[0].database) as connection:
            [(user,)] = ask(connection, "SELECT USER()")
            ask(connection, "UPDATE farm SET name = 'bb' WHERE code = 'b'")
        herd.agree()
        there.call("farm.delete", {"code": "a"})
        herd.agree()
        expected = {
            ("a", "insert", "token:loader@127.0.0.1", "node0"),
            ("b", "insert", "api:127.0.0.1", "node0"),
            ("b", "update", f"sql:{user}", "node0"),
            ("a", "delete", "api:127.0.0.1", "node1"),
        }
        assert written(herd, 0) == written(herd, 1) == expected
        with herd.cut_off(1):
            assert called(here, loader, "farm.update", "code=b", "name=early")[0] == 0
            there.call("farm.update", {"code": "b", "name": "late"})
        herd.agree()
        assert put_aside(herd) == {("early", "token:loader@127.0.0.1", "late", "api:127.0.0.1")}


def written(herd: LiveHerd, number: int) -> set[tuple[str, ...]]:
    """Of each change of a farm that a node's feed tells: key, kind, writer, and node."""
    origins = {each["origin"]: each["name"] for each in
               herd.nodes[number].call("node.list")["records"]}  # fmt: skip
    changes: list[dict[str, Any]] = herd.nodes[number].call(
        "feed.read", {"from": 0, "records": ["farm"]}
    )["changes"]
    return {
        (each["key"]["code"], each["kind"], each["writer"], origins[each["origin"]])
        for each in changes
    }


def put_aside(herd: LiveHerd) -> set[tuple[str, ...]]:
    """What the journals of all nodes tell of values: what lost, by whom, what stands, by whom."""
    return {
        tuple(value[name] for name in ("lost", "lost_by", "kept", "kept_by"))
        for node in herd.nodes
        for entry in node.call("journal.list")["entries"]
        for value in entry["values"]
    }
