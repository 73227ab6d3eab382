"""What the tests of whole commands share: run one, have a node up, call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.node import NodeProcess

ROOT = Path(__file__).parents[3]
LIMIT_SECONDS = 240


def herdbook(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "service.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | settings,
    )


@contextmanager
def node_up(directory: Path, server_program: str, *more: str) -> Iterator[dict[str, Any]]:
    """A detached node, stopped at the end whatever happens."""
    started = herdbook(
        "up",
        "--dir",
        str(directory),
        "--port",
        "0",
        "--detach",
        "--json",
        *more,
        HERDBOOK_SERVER=server_program,
    )
    try:
        assert started.returncode == 0, started.stderr
        yield json.loads(started.stdout)
    finally:
        herdbook("down", "--dir", str(directory))


def caller(told: dict[str, Any]) -> NodeProcess:
    """Something to call a node with."""
    node = NodeProcess(Path(), "")
    node.rpc = told["rpc"]
    return node


def new_country(code: str) -> dict[str, Any]:
    """A country that the gazetteer does not have."""
    return {
        "code": code,
        "code3": f"{code}X",
        "number": 999,
        "name": "Herdland",
        "continent": "EU",
        "area_km2": 1,
        "languages": [],
        "neighbours": [],
    }


def resident_kilobytes(pid: int) -> int:
    """How much memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def wait_until_gone(pid: int) -> None:
    """Wait for a killed process to be taken away."""
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or "State:\tZ" in _status(pid):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "State:\tZ"
