"""A key that somebody else could read or choose: the node does not start."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.identity.credentials import Paths
from tests.live.node import NodeProcess, migrate
from tests.service.identity.papers import herd, node_files


def _linked(path: Path) -> None:
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


SPOILT: dict[str, tuple[Callable[[Paths], object], str, str]] = {
    "a key that is a link": (lambda paths: _linked(paths.key), "is a symbolic link", "itself"),
    "a key that all can read": (lambda paths: paths.key.chmod(0o644), "has mode 644", "chmod 600"),
    "a key that a group can read": (lambda paths: paths.key.chmod(0o640), "mode 640", "chmod 600"),
    "a certificate that all can write": (lambda paths: paths.ca.chmod(0o666), "666", "chmod go-w"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_node_with_loose_files_does_not_start(tmp_path: Path, database: str, what: str) -> None:
    """It says which file it is and what to do; with the files as they were it does start."""
    spoil, said, hint = SPOILT[what]
    migrate(tmp_path, database)
    now = datetime.now(UTC)
    paths = node_files(tmp_path / "papers", herd(now), "barn", now)
    files = {f"HERDBOOK_HERD_{key.upper()}": str(path) for key, path in paths._asdict().items()}
    listen = {"HERDBOOK_HERD_LISTEN": "tcp:0:interface=127.0.0.1", "HERDBOOK_NODE_NAME": "barn"}
    with NodeProcess(tmp_path, database, **files, **listen) as node:
        assert node.herd
    before = node.log()
    spoil(paths)
    again = NodeProcess(tmp_path, database, **files, **listen)
    with pytest.raises(AssertionError, match="the node did not start"), again:
        pass
    again.stop()
    [line] = [one for one in again.log().removeprefix(before).splitlines() if one.startswith("{")]
    error = json.loads(line)["error"]
    assert (said in error["message"], hint in error["hint"]) == (True, True)
    assert str(tmp_path / "papers") in error["message"]
