"""The order in which rows that refer to each other are written."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store.order import circle, layers, own_parents, parents_first, reachable
from tests.service.store.families import INFO


@given(st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=4), max_size=13))
def test_nothing_comes_before_what_must_precede_it(graph: dict[int, set[int]]) -> None:
    """All items come, each once; where there is no circle each comes after all it needs."""
    before = {item: {part for part in parts if part in graph} for item, parts in graph.items()}
    steps = list(layers(before))
    assert sorted(item for step in steps for item in step) == sorted(before)
    if circle(before) is None:
        place = {item: at for at, step in enumerate(steps) for item in step}
        assert all(place[part] < place[item] for item, parts in before.items() for part in parts)


@given(st.dictionaries(st.integers(0, 8), st.sets(st.integers(0, 8), max_size=3), max_size=9))
def test_a_circle_is_found_exactly_where_something_leads_back_to_itself(
    graph: dict[int, set[int]],
) -> None:
    """And the circle that is named begins and ends with the same item."""
    found = circle(graph)
    assert (found is not None) == any(item in reachable(graph, item) for item in graph)
    if found is not None:
        assert found[0] == found[-1]


def branch(number: int, above: int | None) -> dict[str, Any]:
    """A row of a tree."""
    return {
        "id": uuid.UUID(int=number),
        "name": str(number),
        "above_id": None if above is None else uuid.UUID(int=above),
    }


def test_rows_are_sorted_by_their_parents_in_the_same_call() -> None:
    """Parents that are not in the call do not count, nor does a row that refers to itself."""
    rows = [branch(3, 2), branch(2, 1), branch(9, 77), branch(1, None), branch(5, 5)]
    assert own_parents(INFO["branch"], rows) == {0: {1}, 1: {3}, 2: set(), 3: set(), 4: set()}
    ordered = [row["name"] for row in parents_first(INFO["branch"], rows)]
    assert ordered.index("1") < ordered.index("2") < ordered.index("3")
    assert sorted(ordered) == ["1", "2", "3", "5", "9"]


@pytest.mark.parametrize("count", [3_000])
def test_a_long_chain_takes_no_time(count: int) -> None:
    """As many levels as a call may hold rows, the deepest first."""
    rows = [branch(number, number - 1 or None) for number in range(count, 0, -1)]
    ordered = parents_first(INFO["branch"], rows)
    assert [row["name"] for row in ordered] == [str(number) for number in range(1, count + 1)]


def test_rows_of_a_class_without_such_references_stay_as_they_are() -> None:
    """Nothing is looked for where nothing can be."""
    rows = [{"number": 2}, {"number": 1}]
    assert own_parents(INFO["seat"], rows) == {}
    assert parents_first(INFO["seat"], rows) == rows
