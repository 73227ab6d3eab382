"""`herdbook simulate`: herds made up by number, and the story of the one that fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.cli import simulate
from service.cli.output import ExitCode
from service.simulation.run import Run
from service.simulation.run import run as run_seed
from service.simulation.setting import FAULTS, Options
from tests.service.cli.conftest import Ran
from tests.simulation.plants import PLANTS

Herdbook = Callable[..., Ran]


def test_seeds_are_run_and_counted(herdbook: Herdbook) -> None:
    """All rules hold: what was run is told in numbers, and the exit code is 0."""
    ran = herdbook("simulate", "--seeds", "5")
    assert ran.code == ExitCode.DONE
    assert ran.out.startswith("5 seeds, 0.0")
    assert ran.out.endswith("Every rule held.\n")
    assert " conflicts, " in ran.out


def test_one_seed_is_one(herdbook: Herdbook) -> None:
    """In words as in numbers."""
    assert herdbook("simulate", "--seed", "5").out.startswith("1 seed, ")


def test_seeds_run_side_by_side_come_to_the_same(herdbook: Herdbook) -> None:
    """Several processes count what one counts."""
    alone = herdbook("simulate", "--seeds", "8", "--json").document()
    apart = herdbook("simulate", "--seeds", "8", "--workers", "2", "--json").document()
    assert alone.pop("seconds") > 0 < apart.pop("seconds")
    assert apart == alone


def test_a_seed_that_fails_in_another_process_is_told(
    herdbook: Herdbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that fails, with its story, as if one process had run them."""
    PLANTS["nothing repaired"].put_in(monkeypatch)
    words = ("simulate", "--seeds", "50", "--nodes", "3", "--json")
    alone, apart = herdbook(*words), herdbook(*words, "--workers", "2")
    assert (alone.code, apart.code) == (ExitCode.FAILED, ExitCode.FAILED)
    assert apart.document()["failed"] == alone.document()["failed"]


def test_programs_get_one_line_of_json(herdbook: Herdbook) -> None:
    """The same numbers, by name."""
    document = herdbook("simulate", "--seeds", "3", "--seed", "7", "--json").document()
    assert (document["seeds"], document["first"], document["failed"]) == (3, 7, None)
    assert document["virtual_hours"] > 0
    assert set(document["faults"]) <= set(FAULTS)


def test_a_failing_seed_is_told_as_a_story(
    herdbook: Herdbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first failing seed ends the run, with its story, how to run it again, and exit code 1."""
    PLANTS["nothing repaired"].put_in(monkeypatch)
    ran = herdbook("simulate", "--seeds", "50", "--nodes", "3")
    assert ran.code == ExitCode.FAILED
    again = next(line for line in ran.out.splitlines() if line.startswith("Again: "))
    words = again.removeprefix("Again: herdbook ").split()
    assert words[-2:] == ["--nodes", "3"]
    once_more = herdbook(*words)
    story = ran.out.partition("Again: ")[0]
    assert story.startswith(f"seed {words[2]}: 3 nodes")
    assert once_more.out.partition("Again: ")[0] == story
    failed = herdbook(*words, "--json").document()["failed"]
    assert failed["story"] == story.rstrip("\n").split("\n")
    assert (failed["rule"], failed["seed"]) == ("constraint", int(words[2]))


def test_an_interrupted_run_tells_what_was_run(
    herdbook: Herdbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends it early, with the numbers so far."""

    def run(seed: int, options: Options) -> Run:
        if seed == 4:
            raise KeyboardInterrupt
        return run_seed(seed, options)

    monkeypatch.setattr(simulate, "run", run)
    ran = herdbook("simulate", "--seeds", "50")
    assert ran.code == ExitCode.INTERRUPTED
    assert ran.out.startswith("3 seeds, ")
    assert "Stopped before all 50 were run; every rule held so far." in ran.out


def test_herds_can_be_chosen(herdbook: Herdbook) -> None:
    """Nodes, steps and faults may be given instead of being left to the seed."""
    words = ("--nodes", "5", "--steps", "30", "--faults", "kill,cut")
    ran = herdbook("simulate", "--seeds", "4", *words, "--json")
    assert set(ran.document()["faults"]) <= {"kill", "cut"}
    quiet = herdbook("simulate", "--seed", "2", "--faults", "none", "--json").document()
    assert (quiet["seeds"], quiet["faults"]) == (1, {})


def test_an_unknown_fault_is_refused(herdbook: Herdbook) -> None:
    """The message names those that there are."""
    ran = herdbook("simulate", "--faults", "flood")
    assert ran.code == ExitCode.USAGE
    assert "there is no fault flood" in ran.err
    assert all(name in ran.err for name in FAULTS)


def test_the_help_names_every_fault(herdbook: Herdbook) -> None:
    """Nobody has to look into the code."""
    text = herdbook("simulate", "--help").out
    assert [name for name in FAULTS if name not in text] == []
