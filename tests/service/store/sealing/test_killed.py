"""A sealer that is killed at any moment loses nothing and seals nothing twice."""

from __future__ import annotations

from contextlib import suppress

import pytest

from service.errors import ServiceError
from service.store.retention import Pruner, Retention
from tests.service.store.sealing.killing import Killer, rows_left
from tests.service.store.sealing.tools import (
    changelog,
    check_lives,
    inbox,
    run,
    seal_all,
    sealing,
    worker_at,
)
from tests.service.store.tools import read

WRITES = (
    "INSERT INTO plot VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "DELETE FROM plot WHERE number = 2",
    "INSERT INTO plot VALUES (2, 'again')",
    "UPDATE plot SET name = 'x' WHERE number = 2",
    "REPLACE INTO plot VALUES (3, 'new')",
)
MOST_STATEMENTS = 30
ATTEMPTS = 2


def statements_of_a_pass(url: str, killer: Killer) -> int:
    """How many statements it takes to seal the writes."""
    run(url, *WRITES)
    with sealing(url) as sealer:
        before = len(killer.statements)
        assert sealer.seal()[0].sealed == 8
        return len(killer.statements) - before


def replayed(url: str) -> list[tuple[int]]:
    """The keys that are there according to the changelog."""
    there: set[int] = set()
    for line in changelog(url):
        (there.discard if line.kind == "delete" else there.add)(int(line.key))
    return [(number,) for number in sorted(there)]


def test_a_pass_that_is_killed_before_any_statement_is_made_again(
    plots: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each of its statements, before its COMMIT and after it: each change once."""
    killer = Killer(plots, monkeypatch)
    count = statements_of_a_pass(plots, killer)
    assert 8 < count < MOST_STATEMENTS
    for moment in (*range(count), "before", "after"):
        run(plots, "DELETE FROM plot", *WRITES)
        waiting = inbox(plots)
        sealed = len(changelog(plots))
        with sealing(plots, attempts=ATTEMPTS) as sealer:
            killer.statements.clear()
            killer.chosen = moment
            with suppress(ServiceError):
                sealer.seal()
            assert killer.chosen is None
            assert seal_all(sealer).drained
        lines = changelog(plots)
        assert len(lines) == sealed + waiting
        assert len({line.entry for line in lines}) == len(lines)
        assert replayed(plots) == rows_left(plots)
        check_lives(plots)


@pytest.mark.parametrize("moment", [*range(8), "before", "after"])
def test_pruning_that_is_killed_is_done_wholly_or_not_at_all(
    plots: str, monkeypatch: pytest.MonkeyPatch, moment: int | str
) -> None:
    """The horizon, the entries and the dead rows go together."""
    run(plots, *WRITES, "DELETE FROM plot WHERE number = 1")
    with sealing(plots) as sealer:
        sealer.seal()
    killer = Killer(plots, monkeypatch)
    worker = worker_at(plots, ATTEMPTS)
    try:
        pruner = Pruner(worker, "one", Retention(30, 0), lambda: 2**52)
        killer.chosen = moment
        with suppress(ServiceError):
            pruner.prune()
        pruner.prune()
    finally:
        worker.close()
    assert read(plots, "SELECT `position`, horizon FROM herdbook_sealer") == [(9, 9)]
    assert read(plots, "SELECT COUNT(*) FROM herdbook_changelog") == [(0,)]
    assert read(plots, "SELECT COUNT(*) FROM herdbook_dead_plot") == [(0,)]
