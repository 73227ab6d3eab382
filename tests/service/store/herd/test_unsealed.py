"""What a snapshot shows unsealed is waited for, and what stays unsealed is left out."""

from __future__ import annotations

import dataclasses

import pytest

from service.errors import Busy
from service.herd.deltas import DELETE, INSERT, UPDATE
from service.simulation.node import Node
from service.store.herd.lines import LateLine, Line
from service.store.herd.reading import Bounds
from service.store.herd.snapshots import Moment
from service.store.herd.unsealed import Patience, may_wait, reach_of
from service.store.sealing.entries import Entry
from tests.service.store.connections import settled
from tests.service.store.herd.deltas import (
    HASTY,
    delta_of,
    own,
    reader_at,
    rows_of,
    sealed,
    sealing_beside,
    shapes_of,
    whole,
)
from tests.service.store.herd.test_deltas import came
from tests.service.store.sealing.tools import open_transaction, run

US, THEM = 1, 77


def late(position: int, entry: int, origin: int = US, at: int | None = None) -> LateLine:
    """A line that was sealed after the moment."""
    line = Line(position, "ranch", b"1", INSERT, None, 1, origin, 5, "w", at or position)
    return LateLine(line, entry, at is None)


def waiting(entry: int, origin: int = US, at: int | None = None) -> Entry:
    """An entry that the moment shows in the inbox."""
    return Entry(entry, "ranch", b"1", INSERT, None, 1, origin, 5, "w", at)


def moment(*unsealed: Entry) -> Moment:
    """A moment at which ten positions were given, the ninth to what was written here."""
    return Moment(US, 9, 10, {}, {US: 9, THEM: 50}, unsealed)


def test_what_got_a_position_since_is_taken_and_covered() -> None:
    """As far as nothing of our own lies between that the moment did not show."""
    now = moment(waiting(100), waiting(102))
    reach = reach_of(now, [late(11, 100), late(12, 102)], ())
    assert [line.position for line in reach.lines] == [11, 12]
    assert (reach.covers, reach.left_out) == ({US: 12, THEM: 50}, ())


def test_nothing_is_covered_above_what_was_committed_later() -> None:
    """What was sealed above it goes along all the same."""
    now = moment(waiting(100), waiting(102))
    reach = reach_of(now, [late(11, 100), late(12, 101), late(13, 102)], ())
    assert [line.position for line in reach.lines] == [11, 13]
    assert reach.covers == {US: 11, THEM: 50}


def test_what_came_from_others_meanwhile_is_in_nobodys_way() -> None:
    """Positions of ours are for what was written here."""
    now = moment(waiting(100))
    reach = reach_of(now, [late(11, 101, THEM, 60), late(12, 100)], ())
    assert [line.position for line in reach.lines] == [12]
    assert reach.covers == {US: 12, THEM: 50}


def test_an_entry_that_came_twice_is_taken_under_either_number() -> None:
    """One of the two was dropped when the other was sealed."""
    now = moment(waiting(100, THEM, 48))
    reach = reach_of(now, [late(11, 99, THEM, 48)], ())
    assert [line.at for line in reach.lines] == [48]
    assert (reach.covers, reach.left_out) == ({US: 9, THEM: 50}, ())


def test_what_is_left_out_has_no_position_to_be_covered() -> None:
    """It gets one above all that is covered."""
    now = moment(waiting(100), waiting(102, THEM, 49))
    reach = reach_of(now, [late(11, 102, THEM, 49)], {100})
    assert [entry.entry for entry in reach.left_out] == [100]
    assert reach.covers == {US: 9, THEM: 50}
    assert reach.unborn == {("ranch", b"1")}


def test_births_may_be_left_out_with_what_followed_and_nothing_else() -> None:
    """A death or a change by itself may be what something that is told depends on."""
    birth, change, death = (
        dataclasses.replace(waiting(number), kind=kind)
        for number, kind in ((100, INSERT), (101, UPDATE), (102, DELETE))
    )
    assert may_wait([])
    assert may_wait([birth, change])
    assert not may_wait([change])
    assert not may_wait([death])
    assert not may_wait([birth, death, birth])
    assert not may_wait([birth, dataclasses.replace(change, key=b"2")])
    assert not may_wait([waiting(100, THEM, 48)])


def test_an_entry_that_was_sealed_between_two_looks_is_taken() -> None:
    """It was in the inbox, and a moment later among the lines."""
    reach = reach_of(moment(waiting(100)), [late(11, 100)], {100})
    assert (len(reach.lines), reach.left_out) == (1, ())


