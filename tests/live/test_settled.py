"""What a node has built is passed over when Python looks for unreachable objects."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from service.memory import YOUNG_OBJECTS
from tests.live.node import NodeProcess, migrate
from tests.live.units import until

WATCHED = """
import gc, json, os, runpy, signal, sys
settled, freeze = [], gc.freeze

def watched():
    freeze()
    settled.append(gc.get_freeze_count())

def tell(_number, _frame):
    with open("told.draft", "w") as file:
        json.dump([settled, gc.get_threshold()[0]], file)
    os.replace("told.draft", "told")

gc.freeze = watched
signal.signal(signal.SIGUSR1, tell)
sys.argv = sys.argv[3:]
runpy.run_module("service.cli.main", run_name="__main__")
"""
"""Stands before the command of a node, and says when it is asked what was settled."""


def test_a_node_settles_when_it_has_started_and_when_it_has_read_all_ranges(
    database: str, tmp_path: Path
) -> None:
    """Twice, and many objects each time; and it looks through the youngest less often."""
    migrate(tmp_path, database)
    told = tmp_path / "told"
    with NodeProcess(tmp_path, database, through=(sys.executable, "-c", WATCHED)) as node:
        node.call("range.locate", {"address": "10.0.0.1"})

        def has_settled_twice() -> bool:
            os.kill(node.pid, signal.SIGUSR1)
            return told.exists() and len(json.loads(told.read_text())[0]) == 2

        until(has_settled_twice)
    settled, youngest = json.loads(told.read_text())
    assert min(settled) > 10_000
    assert youngest == YOUNG_OBJECTS
