"""Columns of a group are written together."""

from __future__ import annotations

from records.groups import by_member, joined, together
from records.merging import merge
from records.states import born, changed

GROUPS = dict.fromkeys(("start", "end"), ("start", "end"))
BOOKING = born({"start": 9, "end": 10, "note": ""}, 10, 1)


def test_a_write_of_one_column_writes_its_group() -> None:
    """With one version; what was not changed keeps its value."""
    moved = changed(BOOKING, {"start": 8}, 20, 2, GROUPS)
    assert moved.values == {"start": 8, "end": 10, "note": ""}
    assert moved.version("start") == moved.version("end") > moved.version("note")


def test_a_group_wins_whole_also_where_nobody_knows_of_it() -> None:
    """Merging looks at each column alone."""
    one = changed(BOOKING, {"start": 8}, 20, 2, GROUPS)
    other = changed(BOOKING, {"end": 11}, 30, 3, GROUPS)
    assert merge(one, other).values == {"start": 9, "end": 11, "note": ""}
    assert merge(other, one) == merge(one, other)


def test_columns_of_no_group_are_alone() -> None:
    """And those of one come with it."""
    assert together(["note"], GROUPS) == {"note"}
    assert together(["note", "end"], GROUPS) == {"note", "start", "end"}
    assert together([], GROUPS) == frozenset()


def test_groups_that_share_a_column_are_one() -> None:
    """Over any number of steps, in whatever order they come."""
    assert joined(["ab", "cd", "ef"]) == [{*"ab"}, {*"cd"}, {*"ef"}]
    assert joined(["ab", "cd", "bc"]) == [{*"abcd"}]
    assert joined(["ab", "ef", "bc", "gh", "cd"]) == [{*"ef"}, {*"gh"}, {*"abcd"}]
    assert joined([]) == []


def test_each_column_of_a_group_leads_to_all_of_it() -> None:
    """And a column of none to nothing."""
    assert by_member([("start", "end")]) == GROUPS
    assert by_member([]) == {}
