"""Merging is the same in whatever order, and nothing that was written is made up or forgotten."""

from __future__ import annotations

import itertools
from collections.abc import Set

from hypothesis import assume, given
from hypothesis import strategies as st

from records.merging import losses, merge
from records.stamps import NEVER, Slot, Version, next_stamp
from records.states import RowState
from service.herd.building import delta_row
from service.herd.shapes import Shape
from tests.laws.histories import (
    COLUMNS,
    GROUPS,
    UNKNOWN,
    Delete,
    Meet,
    Told,
    Write,
    exact,
    exact_at,
    exact_value,
    histories,
    states,
)

LONE = ("name", "weight")
"""The columns that belong to no group."""

SHAPE = Shape("animal", ("id",), groups=GROUPS)


def _merged(ours: RowState, theirs: RowState) -> RowState:
    return merge(ours, theirs)


@given(states(2))
def test_both_sides_merge_to_the_same(two: tuple[RowState, RowState]) -> None:
    """Commutative: it does not matter who is asked first, down to the type of each value."""
    ours, theirs = two
    assert exact(_merged(ours, theirs)) == exact(_merged(theirs, ours))


@given(states(3))
def test_three_merge_to_the_same_in_any_order(three: tuple[RowState, ...]) -> None:
    """Associative: who met whom first does not matter."""
    ends = {
        exact(_merged(_merged(one, two), other))
        for one, two, other in itertools.permutations(three)
    }
    one, two, other = three
    assert ends == {exact(_merged(one, _merged(two, other)))}


@given(states(2))
def test_what_was_merged_once_changes_nothing_again(two: tuple[RowState, RowState]) -> None:
    """Idempotent: a delta that comes twice is no harm."""
    ours, theirs = two
    merged = _merged(ours, theirs)
    assert exact(_merged(ours, ours)) == exact(ours)
    assert exact(_merged(merged, theirs)) == exact(merged)
    assert exact(_merged(ours, merged)) == exact(merged)


@given(histories())
def test_a_version_stands_for_one_value(history: list[Told]) -> None:
    """Wherever a column has the same version, in the same life, it has the same value."""
    known: dict[tuple[int, str, Version], tuple[str, str] | None] = {}
    for told in history:
        for column in COLUMNS:
            write = (told.after.life + 1) // 2, column, told.after.version(column)
            value = exact_at(told.after, column)
            assert known.setdefault(write, value) == value


@given(histories())
def test_a_state_has_slots_only_where_they_say_something(history: list[Told]) -> None:
    """A column of the birth has none: equal states are equal, and short."""
    for told in history:
        assert told.after.values.keys() >= told.after.slots.keys()
        assert all(slot.version != told.after.born for slot in told.after.slots.values())


@given(histories())
def test_a_merge_never_goes_back(history: list[Told]) -> None:
    """Neither life nor, within a life, the version of any column or the time of death."""
    for told in history:
        before, after = told.before, told.after
        if not isinstance(told.step, Meet) or before is None or after.life > before.life:
            continue
        assert after.life == before.life
        assert all(after.version(column) >= before.version(column) for column in LONE)
        assert after.latest >= before.latest
        assert after.death is None or before.death is None or after.death >= before.death


def _hours(state: RowState) -> list[tuple[Version, tuple[str, str] | None]]:
    return [(state.version(column), exact_at(state, column)) for column in ("start", "end")]


@given(states(2))
def test_columns_of_a_group_come_from_one_side(two: tuple[RowState, RowState]) -> None:
    """No row has a start that one node wrote and an end that only another one had."""
    ours, theirs = two
    hours = [_hours(state) for state in two]
    assert _hours(_merged(ours, theirs)) in hours


@given(states(2))
def test_the_later_version_stands(two: tuple[RowState, RowState]) -> None:
    """The higher life wins whole; between equal lives each column goes to its later version."""
    ours, theirs = two
    merged = _merged(ours, theirs)
    if ours.life != theirs.life:
        assert exact(merged) == exact(max(two, key=lambda state: state.life))
        return
    for column in LONE:
        later = max(two, key=lambda state: state.version(column))
        assert merged.version(column) == later.version(column)
        assert exact_at(merged, column) == exact_at(later, column)


@given(histories())
def test_a_write_stands_over_all_that_its_writer_had_seen(history: list[Told]) -> None:
    """Whatever the clocks said: the older state cannot win against what was made of it."""
    for told in history:
        if told.before is not None and not isinstance(told.step, Meet):
            assert exact(_merged(told.before, told.after)) == exact(told.after)
        if isinstance(told.step, Write) and told.before is not None and told.before.alive:
            written = told.step.values.keys() - {UNKNOWN.get(told.step.at)}
            versions = {told.after.version(column) for column in written}
            assert all(version > told.before.latest for version in versions)
            assert len(versions) <= 1


