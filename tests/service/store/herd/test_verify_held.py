"""What is held counts as part of a node: rows are compared in the state that it passes on."""

from __future__ import annotations

import pytest

from service.cli.verify_tables import Pair
from service.herd.deltas import DeltaRow
from service.herd.held import PARENT, Held
from service.store.herd.described import Descriptions, describe
from service.store.herd.digest_twin import digest_of
from service.store.herd.digests import rows_of, sql_of
from service.store.herd.held import hold
from service.store.herd.mending import Mender
from service.store.herd.rows import standings
from service.store.herd.values import key_of
from service.store.transaction import Transaction
from tests.service.store.herd.asides import call
from tests.service.store.herd.herds import Member
from tests.service.store.herd.pairs import changed, write_unseen
from tests.service.store.herd.test_held_rows import some_held
from tests.service.store.herd.test_verify import TABLES, only
from tests.service.store.herd.verifying import CATALOGUE, compared
from tests.service.store.tools import in_transaction


@pytest.mark.parametrize("table", TABLES)
def test_the_digest_of_a_state_is_that_of_its_row(pair: Pair, table: str) -> None:
    """As either server computes it, of every type, alive and dead."""

    def look(tx: Transaction) -> None:
        known = describe(tx).tables[table]
        rows = rows_of(tx, known, [""], None)
        keys = {row.key: key_of(known.key, row.key) for row in rows}
        states = standings(tx, known, list(keys.values()))
        sql = sql_of(tx, known, None)
        twins = {key: digest_of(sql, states[values].state) for key, values in keys.items()}
        assert twins == {row.key: row.digest for row in rows}
        assert len(rows) > 0

    for node in pair:
        in_transaction(node.url, CATALOGUE, look)


@pytest.mark.parametrize("name", ["changed", "other"])
def test_a_row_that_is_held_counts_as_if_it_were_written(pair: Pair, name: str) -> None:
    """It is no difference where it is the same, and one where it is not."""

    def let_wait(tx: Transaction) -> None:
        known = describe(tx).tables
        state = standings(tx, known["horse"], [(2,)])[2,].state
        values = {**state.values, known["horse"].columns[-1].id: name}
        row = DeltaRow("horse", (2,), state._replace(values=values), whole=True)
        hold(tx, known, [Held(row, PARENT, "it waits")], 1)

    with changed(pair.theirs.url, "horse"):
        in_transaction(pair.theirs.url, CATALOGUE, let_wait)
        write_unseen(pair.theirs.url, "DELETE FROM horse WHERE number = 2")
        assert pair.theirs.tables().held == 1
        found = compared(pair, "horse")
        write_unseen(pair.theirs.url, "DELETE FROM herdbook_held")
        if name == "changed":
            assert found.differences == []
        else:
            assert only(found) == (2, {"name"})
        assert only(compared(pair, "horse")) == (2, {"row"})


@pytest.mark.parametrize("is_dropped", [False, True])
def test_what_is_held_stays_so_where_nothing_of_it_can_be_written(
    one: Member, other: Member, is_dropped: bool
) -> None:
    """Rows are mended beside it; nothing is forced past what refused it."""
    some_held(one, other)
    if is_dropped:
        call(other, "held.drop", record="ranch", key=2)
    before = [(held.row.place, held.reason, held.text) for held in other.held()]
    waits = other.rows("SELECT * FROM herdbook_wait")
    rows = [row for row in one.delta({}).rows if row.table in ("ranch", "stable")]
    other.do(lambda tx: Mender(Descriptions()).mend(tx, rows))
    assert [(held.row.place, held.reason, held.text) for held in other.held()] == before
    assert other.rows("SELECT * FROM herdbook_wait") == waits
    assert len(before) == 3
