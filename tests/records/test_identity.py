"""Ids: valid UUIDv7s that sort in the order in which they were given out."""

from __future__ import annotations

import copy
import secrets
import threading
import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from records.identity import IdentitySource, follow, new_id, uuid7

MOST_CHANCE = 2**74 - 1


def test_the_example_of_the_standard_comes_out() -> None:
    """RFC 9562, appendix A.6: the moment and the chance bits give the id printed there."""
    moment = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    chance = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    made = uuid7(int(moment.timestamp() * 1000), chance)
    assert str(made) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.integers(0, 2**48 - 1), st.integers(0, MOST_CHANCE))
def test_every_id_has_version_and_variant_in_their_places(milliseconds: int, chance: int) -> None:
    """Whatever the moment and the chance: version 7, variant 10, and both can be read back."""
    made = uuid7(milliseconds, chance)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == milliseconds
    assert (made.int >> 64 & 0xFFF) << 62 | made.int & (1 << 62) - 1 == chance


@given(
    st.tuples(st.integers(0, 2**47), st.integers(0, MOST_CHANCE)),
    st.integers(0, 2**47),
    st.integers(0, MOST_CHANCE),
)
def test_the_next_id_is_always_later(last: tuple[int, int], milliseconds: int, chance: int) -> None:
    """Also when the clock stands, falls back, or the chance part is used up."""
    following = follow(last, milliseconds, chance)
    assert uuid7(*following) > uuid7(*last)
    assert following[1] <= MOST_CHANCE


def test_when_the_chance_part_is_full_the_millisecond_moves_on() -> None:
    """Counting up never runs over into the version bits."""
    assert follow((5, MOST_CHANCE), 5, 8) == (6, 4)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=60))
def test_ids_keep_their_order_whatever_the_clock_says(readings: list[int]) -> None:
    """One process's ids sort as they were given out, with a clock that jumps at will."""
    clock = iter(readings)
    source = IdentitySource(lambda: next(clock), lambda bits: (1 << bits) - 1)
    ids = [source() for _reading in readings]
    assert ids == sorted(set(ids))


def test_ids_follow_the_clock_again_once_it_catches_up() -> None:
    """After a clock that fell back, the moment in an id is that of the clock once more."""
    clock = iter([100, 40, 101])
    source = IdentitySource(lambda: next(clock), lambda _bits: 0)
    assert [made.int >> 80 for made in (source(), source(), source())] == [100, 100, 101]


def test_threads_never_get_the_same_id() -> None:
    """Eight threads at once: all ids differ, and each thread sees its own rise."""
    start = threading.Barrier(8)
    taken: list[list[uuid.UUID]] = []

    def take() -> None:
        start.wait(10)
        taken.append([new_id() for _count in range(500)])

    threads = [threading.Thread(target=take) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({made for ids in taken for made in ids}) == 8 * 500
    assert all(ids == sorted(ids) for ids in taken)


def test_the_process_has_a_source_that_tells_the_time() -> None:
    """An id made now says so."""
    milliseconds = new_id().int >> 80
    assert abs(milliseconds / 1000 - datetime.now(UTC).timestamp()) < 60


def test_two_processes_that_were_one_give_out_different_ids() -> None:
    """After a fork both go on from the same state, within the same millisecond."""
    source = IdentitySource(lambda: 1_700_000_000_000, secrets.randbits)
    source()
    twin = copy.copy(source)
    assert {source() for _ in range(50)}.isdisjoint({twin() for _ in range(50)})
