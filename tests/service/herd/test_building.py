"""A delta has all that the other node lacks, and of each row no more than that."""

from __future__ import annotations

from service.herd.building import build, columns_to_send, delta_row
from tests.service.herd.bench import (
    OTHERS,
    THEIRS,
    dead,
    entry,
    place,
    row,
    shape,
    shapes,
    written,
)

HOF = row(name="Hof", mayor="Ada", start=1, end=2)
MOVED = written(written(HOF, 20, THEIRS, mayor="Bea"), 30, THEIRS, start=5)
SHAPES = shapes(shape("city", groups="start end"))


def test_updates_send_the_columns_that_any_of_them_names() -> None:
    """And no others."""
    entries = [entry("city 1", MOVED, 1, "mayor"), entry("city 1", MOVED, 2, "name", "mayor")]
    assert columns_to_send(entries) == frozenset({"mayor", "name"})


def test_a_row_that_was_born_or_died_travels_whole() -> None:
    """Whatever else was written to it, before or after."""
    update = entry("city 1", MOVED, 1, "mayor")
    for other in (entry("city 1", HOF, 2), entry("city 1", dead(HOF), 2)):
        assert columns_to_send([update, other]) is None
        assert columns_to_send([other, update]) is None


def test_a_part_of_a_row_has_whole_groups() -> None:
    """Columns that win and lose together travel together."""
    sent = delta_row(place("city 1"), MOVED, frozenset({"start"}), SHAPES["city"])
    assert sent.state.values == {"start": 5, "end": 2}
    assert sent.state.slots == {"start": MOVED.slots["start"]}
    assert (sent.state.life, sent.state.born, sent.whole) == (1, HOF.born, False)


def test_a_whole_row_is_the_row() -> None:
    """Also when it is dead."""
    for state in (MOVED, dead(MOVED)):
        sent = delta_row(place("city 1"), state, None, SHAPES["city"])
        assert (sent.state, sent.whole) == (state, True)


def test_a_delta_has_each_row_once_and_every_entry() -> None:
    """The entries in the sender's order, the vectors as they were read."""
    ulm = row(at=40, origin=OTHERS, name="Ulm")
    entries = (
        entry("city 1", MOVED, 1, "mayor"),
        entry("city 2", ulm, 1),
        entry("city 1", MOVED, 2, "start"),
    )
    states = {place("city 1"): MOVED, place("city 2"): ulm}
    made = build(THEIRS, ({}, {THEIRS: 2, OTHERS: 1}), entries, states, SHAPES)
    assert (made.sender, made.above, made.covers) == (THEIRS, {}, {THEIRS: 2, OTHERS: 1})
    assert made.entries == entries
    assert [(sent.place, sent.whole) for sent in made.rows] == [
        (place("city 1"), False),
        (place("city 2"), True),
    ]
    assert set(made.rows[0].state.values) == {"mayor", "start", "end"}
    assert made.last
