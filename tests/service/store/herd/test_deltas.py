"""What a sibling at some vector lacks is read from the tables, and no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from records.stamps import Version
from records.states import Death, RowState
from service.herd import codec
from service.herd.deltas import DeltaRow
from service.herd.held import SCHEMA, Held
from service.herd.messages import Portion
from service.herd.vectors import joined
from service.store.herd.places import row_key_of
from service.store.sealing.entries import Place
from service.store.transaction import Transaction
from tests.service.store.herd.deltas import (
    delta_of,
    own,
    parts_of,
    reader_at,
    rows_of,
    sealed,
    whole,
)
from tests.service.store.herd.test_described import described
from tests.service.store.sealing.tools import run
from tests.service.store.tools import read

_CAME = (
    "INSERT INTO herdbook_inbox (table_name, row_key, kind, fields, life, origin, stamp, writer, "
    "at_origin, applied) VALUES "
)


def came(at: int, table: str = "ranch", key: str = "1", kind: str = "update") -> str:
    """The statement by which an entry of origin 77 is put into the inbox."""
    life = 2 if kind == "delete" else 1
    return f"{_CAME} ('{table}', '{key}', '{kind}', NULL, {life}, 77, 5, 'them', {at}, 1)"


def test_a_node_that_has_nothing_gets_everything(ranch: str) -> None:
    """Every row, whole, with its entries in their order."""
    run(
        ranch,
        "INSERT INTO ranch (number, name) VALUES (1, 'a'), (2, 'b')",
        "UPDATE ranch SET name = 'c' WHERE number = 2",
        "DELETE FROM ranch WHERE number = 1",
    )
    sealed(ranch)
    delta = delta_of(ranch)
    assert (delta.sender, delta.above, delta.covers) == (own(ranch), {}, {own(ranch): 4})
    assert [entry.position for entry in delta.entries] == [1, 2, 3, 4]
    rows = rows_of(delta)
    assert set(rows) == {("ranch", (1,)), ("ranch", (2,))}
    assert all(row.whole for row in rows.values())
    assert rows["ranch", (2,)].state.values == {"1": 2, "2": "c", "3": None}
    dead = rows["ranch", (1,)].state
    assert (dead.life, dead.values["2"], dead.death is None) == (2, "a", False)


def test_what_is_read_goes_over_the_wire_and_back(ranch: str) -> None:
    """A key of every form, and values of some."""
    run(
        ranch,
        "INSERT INTO ticket (day, amount, code, moment, flags, token, note) VALUES "
        "('2024-02-29', 1.5, 'x', '1970-01-01 00:00:01', b'101', UNHEX(REPEAT('0a', 16)), 7)",
        "TRUNCATE TABLE ticket",
        came(9, "gone", "k"),
    )
    sealed(ranch)
    portion = Portion(1, 0, delta_of(ranch))
    assert codec.decode(codec.encode(portion)) == portion


def test_a_node_that_has_more_gets_only_the_columns_that_changed(ranch: str) -> None:
    """Those that its entries above the vector name, with their versions."""
    run(
        ranch,
        "INSERT INTO ranch (number, name, brand) VALUES (1, 'a', 'x'), (2, 'b', 'y')",
        "UPDATE ranch SET brand = 'z' WHERE number = 1",
        "UPDATE ranch SET name = 'c' WHERE number = 1",
    )
    sealed(ranch)
    delta = delta_of(ranch, {own(ranch): 3})
    ((place, row),) = rows_of(delta).items()
    assert (place, row.whole) == (("ranch", (1,)), False)
    assert row.state.values == {"2": "c"}
    assert set(row.state.slots) == {"2"}
    assert [(entry.position, entry.columns) for entry in delta.entries] == [(4, ("2",))]


def test_a_row_that_was_born_or_died_above_the_vector_travels_whole(ranch: str) -> None:
    """Also where an update of it lies above as well."""
    run(
        ranch,
        "INSERT INTO ranch (number, name) VALUES (1, 'a')",
        "INSERT INTO ranch (number, name) VALUES (2, 'b')",
        "UPDATE ranch SET name = 'c' WHERE number = 2",
        "DELETE FROM ranch WHERE number = 1",
    )
    sealed(ranch)
    rows = rows_of(delta_of(ranch, {own(ranch): 1}))
    assert {place: (row.whole, row.state.alive) for place, row in rows.items()} == {
        ("ranch", (1,)): (True, False),
        ("ranch", (2,)): (True, True),
    }


def test_a_node_that_lacks_nothing_gets_one_empty_part(ranch: str) -> None:
    """It is the last, and its vector is told back."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1)")
    sealed(ranch)
    (part,) = parts_of(reader_at(ranch).read({own(ranch): 1, 5: 9}))
    assert (part.rows, part.entries, part.last) == ((), (), True)
    assert part.covers == {own(ranch): 1}


