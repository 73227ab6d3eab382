"""Places at a listener: shared out, bounded, and never held by those who stay silent."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from service.transports.descriptors import RESERVED, Most, most_within
from service.transports.places import NoPlace, Places, TurnedAway

FAR, NEAR = "192.0.2.7", "192.0.2.8"


def filled(places: Places[int], address: str | None, number: int, is_stranger: bool) -> None:
    """So many more take a place, who go on from the highest number."""
    first = max(places, default=-1) + 1
    for place in range(first, first + number):
        assert places.for_one_more(address) is None
        places.take(place, address, is_stranger)


def test_the_oldest_stranger_goes_for_a_newcomer() -> None:
    """Those who are known stay; where all are known the newcomer has to go."""
    places: Places[int] = Places(3)
    filled(places, None, 3, is_stranger=True)
    places.recognise(0)
    assert places.for_one_more(None) == 1
    assert places.leave(1)
    places.take(3, None, is_stranger=False)
    assert places.for_one_more(None) == 2
    places.recognise(2)
    with pytest.raises(NoPlace) as refused:
        places.for_one_more(None)
    assert refused.value.why == "full"


def test_one_block_of_addresses_has_so_many() -> None:
    """Neighbours share them; others, and this machine, have places left."""
    places: Places[int] = Places(10, of_block=2)
    filled(places, FAR, 2, is_stranger=False)
    with pytest.raises(NoPlace) as refused:
        places.for_one_more(NEAR)
    assert refused.value.why == "address"
    filled(places, "198.51.100.7", 2, is_stranger=False)
    filled(places, "127.0.0.1", 3, is_stranger=False)
    filled(places, None, 1, is_stranger=False)
    places.leave(0)
    assert places.for_one_more(NEAR) is None


def test_a_stranger_of_the_block_goes_for_its_neighbour() -> None:
    """And nobody of another one, who is older."""
    places: Places[int] = Places(10, of_block=2)
    filled(places, "198.51.100.7", 1, is_stranger=True)
    filled(places, FAR, 2, is_stranger=True)
    assert places.for_one_more(NEAR) == 1


ADDRESSES = [None, "127.0.0.1", FAR, NEAR, "198.51.100.7", "2001:db8::1"]


@given(st.lists(st.tuples(st.sampled_from("tkl"), st.sampled_from(ADDRESSES), st.booleans())))
def test_there_are_never_more_than_there_may_be(
    steps: list[tuple[str, str | None, bool]],
) -> None:
    """Whatever comes and goes; nothing is kept of those who are gone."""
    places: Places[int] = Places(5, of_block=2)
    numbers = itertools.count()
    for what, address, is_stranger in steps:
        here = list(places)
        if what == "t":
            try:
                goes = places.for_one_more(address)
            except NoPlace:
                continue
            if goes is not None:
                assert places.leave(goes)
            places.take(next(numbers), address, is_stranger)
        elif here and what == "k":
            places.recognise(here[0])
        elif here:
            assert places.leave(here[-1])
            assert not places.leave(here[-1])
        assert len(places) <= 5
        assert all(0 < len(near) <= 2 for near in places._neighbours.values())
    for place in places:
        places.leave(place)
    assert (places._blocks, places._strangers, places._neighbours) == ({}, {}, {})


def test_each_is_counted_and_few_are_logged() -> None:
    """One line a minute for each reason."""
    counted: list[str] = []
    logged: list[str] = []
    clock = Clock()
    tell = TurnedAway(counted.append, logged.append, clock)
    for _ in range(59):
        for why in ("full", "address", "stranger"):
            tell(why)
        clock.advance(1)
    assert (len(counted), len(logged)) == (177, 3)
    clock.advance(1)
    tell("full")
    assert len(logged) == 4


@pytest.mark.parametrize("descriptors", [3, 64, 256, 1024, 3_599, 3_600, 1_000_000])
def test_there_are_descriptors_left_for_all_else(descriptors: int) -> None:
    """However few there are, half of them; with enough nothing is cut."""
    most = most_within(descriptors)
    assert min(most) >= 1
    assert most == Most() or sum(most) <= max(3, descriptors - min(RESERVED, descriptors // 2))
    assert (most == Most()) == (descriptors >= RESERVED + sum(Most()))
