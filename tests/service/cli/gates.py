"""An authority and its gate, which the tests open, kill and look at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from service.identity.joining.kept import read_kept
from tests.service.cli.conftest import Ran

Herdbook = Callable[..., Ran]
SIBLING = "tcp:shed.example.org:8653"
ROOT = Path(__file__).parents[3]
SECONDS = 120


class Gate:
    """An authority, and its gate as a process."""

    def __init__(self, folder: Path, herdbook: Herdbook) -> None:
        self.folder = folder
        self._herdbook = herdbook
        assert herdbook("herd", "ca", "init", str(folder)).code == 0
        self.address = ""
        self.process: subprocess.Popen[str] | None = None

    def invite(self, name: str, *more: str) -> str:
        """A token."""
        words = ("node", "invite", name, "--ca", str(self.folder), "--sibling", SIBLING, *more)
        return self._herdbook(*words).out.strip()

    def open(self, *more: str) -> None:
        """Let newcomers in."""
        words = [
            "node",
            "gate",
            "--ca",
            str(self.folder),
            "--listen",
            "tcp:0:interface=127.0.0.1",
            *more,
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service.cli.main", *words, "--json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = json.loads(self.process.stdout.readline())["listen"]

    def kill(self) -> None:
        """At once."""
        if self.process is not None:
            self.process.kill()
            self.closed()

    def closed(self) -> int:
        """How it ended; it had nothing to complain of."""
        assert self.process is not None
        _out, complaints = self.process.communicate(timeout=SECONDS)
        assert complaints == ""
        return self.process.returncode

    def states(self) -> dict[str, str]:
        """How far the invited have come."""
        now = datetime.now(UTC)
        return {each.name: each.standing(now) for each in read_kept(self.folder)}
