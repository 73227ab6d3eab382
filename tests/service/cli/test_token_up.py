"""Tokens of a node that runs its own server: its directory is all that has to be named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.live.units import until
from tests.service.cli.nodes import herdbook, node_up


@pytest.mark.slow
def test_the_tokens_of_a_directory_are_those_of_its_node(
    tmp_path: Path, server_program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made before it starts, revoked while it runs; the check counts them."""
    directory = tmp_path / "data"
    directory.mkdir()
    monkeypatch.setenv("HERDBOOK_ACCESS_REQUIRED", "true")
    place = ("--dir", str(directory))
    made = herdbook("token", "add", "loader", "--role", "read", *place, "--json")
    token = json.loads(made.stdout)["token"]
    with node_up(directory, server_program) as told:
        counted = ("call", "--url", told["rpc"], "--json", "country.count")
        assert herdbook(*counted, HERDBOOK_TOKEN=token).stdout == "0\n"
        assert json.loads(herdbook(*counted).stderr)["error"]["code"] == "access.required"
        monkeypatch.setenv("HERDBOOK_NODE_RECORDS", "examples.gazetteer.records")
        checks = json.loads(herdbook("check", *place, "--json").stdout)["checks"]
        [access] = [each for each in checks if each["name"] == "access"]
        assert access["messages"] == [
            f"calls need a token; 1 token counts in {directory / 'tokens'}"
        ]
        assert herdbook("token", "revoke", "loader", *place).returncode == 0
        until(lambda: herdbook(*counted, HERDBOOK_TOKEN=token).returncode != 0)
        refused = json.loads(herdbook(*counted, HERDBOOK_TOKEN=token).stderr)
        assert refused["error"]["code"] == "access.unknown"
