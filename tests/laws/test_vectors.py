"""Vectors say in short what the sets of all positions say at length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.herd.vectors import Vector, includes, joined, missing

# An origin at position 0 is the same as one that is not there.
_vectors = st.dictionaries(st.integers(1, 4), st.integers(0, 5))


def _everything(vector: Vector) -> set[tuple[int, int]]:
    """The naive twin: each position of each origin."""
    return {(origin, at) for origin, last in vector.items() for at in range(1, last + 1)}


@given(_vectors, _vectors)
def test_joined_vectors_hold_what_either_holds(one: Vector, other: Vector) -> None:
    """And neither of the two is changed by it."""
    before = dict(one), dict(other)
    assert _everything(joined(one, other)) == _everything(one) | _everything(other)
    assert (one, other) == before


@given(_vectors, _vectors)
def test_a_vector_includes_another_if_it_holds_all_of_it(one: Vector, other: Vector) -> None:
    """Origins that one of them does not name stand at 0."""
    assert includes(one, other) == (_everything(one) >= _everything(other))


@given(_vectors, _vectors)
def test_what_is_missing_is_counted(one: Vector, other: Vector) -> None:
    """The number of positions that the other one has alone."""
    assert missing(one, other) == len(_everything(other) - _everything(one))
    assert (missing(one, other) == 0) == includes(one, other)
