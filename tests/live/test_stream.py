"""A node's stream: calls, and changes told as they come."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.live.lines import Ended, LineClient
from tests.live.node import CallFailed, NodeProcess, served
from tests.service.store.tools import ask, raw_connection


def next_changes(client: LineClient, count: int) -> list[dict[str, Any]]:
    """The next changes that are told, whatever pages they come in."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = client.told()
        assert message["method"] == "feed.change", message
        found += message["params"]["changes"]
    assert len(found) == count
    return found


def test_every_method_can_be_called_over_the_stream(tmp_path: Path, database: str) -> None:
    """It is the same API: what is written here is read there."""
    with served(tmp_path, database) as node, LineClient(node.stream) as client:
        made = client.call("farm.create", {"name": "over the stream"})
        assert node.call("farm.get", {"id": made["id"]}) == made
        assert client.call("system.listMethods") == node.call("system.listMethods")
        with pytest.raises(CallFailed) as failed:
            client.call("farm.create", {"name": "over the stream"})
        assert failed.value.code == "constraint.violated"


def test_a_change_is_told_with_its_row_and_its_writer(tmp_path: Path, database: str) -> None:
    """Insert, update and delete, over the API and by plain SQL, each with who did it."""
    with served(tmp_path, database) as node, LineClient(node.stream) as client:
        subscribed = client.call("feed.subscribe", {"from": "now"})
        assert subscribed == {"subscription": 1, "from": 0}
        farm = client.call("farm.create", {"name": "a"})
        node.call("farm.update", {"id": farm["id"], "name": "b"})
        with raw_connection(database) as connection:
            ask(connection, "UPDATE farm SET name = 'c'")
            [(account,)] = ask(connection, "SELECT USER()")
        node.call("farm.delete", {"id": farm["id"]})
        changes = next_changes(client, 4)
    assert [change["position"] for change in changes] == [1, 2, 3, 4]
    assert [change["kind"] for change in changes] == ["insert", "update", "update", "delete"]
    api = "api:127.0.0.1"
    assert [change["writer"] for change in changes] == [api, api, f"sql:{account}", api]
    assert {change["key"]["id"] for change in changes} == {farm["id"]}
    assert changes[1]["fields"] == changes[2]["fields"] == ["name"]
    assert changes[3]["row"] is None


def test_only_positions_that_were_given_can_be_subscribed_from(
    tmp_path: Path, database: str
) -> None:
    """The head can; what is above it is refused at once, with the head and what to do."""
    with served(tmp_path, database) as node, LineClient(node.stream) as client:
        node.call("farm.create", {"name": "a"})
        head = node.call("feed.read", {"from": 0, "wait_seconds": 20})["head"]
        assert client.call("feed.subscribe", {"from": head})["from"] == head
        with pytest.raises(CallFailed) as failed:
            client.call("feed.subscribe", {"from": head + 1})
    assert (failed.value.code, failed.value.number) == ("feed.beyond_head", 1302)
    assert failed.value.error["data"]["head"] == head
    assert failed.value.errors[0]["pointer"] == "/from"
    assert "restored from a backup" in failed.value.error["data"]["hint"]


def test_writers_over_a_socket_are_told_from_others(tmp_path: Path, database: str) -> None:
    """Both listeners may be sockets; whoever comes in there is api:unix."""
    path = tmp_path / "stream.sock"
    with served(tmp_path, database, HERDBOOK_LISTEN_STREAM=f"unix:{path}") as node:
        assert node.stream == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with LineClient(node.stream) as client:
            client.call("feed.subscribe")
            client.call("farm.create", {"name": "by socket"})
            node.call("farm.create", {"name": "by TCP"})
            writers = [change["writer"] for change in next_changes(client, 2)]
        assert "Traceback" not in node.log()
    assert writers == ["api:unix", "api:127.0.0.1"]


def test_two_subscriptions_with_filters_of_their_own(tmp_path: Path, database: str) -> None:
    """Each is told what it asked for, under its number, in the order of the changes."""
    with served(tmp_path, database) as node, LineClient(node.stream) as client:
        heavy = {"records": ["cow"], "where": {"cow": ["weight", ">", 500]}}
        first = client.call("feed.subscribe", heavy)["subscription"]
        second = client.call("feed.subscribe", {"records": ["farm"], "rows": False})["subscription"]
        farm = node.call("farm.create", {"name": "a"})
        for tag, weight in enumerate((400, 600, 500, 700)):
            node.call(
                "cow.create", {"farm_id": farm["id"], "name": "c", "tag": tag, "weight": weight}
            )
        node.call("farm.update", {"id": farm["id"], "name": "b"})
        told: dict[int, list[dict[str, Any]]] = {first: [], second: []}
        while sum(map(len, told.values())) < 4:
            params = client.told()["params"]
            told[params["subscription"]] += params["changes"]
        assert [change["row"]["weight"] for change in told[first]] == [600, 700]
        assert [change["kind"] for change in told[second]] == ["insert", "update"]
        assert all("row" not in change for change in told[second])
        assert client.call("feed.unsubscribe", {"subscription": first}) == {"unsubscribed": True}
        node.call(
            "cow.update", {"records": [{"id": cow["id"], "weight": 900} for cow in cows(node)]}
        )
        node.call("farm.update", {"id": farm["id"], "name": "c"})
        params = client.told()["params"]
        assert (params["subscription"], len(params["changes"])) == (second, 1)


