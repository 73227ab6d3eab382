"""A simulation that never failed proves nothing: with a bug planted it fails."""

from __future__ import annotations

import pytest

from service.simulation.run import Run, run
from tests.simulation.plants import PLANTS, Plant

MOST_SEEDS = 200


def first_red(plant: Plant) -> Run | None:
    """The first seed at which a rule breaks."""
    runs = (run(seed, plant.options) for seed in range(1, MOST_SEEDS + 1))
    return next((ended for ended in runs if ended.broken), None)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the first seeds breaks a rule, and one that tells what is wrong."""
    PLANTS[name].put_in(monkeypatch)
    ended = first_red(PLANTS[name])
    assert ended is not None, f"no seed up to {MOST_SEEDS} shows that {name}"
    assert ended.broken is not None
    assert ended.broken.rule in PLANTS[name].rules, str(ended.broken)


def test_a_bug_that_raises_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that fails with an exception does not end the simulation, but its seed."""

    def broken(*_arguments: object) -> object:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("service.simulation.process.parts", broken)
    ended = first_red(Plant(lambda _patch: None, ()))
    assert ended is not None
    assert ended.broken is not None
    assert (ended.broken.rule, "planted" in ended.broken.text) == ("raised", True)
