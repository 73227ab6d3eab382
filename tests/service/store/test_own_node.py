"""When a node's own record is written while it runs, and what its log is told."""

from __future__ import annotations

import logging
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from service.errors import Unavailable
from service.methods.caller import current_principal
from service.store.own_node import OwnNode, Told
from service.store.threads import Lane


class ScriptedLane:
    """Answers each work with the next of some outcomes, and notes for whom it was."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.principals: list[str | None] = []

    def run(self, _work: Any) -> Deferred[Any]:
        """The next outcome."""
        self.principals.append(current_principal())
        outcome = self.outcomes.pop(0)
        return fail(outcome) if isinstance(outcome, Exception) else succeed(outcome)


GONE = Unavailable("the database is gone")


def started(
    reading: ScriptedLane, writing: ScriptedLane, told: Told | None = None
) -> tuple[Clock, OwnNode]:
    """A node that has kept its record once, and looks every half a minute."""
    clock = Clock()
    own = OwnNode(told or Told("barn"), cast(Lane, reading), cast(Lane, writing), clock, 30.0)
    own.keep()
    own.start()
    return clock, own


def test_the_record_is_written_again_only_for_another_origin() -> None:
    """Each look asks for it; who writes is told to the changelog."""
    reading, writing = ScriptedLane(7, 8, 8, GONE, 8), ScriptedLane((7, None), (8, None))
    clock, own = started(reading, writing)
    for _look in range(5):
        clock.advance(30)
    assert (reading.outcomes, writing.outcomes) == ([], [])
    assert set(writing.principals) == {"herdbook"}
    own.stop()
    assert clock.getDelayedCalls() == []


def test_what_could_not_be_written_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """And told to the log."""
    with caplog.at_level(logging.WARNING):
        clock, own = started(ScriptedLane(7, 7), ScriptedLane(GONE, (7, None)))
        clock.advance(30)
        clock.advance(30)
    assert [each.message for each in caplog.records] == [
        "the record of this node cannot be written: the database is gone"
    ]
    own.stop()


def test_whose_name_it_is_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Once: the other record stays as it is."""
    with caplog.at_level(logging.WARNING):
        clock, own = started(ScriptedLane(7, 7), ScriptedLane((7, 5)))
        clock.advance(30)
        clock.advance(30)
    (told,) = caplog.records
    assert "another node of the herd is called barn (origin 5)" in told.message
    own.stop()


def test_the_record_is_written_again_for_another_certificate() -> None:
    """Within a look after it counts; once."""
    shown = ["AA"]
    reading, writing = ScriptedLane(7, 7, 7), ScriptedLane((7, None), (7, None))
    clock, own = started(reading, writing, Told("barn", lambda: shown[0]))
    clock.advance(30)
    assert len(writing.outcomes) == 1
    shown[0] = "BB"
    clock.advance(30)
    clock.advance(30)
    assert (reading.outcomes, writing.outcomes) == ([], [])
    own.stop()