def test_what_is_committed_belongs_to_the_delta_with_its_position(ranch: str) -> None:
    """The sealer is woken, and its lines are taken."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1)", came(40))
    run(ranch, "INSERT INTO herdbook_vector VALUES (77, 40)")
    sealed(ranch)
    run(ranch, "INSERT INTO ranch (number) VALUES (2)", came(41), came(40))
    run(ranch, "UPDATE herdbook_vector SET position = 41")
    delta = whole(reader_at(ranch, wake=lambda: sealed(ranch)).read({own(ranch): 1}))
    assert [(e.origin, e.position) for e in delta.entries] == [(77, 40), (own(ranch), 3), (77, 41)]
    assert delta.covers == {own(ranch): 3, 77: 41}
    assert ("ranch", (2,)) in rows_of(delta)


def test_a_sealer_beside_is_waited_for(ranch: str) -> None:
    """Whenever it comes to it."""
    with sealing_beside(ranch) as wake:
        for number in range(1, 6):
            run(ranch, f"INSERT INTO ranch (number) VALUES ({number})")
            delta = whole(reader_at(ranch, wake).read({}))
            assert len(delta.rows) == len(delta.entries) == delta.covers[own(ranch)] == number


def test_what_is_committed_after_the_snapshot_comes_with_the_next_delta(ranch: str) -> None:
    """Neither its line nor its row is told, though both are there before the parts are read."""
    run(ranch, "INSERT INTO ranch (number, name) VALUES (1, 'a')")
    statements = ["UPDATE ranch SET name = 'b'", "INSERT INTO ranch (number) VALUES (2)"]

    def wake() -> None:
        run(ranch, *statements)
        statements.clear()
        sealed(ranch)

    delta = whole(reader_at(ranch, wake).read({}))
    assert delta.covers == {own(ranch): 1}
    assert rows_of(delta)["ranch", (1,)].state.values["2"] == "a"
    assert [entry.kind for entry in delta.entries] == ["insert"]
    assert [entry.position for entry in delta_of(ranch, delta.covers).entries] == [2, 3]


def test_a_birth_that_is_held_is_left_out_and_delays_nobody(ranch: str) -> None:
    """Its row is told dead, as it was before; the next delta does not wait for it again."""
    run(ranch, "INSERT INTO ranch (number, name) VALUES (1, 'a')", "DELETE FROM ranch")
    run(ranch, "INSERT INTO ranch (number, name) VALUES (1, 'b')")
    looks: list[int] = []

    def wake() -> None:
        looks.append(1)
        sealed(ranch)

    with open_transaction(ranch, "SELECT * FROM ranch WHERE number = 1 FOR UPDATE"):
        run(ranch, "INSERT INTO ranch (number) VALUES (2)")
        reader = reader_at(ranch, wake, bounds=HASTY)
        delta = whole(reader.read({}))
        assert {place: row.state.life for place, row in rows_of(delta).items()} == {
            ("ranch", (1,)): 2,
            ("ranch", (2,)): 1,
        }
        assert [entry.life for entry in delta.entries] == [1, 2, 1]
        assert delta.covers == {own(ranch): 3}
        looks.clear()
        assert whole(reader.read(delta.covers)).entries == ()
        assert len(looks) == 1
    sealed(ranch)
    ((place, row),) = rows_of(delta_of(ranch, delta.covers)).items()
    assert (place, row.state.life, row.state.values["2"]) == (("ranch", (1,)), 3, "b")


def test_no_child_goes_without_its_parent_whose_birth_is_held(ranch: str) -> None:
    """Who knows the parent as dead would let it die; so nothing is told until the row is free."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1)", "DELETE FROM ranch")
    sealed(ranch)
    node = Node(9, shapes_of(ranch))
    node.apply(delta_of(ranch), now=1)
    run(ranch, "INSERT INTO ranch (number) VALUES (1), (2)")
    reader = reader_at(ranch, wake=lambda: sealed(ranch), bounds=HASTY)
    with open_transaction(ranch, "SELECT * FROM ranch WHERE number = 1 LOCK IN SHARE MODE"):
        delta = whole(reader.read(node.vector))
        assert {row.place for row in delta.rows} == {("ranch", (2,))}
        node.apply(delta, now=1)
        run(ranch, "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, 'a')")
        assert settled(ranch, 1)
        with pytest.raises(Busy, match="rows of stable refer to it"):
            whole(reader.read(node.vector))
        assert settled(ranch, 1)
    assert node.apply(whole(reader.read(node.vector)), now=1).noted == ()
    assert {place for place, _state in node.tables.live()} == {
        ("ranch", (1,)), ("ranch", (2,)), ("stable", (1,)),
    }  # fmt: skip


def test_without_a_sealer_nothing_is_told(ranch: str) -> None:
    """Neither births that are no births over dead rows, nor what else is not sealed."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1)")
    with pytest.raises(Busy):
        whole(reader_at(ranch, bounds=HASTY).read({}))
    run(ranch, "DELETE FROM ranch")
    with pytest.raises(Busy):
        reader_at(ranch, bounds=HASTY).read({})


def test_a_birth_that_is_sealed_after_the_snapshot_has_its_life(ranch: str) -> None:
    """The snapshot shows the row with its first life, beside the dead one."""
    run(ranch, "INSERT INTO ranch (number, name) VALUES (1, 'a')", "DELETE FROM ranch")
    run(ranch, "INSERT INTO ranch (number, name) VALUES (1, 'b')")
    delta = whole(reader_at(ranch, wake=lambda: sealed(ranch)).read({}))
    assert rows_of(delta)["ranch", (1,)].state.life == 3
    assert [entry.life for entry in delta.entries] == [1, 2, 3]


def test_with_very_much_unsealed_the_snapshot_is_taken_anew(ranch: str) -> None:
    """Once the sealer has got through it; if it does not, the call fails and may be repeated."""
    run(ranch, *(f"INSERT INTO ranch (number) VALUES ({number})" for number in range(1, 8)))
    few = Bounds(patience=Patience(seal=0.1, drain=0.1), most_unsealed=5)
    with pytest.raises(Busy) as failed:
        reader_at(ranch, bounds=few).read({})
    assert failed.value.retryable
    assert settled(ranch, 0)
    delta = whole(reader_at(ranch, wake=lambda: sealed(ranch), bounds=few).read({}))
    assert len(delta.rows) == 7
