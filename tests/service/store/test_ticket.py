"""The ticket of a unit of work: whoever is first decides, and both sides know the truth."""

from __future__ import annotations

import itertools
import threading

import pytest

from service.store.ticket import Abandoned, Ticket

WORKER = ("require_wanted", "begin_commit", "reopen", "require_wanted", "begin_commit")
"""A unit whose first commit is refused and whose second succeeds."""


def interleavings() -> list[tuple[str, ...]]:
    """The worker's steps, with the caller giving up once or twice at every place."""
    places = range(len(WORKER) + 1)
    made = []
    for first, second in itertools.combinations_with_replacement(places, 2):
        steps = list(WORKER)
        steps.insert(second, "abandon")
        made.append(tuple(steps))
        steps.insert(first, "abandon")
        made.append(tuple(steps))
    return list(dict.fromkeys(made))


@pytest.mark.parametrize("steps", interleavings(), ids=" ".join)
def test_a_call_that_was_given_up_in_time_is_never_committed(steps: tuple[str, ...]) -> None:
    """In every order of events: either it may commit, or the caller knows that it will not."""
    ticket, promised, committing = Ticket(), False, False
    for step in steps:
        if step == "abandon":
            promised = ticket.abandon()
            assert promised != committing
            continue
        try:
            getattr(ticket, step)()
        except Abandoned:
            assert promised
            break
        committing = step == "begin_commit"
        assert not (promised and committing)
    else:
        assert committing
        assert not promised


def test_giving_up_twice_is_the_same_as_once() -> None:
    """The second time the answer is the same."""
    ticket = Ticket()
    assert (ticket.abandon(), ticket.abandon()) == (True, True)
    with pytest.raises(Abandoned):
        ticket.require_wanted()


def test_two_threads_never_both_win() -> None:
    """A caller and a worker race many times: exactly one of them has its way."""
    for _round in range(300):
        ticket, start = Ticket(), threading.Barrier(2)
        won: list[str] = []

        def commit(ticket: Ticket = ticket, start: threading.Barrier = start) -> None:
            start.wait(10)
            try:
                ticket.begin_commit()
            except Abandoned:
                return
            won.append("worker")  # noqa: B023

        worker = threading.Thread(target=commit)
        worker.start()
        start.wait(10)
        if ticket.abandon():
            won.append("caller")
        worker.join(10)
        assert len(won) == 1
