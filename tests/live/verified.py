"""The command that compares nodes, on those of a herd."""

from __future__ import annotations

import json

from tests.live.herds import LiveHerd
from tests.service.cli.nodes import herdbook


def require_verified(herd: LiveHerd) -> None:
    """`herdbook verify` says of every node that it is equal to the first, row by row."""
    first, *others = herd.nodes
    for other in others:
        ran = herdbook("verify", first.rpc, other.rpc, "--json")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        told = json.loads(ran.stdout)
        assert told["equal"]
        assert told["same_vector"]
        assert sum(mine + theirs for one in told["tables"] for mine, theirs in [one["rows"]]) > 0
