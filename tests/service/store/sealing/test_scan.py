"""How much of the inbox is looked through: all of it, unless that takes long."""

from __future__ import annotations

from service.store.sealing.scan import BEHIND, FULL_EVERY, Scan


def test_what_is_quick_is_looked_through_from_the_beginning() -> None:
    """As long as nothing is piled up, nothing is left out."""
    assert Scan().floor(0.0) == 0
    quick = Scan().seen(1_000_000).full(0.001, now=50.0)
    assert quick.floor(50.0) == 0
    assert quick.rest() == 0.0


def test_slow_scans_are_shortened_until_their_time_has_come_again() -> None:
    """A scan of 0.2 s from the beginning is made again after 2 s, and short ones in between."""
    slow = Scan().seen(1_000_000).full(0.2, now=50.0)
    assert slow.floor(50.1) == 1_000_000 - BEHIND
    assert slow.floor(50.0 + FULL_EVERY * 0.2 - 0.01) == 1_000_000 - BEHIND
    assert slow.floor(50.0 + FULL_EVERY * 0.2 + 0.01) == 0


def test_short_scans_follow_the_entries_also_downwards() -> None:
    """Numbers that start anew, as after TRUNCATE, make the floor low again."""
    slow = Scan().seen(1_000_000).full(0.2, now=50.0)
    assert slow.seen(2_000_000).floor(50.1) == 2_000_000 - BEHIND
    assert slow.seen(7).floor(50.1) == 0


def test_passes_rest_as_long_as_their_scans_take() -> None:
    """Where the inbox is piled up, scans take at most half of the time."""
    assert Scan().full(0.3, now=1.0).rest() == 0.3
