"""Tokens on a whole node: commands show them, the changelog names them, revoked ones are out."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.live.lines import Ended, LineClient
from tests.live.node import CallFailed, NodeProcess, page, served
from tests.live.units import until
from tests.service.cli.nodes import herdbook

REQUIRED = {"HERDBOOK_ACCESS_REQUIRED": "true"}


def made(folder: Path, name: str, *words: str) -> str:
    """The secret of a new token of the node in a folder."""
    ran = herdbook("token", "add", name, *words, HERDBOOK_ACCESS_TOKENS=str(_file(folder)))
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def _file(folder: Path) -> Path:
    return folder / "herdbook.tokens"


def called(node: NodeProcess, token: str, *words: str) -> tuple[int, Any]:
    """How `herdbook call` with a token ends, and what it shows: the result, or the error's code."""
    ran = herdbook("call", "--url", node.rpc, "--json", *words, HERDBOOK_TOKEN=token)
    if ran.returncode == 0:
        return 0, json.loads(ran.stdout)
    error = json.loads(ran.stderr)["error"]
    return ran.returncode, error["data"]["code"] if "data" in error else error["code"]


def logged_in(client: LineClient, secret: str) -> bool:
    """Show a token; whether the node knows it by now."""
    try:
        client.call("session.login", {"token": secret})
    except CallFailed:
        return False
    return True


@pytest.mark.slow
def test_a_node_lets_in_who_has_a_token_and_notes_who_wrote(tmp_path: Path, database: str) -> None:
    """Made while the node runs, without a restart; probes need none, and no secret is logged."""
    settings = {**REQUIRED, "HERDBOOK_LOG_LEVEL": "debug"}
    with served(tmp_path, database, **settings) as node:
        assert called(node, "", "farm.count") == (1, "access.required")
        with LineClient(node.stream) as stranger_there, pytest.raises(CallFailed) as failed:
            stranger_there.call("farm.count")
        assert failed.value.code == "access.required"
        assert "ok" in page(node, "/readyz")
        assert "herdbook token add" in page(node, "/metrics")
        reader = made(tmp_path, "reader", "--role", "read")
        writer = made(tmp_path, "loader", "--role", "write", "--from", "127.0.0.0/8")
        stranger = made(tmp_path, "stranger", "--role", "admin", "--from", "192.0.2.0/24")
        until(lambda: called(node, stranger, "farm.count") == (1, "access.wrong_address"))
        code, farm = called(node, writer, "farm.create", "name=a")
        assert code == 0
        assert called(node, reader, "farm.create", "name=b") == (1, "access.forbidden")
        with LineClient(node.stream) as client:
            assert client.call("session.login", {"token": reader})["role"] == "read"
            [change] = client.call("feed.read", {"from": 0, "wait_seconds": 20})["changes"]
        assert (change["key"]["id"], change["writer"]) == (farm["id"], "token:loader@127.0.0.1")
        command = Path(f"/proc/{node.pid}/cmdline").read_text()
        everything = node.log() + command + _file(tmp_path).read_text()
    for secret in (reader, writer, stranger):
        assert secret not in everything


@pytest.mark.slow
def test_who_is_revoked_is_out_while_he_listens(tmp_path: Path, database: str) -> None:
    """The stream ends and says why; others, and who needs no token, go on."""
    with served(tmp_path, database) as node, LineClient(node.stream) as other:
        secret = made(tmp_path, "reader", "--role", "read")
        with LineClient(node.stream) as client:
            until(partial(logged_in, client, secret))
            client.call("feed.subscribe", {"from": "now"})
            with pytest.raises(CallFailed) as refused:
                client.call("farm.create", {"name": "a"})
            assert refused.value.code == "access.forbidden"
            assert other.call("farm.create", {"name": "a"})["name"] == "a"
            assert client.told()["method"] == "feed.change"
            place = {"HERDBOOK_ACCESS_TOKENS": str(_file(tmp_path))}
            assert herdbook("token", "revoke", "reader", **place).returncode == 0
            farewell = client.receive()
            assert (farewell["id"], farewell["error"]["data"]["code"]) == (None, "access.unknown")
            with pytest.raises(Ended):
                client.receive()
        assert other.call("farm.count") == 1
        assert called(node, secret, "farm.count") == (1, "access.unknown")


@pytest.mark.slow
def test_a_token_with_a_rate_is_held_to_it(tmp_path: Path, database: str) -> None:
    """Also on this machine, over HTTP and over the stream together; others are not."""
    with served(tmp_path, database) as node, LineClient(node.stream) as client:
        secret = made(tmp_path, "slow", "--role", "read", "--rate", "0.01")
        until(partial(logged_in, client, secret))
        assert client.call("farm.count") == 0
        assert called(node, secret, "farm.count") == (1, "access.too_many")
        with pytest.raises(CallFailed) as refused:
            client.call("farm.count")
        assert refused.value.code == "access.too_many"
        assert 90 < refused.value.error["data"]["retry_seconds"] <= 100
        assert node.call("farm.count") == 0
        assert 'herdbook_calls_limited_total{by="token"} 2.0' in page(node, "/metrics")