def test_entries_of_other_nodes_have_their_positions_there(ranch: str) -> None:
    """They are asked for by these, and covered as far as this node's vector says."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1)", came(40), came(41), came(50))
    run(ranch, "INSERT INTO herdbook_vector VALUES (77, 41)")
    sealed(ranch)
    everything = delta_of(ranch)
    assert everything.covers == {own(ranch): 1, 77: 41}
    assert [(e.origin, e.position) for e in everything.entries] == [
        (own(ranch), 1), (77, 40), (77, 41), (77, 50),
    ]  # fmt: skip
    later = delta_of(ranch, {own(ranch): 1, 77: 40})
    # Above what is covered are parts of a delta that broke off: they go along.
    assert [entry.position for entry in later.entries] == [41, 50]


def test_what_was_written_under_a_former_origin_has_positions_of_this_node(ranch: str) -> None:
    """The node drew a new origin after it was restored."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1)", "INSERT INTO ranch (number) VALUES (2)")
    sealed(ranch)
    former = own(ranch)
    run(ranch, "UPDATE herdbook_node SET origin = 5", "UPDATE herdbook_sealer SET written = 0")
    run(ranch, f"INSERT INTO herdbook_vector VALUES ({former}, 2)")
    delta = delta_of(ranch, {former: 1})
    assert (delta.sender, delta.covers) == (5, {former: 2})
    assert [(entry.origin, entry.position) for entry in delta.entries] == [(former, 2)]


