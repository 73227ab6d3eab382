"""What is said in a log again and again is said now and then."""

from __future__ import annotations

import logging

import pytest

from service.store.sparing import MOST_REMEMBERED, SparingLog
from tests.service.store.sealing.tools import Clock


def test_the_same_is_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """With how often it was left out; another text is another matter."""
    clock = Clock()
    sparing = SparingLog(logging.getLogger("sparing"), every=60, clock=clock)
    for _ in range(5):
        sparing.warning("full")
    sparing.warning("lost")
    clock.now += 60
    sparing.warning("full")
    sparing.warning("full")
    assert caplog.messages == ["full", "lost", "full (4 times more meanwhile)"]


def test_texts_without_end_are_not_all_remembered(caplog: pytest.LogCaptureFixture) -> None:
    """All are said."""
    sparing = SparingLog(logging.getLogger("sparing"), clock=Clock())
    for number in range(3 * MOST_REMEMBERED):
        sparing.warning(f"text {number}")
    assert len(caplog.messages) == 3 * MOST_REMEMBERED
    assert len(sparing._told) <= MOST_REMEMBERED