@given(histories())
def test_a_slot_names_the_last_version_of_another_origin(history: list[Told]) -> None:
    """What a write overwrote is there to be known, also after the writer's next write."""
    for told in history:
        if not isinstance(told.step, Write) or told.before is None or not told.before.alive:
            continue
        for column in told.step.values.keys() - {UNKNOWN.get(told.step.at)}:
            had = told.before.slots.get(column, Slot(told.before.born))
            foreign = had.version if had.version.origin != told.step.at else had.over
            assert told.after.slots[column].over == foreign
            assert foreign.origin != told.step.at


@given(histories())
def test_a_life_counts_births_and_deaths(history: list[Told]) -> None:
    """An odd life is a live row; the dead have their time of death, the living none."""
    for told in history:
        assert told.after.alive == (told.after.life % 2 == 1)
        assert (told.after.death is None) == told.after.alive
        if isinstance(told.step, Delete) and told.before is not None:
            assert told.after.life == told.before.life + 1


@given(states(2), st.data())
def test_a_part_of_a_row_merges_like_the_whole(
    two: tuple[RowState, RowState], data: st.DataObject
) -> None:
    """Where all that a node lacks is in the part, the other columns change nothing."""
    ours, theirs = two
    assume(ours.life > theirs.life or (ours.life == theirs.life and ours.born >= theirs.born))
    lacking = {c for c in COLUMNS if theirs.version(c) > ours.version(c)}
    more = data.draw(st.sets(st.sampled_from(COLUMNS)))
    row = delta_row(("animal", (1,)), theirs, frozenset(lacking | more), SHAPE)
    assert not row.whole
    assert exact(_merged(ours, row.state)) == exact(_merged(ours, theirs))
    assert exact(_merged(row.state, ours)) == exact(_merged(ours, theirs))


@given(states(2), st.data())
def test_losses_are_the_unseen_values_that_do_not_stand(
    two: tuple[RowState, RowState], data: st.DataObject
) -> None:
    """A value is lost if the other side had not seen it and neither it nor its equal is there."""
    ours, theirs = two
    merged = _merged(ours, theirs)
    unseen: Set[Version] = data.draw(st.sets(st.sampled_from([ours.version(c) for c in COLUMNS])))
    lost = {loss.column: loss for loss in losses(ours, merged, unseen)}
    assert lost.keys() <= ours.values.keys()
    for column, value in ours.values.items():
        stands = merged.life == ours.life and merged.version(column) == ours.version(column)
        equal = merged.alive and column in merged.values and merged.values[column] == value
        put_aside = ours.alive and ours.version(column) in unseen and not stands and not equal
        assert (column in lost) == put_aside
    for column, loss in lost.items():
        assert exact_value(loss.value) == exact_value(ours.values[column])
        assert exact_value(loss.kept) == exact_value(merged.values.get(column))
        assert (loss.version, loss.kept_version) == (ours.version(column), merged.version(column))


@given(states(2))
def test_nothing_is_lost_against_who_had_seen_it(two: tuple[RowState, RowState]) -> None:
    """An ordinary update is no conflict, and neither is one's own echo."""
    ours, theirs = two
    assert losses(ours, _merged(ours, theirs), frozenset()) == []
    assert losses(ours, ours, {ours.version(column) for column in COLUMNS}) == []


@given(states(2))
def test_a_column_that_one_side_does_not_know_is_kept(two: tuple[RowState, RowState]) -> None:
    """Who has never heard of a column takes nothing from it, unless born later."""
    ours, theirs = two
    assume(ours.life == theirs.life and ours.version("weight") >= theirs.version("weight"))
    narrow = theirs._replace(
        slots={c: slot for c, slot in theirs.slots.items() if c != "weight"},
        values={c: value for c, value in theirs.values.items() if c != "weight"},
    )
    assert exact(_merged(ours, narrow)) == exact(_merged(ours, theirs))
    assert exact(_merged(narrow, ours)) == exact(_merged(ours, theirs))


_versions = st.builds(Version, st.integers(0, 3), st.integers(0, 3))


@given(_versions, _versions, _versions)
def test_versions_are_in_one_order(one: Version, two: Version, three: Version) -> None:
    """Total: of two versions one is later, by its stamp, then by its origin, on every node."""
    assert (one < two) + (one == two) + (one > two) == 1
    assert not (one < two < three) or one < three
    assert (one < two) == (one.stamp < two.stamp or (one.stamp == two.stamp and one[1] < two[1]))
    assert one >= NEVER


@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_the_next_stamp_is_later_than_clock_and_last_write(now: int, last: int) -> None:
    """It follows the clock, and where the clock is behind, the last write."""
    stamp = next_stamp(now, last)
    assert stamp > last
    assert stamp >= now
    assert stamp in (now, last + 1)
