"""Which settings of a server lose what it has acknowledged."""

from __future__ import annotations

import pytest

from service.server.durability import BINARY_LOG, FLUSH, SYNC, losses


def told(flush: str, log: str, sync: str) -> str:
    """What is said of these settings."""
    return "; ".join(losses({FLUSH: flush, BINARY_LOG: log, SYNC: sync}))


@pytest.mark.parametrize(
    "settings", [("1", "OFF", "0"), ("1", "ON", "1"), ("3", "ON", "0"), ("3", "OFF", "1")]
)
def test_these_settings_lose_nothing(settings: tuple[str, str, str]) -> None:
    """Without a binary log it does not matter how that is written; nor does it with MariaDB's 3."""
    assert losses(dict(zip((FLUSH, BINARY_LOG, SYNC), settings, strict=True))) == ()


@pytest.mark.parametrize("flush", ["0", "2"])
def test_a_commit_that_is_not_flushed_is_lost(flush: str) -> None:
    """What is set, and what to set."""
    assert told(flush, "OFF", "1").startswith(f"{FLUSH} is {flush}, not 1: a crash would lose")


@pytest.mark.parametrize("sync", ["0", "100"])
def test_a_binary_log_that_is_not_flushed_takes_commits_along(sync: str) -> None:
    """What is set, and what to set."""
    assert f"{SYNC} is {sync}, not 1" in told("1", "ON", sync)


def test_both_are_told_at_once() -> None:
    """One text each."""
    assert len(losses({FLUSH: "2", BINARY_LOG: "ON", SYNC: "0"})) == 2
