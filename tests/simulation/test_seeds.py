"""Herds live through whatever goes wrong, and end equal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from service.herd.held import BLOCKED, PARENT, REFUSED, SCHEMA, Held
from service.simulation.run import Run, run
from service.simulation.setting import FAULTS, Options
from service.simulation.story import Applied, Retried
from service.simulation.telling import told

ROOT = Path(__file__).parents[2]
DIGEST = """
from tests.simulation.test_seeds import digest
print(digest(range(1, 13)))
"""


def digest(seeds: Iterable[int]) -> str:
    """A number for all that happened in some seeds, and for where it led."""
    together = sha256()
    for seed in seeds:
        ended = run(seed)
        together.update("\n".join(told(ended, whole=True)).encode())
        for node in ended.nodes:
            together.update(repr(sorted(node.tables.states.items(), key=repr)).encode())
            together.update(repr(sorted(node.known.items())).encode())
    return together.hexdigest()


def broken(runs: Iterable[Run]) -> list[str]:
    """What went wrong, by seed."""
    return [f"seed {ended.seed}: {ended.broken}" for ended in runs if ended.broken]


def test_small_herds_keep_every_rule() -> None:
    """Two hundred herds, with whatever the seeds let go wrong."""
    assert broken(map(run, range(1, 201))) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_borne(fault: str) -> None:
    """Each fault happens, and every rule holds."""
    runs = [run(seed, Options(faults=(fault,))) for seed in range(1, 9)]
    assert broken(runs) == []
    assert sum((ended.world.counts for ended in runs), Counter())[f"fault {fault}"] > 0


@pytest.mark.slow
def test_many_herds_keep_every_rule() -> None:
    """What a nightly run does a hundred times as often, by the command that it uses."""
    command = [sys.executable, "-m", "service.cli.main", "simulate", "--seeds", "2000", "--json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    document = json.loads(ended.stdout)
    assert (document["failed"], document["seeds"], ended.returncode) == (None, 2000, 0)


@pytest.mark.parametrize(
    "faults", [("forget", "away"), ("restore", "clone"), ("forget", "away", "restore", "clone")]
)
def test_what_is_forgotten_and_lost_together_is_borne(faults: tuple[str, ...]) -> None:
    """Snapshots meet nodes that were set back, and copies meet horizons."""
    options = Options(faults=(*faults, "kill", "cut"))
    assert broken(run(seed, options) for seed in range(1, 41)) == []


def test_copies_and_nodes_that_were_set_back_are_noticed() -> None:
    """Both alarms are raised in some herds, and the herds go on."""
    runs = [run(seed, Options(faults=("restore", "clone"))) for seed in range(1, 61)]
    told_of = "\n".join(line for ended in runs for line in told(ended, whole=True))
    assert broken(runs) == []
    assert "one is a copy of the other" in told_of
    assert "it was restored from an older copy" in told_of


def test_larger_herds_keep_every_rule() -> None:
    """Seven nodes that write for longer."""
    assert broken(run(seed, Options(nodes=7, steps=150)) for seed in range(1, 7)) == []


def test_a_herd_in_which_nothing_goes_wrong_comes_to_rest_soon() -> None:
    """Without faults a few ticks after the last write are enough, even along a chain."""
    runs = [run(seed, Options(nodes=5, faults=())) for seed in range(1, 21)]
    assert broken(runs) == []
    assert max(ended.world.counts["ticks to rest"] for ended in runs) <= 60


def test_the_seeds_meet_what_they_are_for() -> None:
    """Conflicts, repairs, rows that wait or are held, frames, refused and giant writes occur.

    So do snapshots, what is forgotten, years, lost databases and new origins.
    """
    runs = [run(seed) for seed in range(1, 141)]
    counts = sum((ended.world.counts for ended in runs), Counter())
    wanted = {"conflicts", "repairs", "waited", "refused", "not written", "giant", "retried"}
    wanted |= {"plain", "snapshots", "forgotten", "years", "databases lost", "origins"}
    assert {name for name in wanted if not counts[name]} == set()
    assert {ended.world.setting.encoded for ended in runs} == {True, False}
    assert {ended.world.setting.nodes for ended in runs} == {2, 3, 4}


def test_rows_are_held_for_every_reason() -> None:
    """Whole rows and some columns, where databases refuse rows and tables are older."""
    runs = [run(seed, Options(faults=("poison", "migration"))) for seed in range(1, 61)]
    held = [held for ended in runs for held in _ever_held(ended)]
    assert {each.reason for each in held} == {PARENT, SCHEMA, REFUSED, BLOCKED}
    assert {each.row.whole for each in held if each.reason == SCHEMA} == {True, False}


def _ever_held(ended: Run) -> Iterable[Held]:
    plans = (
        moment.event.plan
        for moment in ended.world.story
        if isinstance(moment.event, Applied | Retried)
    )
    return (held for plan in plans for held in plan.held)


def test_the_same_seed_tells_the_same_story() -> None:
    """Everything follows from the seed, in one process as in another with other hashes."""
    here = digest(range(1, 13))
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", DIGEST]
        there = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert there.stdout.strip() == here


def test_another_seed_is_another_herd() -> None:
    """Two seeds do not tell the same."""
    assert told(run(1), whole=True)[1:] != told(run(2), whole=True)[1:]