def test_a_row_that_vanished_without_a_dead_row_is_told_dead(ranch: str) -> None:
    """As after TRUNCATE, once its death was noted; there are no values to send."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1), (2)", "DELETE FROM ranch WHERE number = 1")
    run(ranch, "DELETE FROM herdbook_dead_ranch", "SET @x = 0", "TRUNCATE TABLE ticket")
    sealed(ranch)
    delta = delta_of(ranch)
    row = rows_of(delta)["ranch", (1,)]
    last = delta.entries[-1]
    death = Death(last.stamp, last.writer)
    assert row.whole
    assert row.state == RowState(2, Version(last.stamp, own(ranch)), {}, {}, death)


def test_entries_of_a_row_that_is_not_known_travel_without_it(ranch: str) -> None:
    """Its death was pruned; what is left does not say how it stands."""
    run(ranch, came(40))
    run(ranch, "INSERT INTO herdbook_vector VALUES (77, 40)")
    sealed(ranch)
    delta = delta_of(ranch)
    assert delta.rows == ()
    assert [entry.place for entry in delta.entries] == [("ranch", (1,))]


def test_a_key_whose_types_are_not_known_travels_as_its_bytes(ranch: str) -> None:
    """Of a table that this node does not have, and one that has other keys now.

    Whoever gets it has the same bytes in its changelog.
    """
    run(ranch, came(40, "gone", "12"), came(41, "ranch", "word"))
    run(ranch, "INSERT INTO herdbook_vector VALUES (77, 41)")
    sealed(ranch)
    delta = delta_of(ranch)
    assert delta.rows == ()
    assert [entry.place for entry in delta.entries] == [("gone", (b"12",)), ("ranch", (b"word",))]
    assert delta.covers == {77: 41}
    tables = described(ranch).tables
    for entry in delta.entries:
        assert row_key_of(tables, entry.place) == entry.key[0]


def test_what_is_held_is_part_of_a_row(ranch: str) -> None:
    """Of a known table it is joined with the row; of an unknown one it tells the key as well."""
    run(
        ranch,
        "INSERT INTO ranch (number, name) VALUES (1, 'a')",
        came(40),
        came(41, "gone", "12", "insert"),
    )
    sealed(ranch)
    version = Version(*read(ranch, "SELECT herdbook_stamp, herdbook_origin FROM ranch")[0])
    more = RowState(1, version, {}, {"9": "more"})
    new = RowState(1, version, {}, {"1": 12})
    held = {
        ("ranch", b"1"): Held(DeltaRow("ranch", (1,), more, whole=False), SCHEMA, ""),
        ("gone", b"12"): Held(DeltaRow("gone", (12,), new, whole=True), SCHEMA, ""),
    }

    def held_of(_tx: Transaction, places: Collection[Place]) -> Mapping[Place, Held]:
        return {place: held[place] for place in places if place in held}

    delta = whole(reader_at(ranch, held_of=held_of).read({}))
    rows = rows_of(delta)
    assert rows["gone", (12,)].state == new
    assert rows["ranch", (1,)].state.values == {"1": 1, "2": "a", "3": None, "9": "more"}
    assert {entry.place for entry in delta.entries} == set(rows)


def test_rows_of_other_spellings_are_told_apart(ranch: str) -> None:
    """A collation takes them for one; each entry goes with the row of its own bytes."""
    insert = (
        "INSERT INTO ticket (day, amount, code, moment, flags, token, note) VALUES "
        "('2024-02-29', 1, '{0}', '1970-01-01 00:00:01', 1, REPEAT('a', 16), 7)"
    )
    run(ranch, insert.format("foo"), "DELETE FROM ticket", insert.format("bar"))
    sealed(ranch)
    rows = rows_of(delta_of(ranch))
    assert {(key[2], row.state.alive) for (_table, key), row in rows.items()} == {
        ("foo", False), ("bar", True),
    }  # fmt: skip


def test_exactly_who_lacks_what_was_pruned_gets_a_snapshot(ranch: str) -> None:
    """All rows, though there are entries of some only; who has it all gets what is left."""
    run(ranch, *(f"INSERT INTO ranch (number) VALUES ({number})" for number in range(1, 5)))
    sealed(ranch)
    run(ranch, "DELETE FROM herdbook_changelog WHERE `position` <= 2")
    run(ranch, f"INSERT INTO herdbook_pruned VALUES ({own(ranch)}, 2)")
    for above in ({}, {own(ranch): 1}, {own(ranch) + 1: 10**6}):
        snapshot = delta_of(ranch, above)
        assert snapshot.floors == {own(ranch): 2}
        # The entries begin there: who has less would pass on a gap.
        assert snapshot.above == above
        assert {row.key for row in snapshot.rows if row.whole} == {(1,), (2,), (3,), (4,)}
        assert [entry.position for entry in snapshot.entries] == [3, 4]
    delta = delta_of(ranch, {own(ranch): 2})
    assert delta.floors is None
    assert [entry.position for entry in delta.entries] == [3, 4]
    assert {row.key for row in delta.rows} == {(3,), (4,)}


def test_deltas_of_the_same_moment_follow_each_other(ranch: str) -> None:
    """What one covers the next does not bring."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1)")
    sealed(ranch)
    first = delta_of(ranch)
    run(ranch, "UPDATE ranch SET name = 'x'")
    sealed(ranch)
    second = delta_of(ranch, joined(first.above, first.covers))
    assert [entry.kind for entry in second.entries] == ["update"]
    assert read(ranch, "SELECT COUNT(*) FROM herdbook_inbox") == [(0,)]
