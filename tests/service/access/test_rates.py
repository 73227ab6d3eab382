"""Token buckets against what they promise: never more than the rate, never less than the burst."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.rates import (
    BURST_SECONDS,
    MOST_BUCKETS,
    SITE_TIMES,
    Buckets,
    Limiter,
    Rate,
    block_of,
    rate_of,
)
from service.errors import TooManyCalls
from tests.service.access.tokens import token

RATES = st.builds(
    Rate,
    st.floats(0.01, 10_000, allow_nan=False, allow_infinity=False),
    st.integers(1, 1_000),
)
PAUSES = st.lists(st.floats(0, 100, allow_nan=False, allow_infinity=False), max_size=200)


def taken(buckets: Buckets, rate: Rate, now: float, key: str = "a") -> bool:
    """Whether a call may be made; then it is made."""
    if buckets.wait(key, rate, now):
        return False
    buckets.take(key, rate, now)
    return True


@given(RATES, PAUSES)
def test_in_no_stretch_of_time_there_are_more_calls_than_it_holds(
    rate: Rate, pauses: list[float]
) -> None:
    """Between any two of the calls that were let through: the burst, and what filled meanwhile."""
    buckets, now, let_through = Buckets(), 0.0, []
    for pause in pauses:
        now += pause / rate.a_second
        if taken(buckets, rate, now):
            let_through.append(now)
    for first, begin in enumerate(let_through):
        for last in range(first, len(let_through)):
            most = rate.burst + rate.a_second * (let_through[last] - begin)
            assert last - first + 1 <= most * (1 + 1e-6) + 0.1


@given(RATES, PAUSES)
def test_nobody_is_refused_what_he_may_have(rate: Rate, pauses: list[float]) -> None:
    """Beside a bucket that is filled and emptied step by step, as it is described in textbooks."""
    buckets, now, level = Buckets(), 0.0, float(rate.burst)
    for pause in pauses:
        now += pause / rate.a_second
        level = min(rate.burst, level + pause)
        if level >= 1 + 1e-3 * (1 + rate.a_second):
            assert taken(buckets, rate, now)
            level -= 1
        elif level < 1 - 1e-3 * (1 + rate.a_second):
            assert not taken(buckets, rate, now)
        elif taken(buckets, rate, now):
            level -= 1


@given(RATES, st.integers(0, 50))
def test_who_waits_as_long_as_he_was_told_gets_through(rate: Rate, more: int) -> None:
    """And not much earlier."""
    buckets, now = Buckets(), 0.0
    while taken(buckets, rate, now):
        pass
    for _ in range(more):
        wait = buckets.wait("a", rate, now)
        assert 0 < wait <= 1 / rate.a_second + 1e-6
        assert not taken(buckets, rate, now + wait - min(wait, 1 / rate.a_second) * 0.5 - 2e-6)
        now += wait
        assert taken(buckets, rate, now)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60))
def test_memory_is_bounded_and_who_calls_is_remembered(keys: list[str]) -> None:
    """So many buckets at most; of as many keys as there is room for none gets more than its own."""
    buckets, rate = Buckets(most=3), Rate(0.001, 1)
    recent: list[str] = []
    for key in keys:
        if key in recent[-3:]:
            assert buckets.wait(key, rate, 0.0) > 0
        elif not buckets.wait(key, rate, 0.0):
            buckets.take(key, rate, 0.0)
            recent = [one for one in recent if one != key] + [key]
        assert len(buckets) <= 3


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    """Nor does it let anybody call without end: there is one burst more."""
    buckets, rate = Buckets(), Rate(10.0, 100)
    assert taken(buckets, rate, 1_000_000.0)
    assert [taken(buckets, rate, 0.0) for _ in range(101)] == [True] * 100 + [False]


def test_a_rate_holds_ten_seconds_and_one_call_at_least() -> None:
    """Nothing is no limit."""
    assert rate_of(50.0) == Rate(50.0, 50 * BURST_SECONDS)
    assert rate_of(0.01) == Rate(0.01, 1)
    assert rate_of(0) is None
    assert rate_of(None) is None


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("127.0.0.1", None),
        ("127.8.9.10", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.255", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::2", "::/64"),
    ],
)
def test_neighbours_share_a_block(address: str, block: str | None) -> None:
    """And this machine is none."""
    assert block_of(address) == block


class World:
    """A limiter whose time is set by the test."""

    def __init__(
        self, token: float | None, address: float | None, most: int = MOST_BUCKETS
    ) -> None:
        self.now = 0.0
        self.refused: list[str] = []
        self.limiter = Limiter(
            rate_of(token), rate_of(address), lambda: self.now, self.refused.append, most
        )

    def calls(self, number: int | None, address: str | None, rate: float | None = None) -> int:
        """How many calls are let through at once."""
        shown = None if number is None else token(number, rate=rate)
        made = 0
        with suppress(TooManyCalls):
            while made < 1_000:
                self.limiter.count(shown, address)
                made += 1
        return made


FAR, NEAR, OTHER = "192.0.2.7", "192.0.2.200", "198.51.100.7"


def test_a_token_has_its_calls_wherever_it_is_used() -> None:
    """Another one has its own; after a while there are more."""
    world = World(token=2, address=None)
    assert world.calls(1, FAR) == 20
    assert world.calls(1, OTHER) == 0
    assert world.calls(2, FAR) == 20
    world.now = 1.0
    assert world.calls(1, OTHER) == 2
    assert world.refused == ["token"] * 4


def test_a_block_has_its_calls_whatever_is_shown() -> None:
    """Neighbours share them; others have their own."""
    world = World(token=None, address=3)
    assert world.calls(None, FAR) == 30
    assert world.calls(1, NEAR) == 0
    assert world.calls(1, OTHER) == 30
    assert world.refused == ["address"] * 3


def test_what_one_limit_refuses_the_other_does_not_count() -> None:
    """Calls that were not made take nothing from the token."""
    world = World(token=2, address=1)
    assert world.calls(1, FAR) == 10
    assert world.calls(1, FAR) == 0
    assert world.calls(1, OTHER) == 10


def test_clients_on_this_machine_call_as_often_as_they_like() -> None:
    """Over TCP and over a socket, with a token or without; but for tokens with a rate."""
    world = World(token=1, address=1)
    for address in ("127.0.0.1", "::1", None):
        assert world.calls(None, address) == 1_000
        assert world.calls(1, address) == 1_000
    assert world.calls(2, "127.0.0.1", rate=3) == 30
    assert world.calls(2, None, rate=3) == 0


def test_who_is_refused_is_not_forgotten_for_others() -> None:
    """Calls that are refused keep a bucket as well as those that are let through."""
    world = World(token=1, address=1, most=3)
    assert world.calls(1, FAR) == 10
    for at in range(12):
        assert world.calls(2 + at, f"198.51.{at}.7", rate=1) == 10
        assert world.calls(None, FAR) == 0
    world = World(token=1, address=None, most=3)
    assert world.calls(1, FAR) == 10
    for at in range(12):
        assert world.calls(2 + at, FAR) == 10
        assert world.calls(1, FAR) == 0


def test_who_has_many_ipv6_blocks_has_not_as_many_calls() -> None:
    """Those of one site have so many together, and none of them more than its own."""
    world = World(token=None, address=1)
    assert world.calls(None, "2001:db8:1:ffff::7") == 10
    made = [world.calls(None, f"2001:db8:1:{at:x}::7") for at in range(20)]
    assert made == [10] * (SITE_TIMES - 1) + [0] * (21 - SITE_TIMES)
    assert world.calls(None, "2001:db8:2::7") == 10
    world.now = 1.0
    assert sum(world.calls(None, f"2001:db8:1:{at:x}::7") for at in range(20)) == SITE_TIMES
    assert set(world.refused) == {"address"}


def test_what_a_site_is_refused_its_blocks_do_not_count() -> None:
    """A block whose neighbours call too often has its own calls when there are some again."""
    world = World(token=None, address=1)
    for at in range(SITE_TIMES):
        world.calls(None, f"2001:db8:1:{at:x}::7")
    assert world.calls(None, "2001:db8:1:ffff::7") == 0
    world.now = float(BURST_SECONDS)
    assert world.calls(None, "2001:db8:1:ffff::7") == 10


def test_a_tokens_own_rate_takes_the_place_of_the_general_one() -> None:
    """Also where it is more."""
    world = World(token=1, address=None)
    assert world.calls(1, FAR, rate=7) == 70
    assert world.calls(2, FAR, rate=0.5) == 5


def test_who_was_away_for_long_has_one_burst_and_no_more() -> None:
    """What a full bucket cannot hold is not saved up."""
    buckets, rate = Buckets(), Rate(10.0, 5)
    assert taken(buckets, rate, 0.0)
    assert [taken(buckets, rate, 3_600.0) for _ in range(7)] == [True] * 5 + [False] * 2