def cows(node: NodeProcess) -> list[dict[str, Any]]:
    """All cows."""
    found: list[dict[str, Any]] = node.call("cow.list")["records"]
    return found


def test_over_http_a_subscription_is_refused_with_where_to_go(
    tmp_path: Path, database: str
) -> None:
    """The error names the listener that can."""
    with served(tmp_path, database) as node:
        for method, params in (("feed.subscribe", {}), ("feed.unsubscribe", {"subscription": 1})):
            with pytest.raises(CallFailed) as failed:
                node.call(method, params)
            assert (failed.value.number, failed.value.code) == (1300, "feed.stream_needed")
            assert "listen.stream" in failed.value.error["data"]["hint"]


def test_wrong_subscriptions_are_refused(tmp_path: Path, database: str) -> None:
    """All that is wrong is told at once, and the connection goes on."""
    with served(tmp_path, database) as node, LineClient(node.stream) as client:
        with pytest.raises(CallFailed) as failed:
            client.call("feed.subscribe", {"from": -1, "records": ["frm"], "wait_seconds": 1})
        codes = {error["code"] for error in failed.value.errors}
        assert codes == {"position.malformed", "record.unknown", "params.unknown"}
        with pytest.raises(CallFailed) as failed:
            client.call("feed.unsubscribe", {"subscription": "1"})
        assert failed.value.errors[0]["code"] == "value.wrong_type"
        for _ in range(16):
            client.call("feed.subscribe")
        with pytest.raises(CallFailed) as failed:
            client.call("feed.subscribe")
        assert failed.value.code == "limit.subscriptions"
        assert "herdbook_feed_subscriptions 16.0" in metrics(node)


def metrics(node: NodeProcess) -> str:
    """All numbers of a node."""
    with urlopen(f"{node.admin}metrics", timeout=30) as reply:
        text: str = reply.read().decode()
    return text


def test_below_the_horizon_the_end_is_told(tmp_path: Path, database: str) -> None:
    """A place in the changelog that is no longer kept is never passed over."""
    with served(tmp_path, database) as node, LineClient(node.stream) as client:
        node.call("farm.create", {"records": [{"name": str(number)} for number in range(3)]})
        node.call("feed.read", {"from": 0, "wait_seconds": 20})
        with raw_connection(database) as connection:
            ask(connection, "DELETE FROM herdbook_changelog WHERE position <= 2")
            ask(connection, "UPDATE herdbook_sealer SET horizon = 2")
        number = client.call("feed.subscribe", {"from": 1})["subscription"]
        assert client.told() == {
            "jsonrpc": "2.0",
            "method": "feed.overflow",
            "params": {"subscription": number, "next": 1, "reason": "pruned"},
        }
        assert client.call("feed.unsubscribe", {"subscription": number}) == {"unsubscribed": False}


def test_after_a_restart_a_subscriber_goes_on_where_it_was(tmp_path: Path, database: str) -> None:
    """What was written while it was away is told first, and nothing is told again."""
    with served(tmp_path, database) as node, LineClient(node.stream) as client:
        client.call("feed.subscribe")
        farm = node.call("farm.create", {"name": "a"})
        next_changes(client, 1)
        last = 1
    with raw_connection(database) as connection:
        ask(connection, "UPDATE farm SET name = 'meanwhile'")
    with NodeProcess(tmp_path, database) as node, LineClient(node.stream) as client:
        client.call("feed.subscribe", {"from": last})
        node.call("farm.update", {"id": farm["id"], "name": "after"})
        changes = next_changes(client, 2)
    assert [change["position"] for change in changes] == [2, 3]
    assert changes[0]["writer"].startswith("sql:")


def test_a_node_that_stops_ends_its_connections(tmp_path: Path, database: str) -> None:
    """Subscribers see the end at once, and a node with them still stops in good order."""
    with served(tmp_path, database) as node:
        client = LineClient(node.stream)
        client.call("feed.subscribe")
    with client, pytest.raises(Ended):
        client.receive()
