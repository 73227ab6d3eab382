"""The look at what is put aside: again and again, also after a database that did not answer."""

from __future__ import annotations

import logging
from typing import Any, cast

import pytest
from prometheus_client import generate_latest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from service.errors import Unavailable
from service.metrics import AsideMetrics, new_registry
from service.store.herd.aside_watch import AsideWatch, Look
from service.store.threads import Lane


class ScriptedLane:
    """Answers each look with the next of some outcomes."""

    def __init__(self, *outcomes: Look | Exception) -> None:
        self.outcomes = list(outcomes)

    def run(self, _work: Any) -> Deferred[Any]:
        """The next outcome."""
        outcome = self.outcomes.pop(0)
        return fail(outcome) if isinstance(outcome, Exception) else succeed(outcome)


def watching(*outcomes: Look | Exception) -> tuple[Clock, AsideWatch, Any]:
    """A watch that has started, and the registry that it tells."""
    clock, registry = Clock(), new_registry()
    lane = cast(Lane, ScriptedLane(*outcomes))
    watch = AsideWatch(lane, clock, 30.0, AsideMetrics(registry))
    watch.start()
    clock.advance(0)
    return clock, watch, registry


def numbers(registry: Any) -> set[str]:
    """What the registry tells of what is put aside."""
    lines = generate_latest(registry).decode().splitlines()
    told = ("herdbook_held{", "herdbook_journal_entries_total{")
    return {line for line in lines if line.startswith(told)}


def test_what_is_held_follows_and_what_was_noted_adds_up() -> None:
    """A reason of which nothing is held any more is told as 0."""
    clock, _watch, registry = watching(
        Look({"parent": 2}, 1, {}), Look({"refused": 1}, 4, {"unique": 3}),
        Look({}, 5, {"unique": 1}),
    )  # fmt: skip
    assert numbers(registry) == {'herdbook_held{reason="parent"} 2.0'}
    clock.advance(30)
    clock.advance(30)
    assert numbers(registry) == {
        'herdbook_held{reason="parent"} 0.0', 'herdbook_held{reason="refused"} 0.0',
        'herdbook_journal_entries_total{rule="unique"} 4.0',
    }  # fmt: skip


def test_a_database_that_does_not_answer_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """What was known stays, and looking goes on."""
    gone = Unavailable("the database is gone")
    with caplog.at_level(logging.WARNING):
        clock, watch, registry = watching(
            Look({"parent": 2}, 1, {}), gone, gone, Look({"parent": 1}, 1, {})
        )
        clock.advance(30)
        clock.advance(30)
        assert numbers(registry) == {'herdbook_held{reason="parent"} 2.0'}
        assert len(caplog.records) == 1
        clock.advance(30)
    assert numbers(registry) == {'herdbook_held{reason="parent"} 1.0'}
    watch.stop()
    assert clock.getDelayedCalls() == []
