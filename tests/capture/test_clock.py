"""Clocks as values: what is written reads back, and a change ticks only its columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.capture.clock import NEVER, Clock, Slot, Version, clock_of, read_clock
from schema.capture.columns import HIGHEST_NUMBER, SLOT_BYTES, VERSION_BYTES

VERSIONS = st.builds(Version, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
NUMBERS = st.integers(1, HIGHEST_NUMBER)
SLOTS = st.dictionaries(NUMBERS, st.builds(Slot, VERSIONS, VERSIONS), max_size=20)
CLOCKS = st.builds(Clock, VERSIONS, SLOTS)


@given(CLOCKS)
def test_a_clock_reads_back_as_it_was_written(clock: Clock) -> None:
    """Any stamps, any origins, any columns."""
    raw = clock.as_bytes
    assert len(raw) == VERSION_BYTES + SLOT_BYTES * len(clock.slots)
    assert read_clock(raw) == clock
    assert clock_of(raw, 1, 2) == clock


@given(VERSIONS)
def test_a_row_that_never_changed_has_the_version_of_its_birth(version: Version) -> None:
    """It holds no clock; each of its columns is as old as the row."""
    clock = clock_of(None, version.stamp, version.origin)
    assert clock == Clock(version)
    assert clock.version_of(5) == version


@given(CLOCKS, st.lists(NUMBERS, unique=True, max_size=5), VERSIONS)
def test_a_change_ticks_its_columns_and_no_other(
    clock: Clock, numbers: list[int], version: Version
) -> None:
    """The others keep their versions; what another origin wrote last is remembered."""
    after = clock.ticked(numbers, version)
    assert after.born == clock.born
    for number in numbers:
        assert after.version_of(number) == version
        before = clock.version_of(number)
        if before.origin != version.origin:
            assert after.slots[number].overwrote == before
        else:
            known = clock.slots.get(number, Slot(version))
            assert after.slots[number].overwrote == known.overwrote
    others = clock.slots.keys() - set(numbers)
    assert {number: after.slots[number] for number in others} == {
        number: clock.slots[number] for number in others
    }


@given(VERSIONS, VERSIONS)
def test_versions_have_one_order(one: Version, other: Version) -> None:
    """By the moment, then by the origin: the same as that of their bytes."""
    assert (one < other) == (one.as_bytes < other.as_bytes)
    assert one >= NEVER


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"\0" * (VERSION_BYTES - 1), b"\0" * (VERSION_BYTES + 1)),
        b"\0" * (VERSION_BYTES + SLOT_BYTES - 1),
        b"\0" * (VERSION_BYTES + 2 * SLOT_BYTES),
    ],
)
def test_bytes_that_are_no_clock_are_refused(raw: bytes) -> None:
    """Cut short, or with one column twice."""
    with pytest.raises(ValueError, match="clock"):
        read_clock(raw)
