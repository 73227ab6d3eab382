"""Histories of one row, and the states that nodes have in them.

Laws of merging hold for states that can be: every value was written by somebody, with a version of
its own. So states are not made up; nodes write and merge at random, with clocks at random.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from hypothesis import strategies as st

from records.groups import Groups
from records.merging import merge
from records.states import Death, RowState, Value, born, born_again, changed, died

COLUMNS = ("name", "weight", "start", "end")
GROUPS: Groups = {"start": ("start", "end"), "end": ("start", "end")}
ORIGINS = (1, 2, 3)
UNKNOWN = {3: "weight"}
"""A column that an origin does not know yet: rows that are born there have none."""


def values() -> st.SearchStrategy[Value]:
    """Values of every type that a database driver reads; few of them are far from the others."""
    return st.one_of(
        st.none(),
        st.integers(-2, 2),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from([0.0, -0.0, Decimal("1.0"), Decimal("1.00"), "", "a", b"", b"a"]),
        st.decimals(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
        st.binary(max_size=5),
    )


class Write(NamedTuple):
    """Some columns are written; a row that is not there is born with them instead."""

    at: int
    now: int
    values: Mapping[str, Value]


class Delete(NamedTuple):
    """The row dies; one that is dead is born again as it was."""

    at: int
    now: int


class Meet(NamedTuple):
    """A node takes what another one has."""

    at: int
    other: int


Step: TypeAlias = Write | Delete | Meet

_nodes = st.sampled_from(ORIGINS)
# So few moments that the same one is often met again, and clocks run backwards all the time.
_moments = st.integers(0, 8)
_columns = st.sampled_from(COLUMNS)
# Mostly one column, so that nodes often write different ones of a group.
_one = st.builds(lambda column, value: {column: value}, _columns, values())
_written = _one | st.dictionaries(_columns, values(), min_size=1)


_writes = st.builds(Write, _nodes, _moments, _written)
_meetings = st.builds(Meet, _nodes, _nodes)


def steps() -> st.SearchStrategy[Step]:
    """One step of a history; nodes write most of the time, and sometimes delete."""
    deletes = st.builds(Delete, _nodes, _moments)
    # one_of takes equal strategies for one.
    often: list[st.SearchStrategy[Step]] = [*[_writes] * 7, *[_meetings] * 2, deletes]
    return st.sampled_from(often).flatmap(lambda chosen: chosen)


def _beginnings() -> st.SearchStrategy[list[Step]]:
    """Nothing, or a birth that all nodes know of: then what they write next is concurrent."""
    known = st.builds(Write, st.just(1), _moments, _written)
    return st.one_of(
        st.just([]), known.map(lambda birth: [birth, *(Meet(origin, 1) for origin in ORIGINS[1:])])
    )


class Told(NamedTuple):
    """A state, and the one that its node had before."""

    step: Step
    before: RowState | None
    after: RowState


def tell(history: list[Step]) -> list[Told]:
    """What a history makes of the row, step by step, at the node that the step is about."""
    states: dict[int, RowState] = {}
    told = []
    for step in history:
        before = states.get(step.at)
        after = _after(step, before, states)
        if after is not None:
            states[step.at] = after
            told.append(Told(step, before, after))
    return told


def _after(step: Step, before: RowState | None, states: Mapping[int, RowState]) -> RowState | None:
    match step:
        case Write(at, now, written):
            return _write(before, written, now, at)
        case Delete(at, now):
            return None if before is None else _delete(before, now, at)
        case Meet(_at, other):
            theirs = states.get(other)
            if before is None or theirs is None:
                return before or theirs
            return merge(before, theirs)


def _write(
    before: RowState | None, written: Mapping[str, Value], now: int, origin: int
) -> RowState:
    known = [column for column in COLUMNS if column != UNKNOWN.get(origin)]
    whole = {column: written.get(column) for column in known}
    if before is None:
        return born(whole, now, origin)
    if before.alive:
        real = {column: value for column, value in written.items() if column in known}
        return changed(before, real, now, origin, GROUPS) if real else before
    return born_again(before, now, origin)._replace(values=whole)


def _delete(before: RowState, now: int, origin: int) -> RowState:
    if before.alive:
        return died(before, Death(now, f"node {origin}"))
    return born_again(before, now, origin)


def histories() -> st.SearchStrategy[list[Told]]:
    """Histories in which the row is there at least once."""
    happened = st.lists(steps(), min_size=3, max_size=15)
    return st.builds(lambda first, then: tell([*first, *then]), _beginnings(), happened).filter(
        bool
    )


@st.composite
def states(draw: Callable[[st.SearchStrategy[Any]], Any], count: int) -> tuple[RowState, ...]:
    """Different states of one history: what nodes had at any time, mostly what they have last.

    Where there are too few, some come again.
    """
    told = draw(histories())
    ends = {each.step.at: each.after for each in told}
    found = {exact(state): state for state in draw(st.permutations([*ends.values()]))}
    if draw(st.booleans()):
        found = {exact(state): state for state in draw(st.permutations([t.after for t in told]))}
    return tuple(itertools.islice(itertools.cycle(found.values()), count))


def exact(state: RowState) -> tuple[Any, ...]:
    """A state such that only the same one is equal: 0.0 is not -0.0, and 1 is not Decimal(1)."""
    written = sorted((column, exact_value(value)) for column, value in state.values.items())
    slots = sorted(state.slots.items())
    return state.life, state.born, tuple(slots), tuple(written), state.death


def exact_at(state: RowState, column: str) -> tuple[str, str] | None:
    """The value of a column; None if the state has no such column."""
    return exact_value(state.values[column]) if column in state.values else None


def exact_value(value: Value) -> tuple[str, str]:
    """A value such that only the same one is equal."""
    return type(value).__name__, repr(value)
