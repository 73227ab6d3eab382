"""However much is held of a table, it is read a little at a time, and compared just the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from service.cli.verify_tables import Pair
from service.herd.deltas import DeltaRow
from service.herd.held import PARENT, Held
from service.store.herd import held
from service.store.herd.described import describe
from service.store.herd.rows import standings
from service.store.transaction import Transaction
from tests.service.store.herd.pairs import write_unseen
from tests.service.store.herd.test_verify import only
from tests.service.store.herd.verifying import CATALOGUE, compared
from tests.service.store.tools import in_transaction

FEW, MANY = 300, 600


@pytest.fixture
def largest(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Few held rows are read at once; the rows and the values of each statement."""
    sizes: list[int] = []
    asked = Transaction.rows

    def rows(tx: Transaction, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        found = asked(tx, statement, parameters)
        sizes.extend((len(found), len(parameters)))
        return found

    monkeypatch.setattr(held, "MOST_ROWS", 10)
    monkeypatch.setattr(Transaction, "rows", rows)
    return sizes


@contextmanager
def waiting(pair: Pair, count: int, odd: str = "") -> Iterator[None]:
    """Of so many ranches that stand nowhere the same is held on both nodes, but for the last."""
    with_names = ((pair.ours.url, ""), (pair.theirs.url, odd))

    def let_wait(tx: Transaction, last: str) -> None:
        known = describe(tx).tables
        key, name = (column.id for column in known["ranch"].columns[:2])
        state = standings(tx, known["ranch"], [(2,)])[2,].state
        numbers = range(1_000, 1_000 + count)
        names = {numbers[-1]: last}
        held.hold(
            tx,
            known,
            [
                Held(DeltaRow("ranch", (number,), state._replace(values=values), True), PARENT, "")
                for number in numbers
                for values in [{**state.values, key: number, name: names.get(number, "")}]
            ],
            1,
        )

    try:
        for url, last in with_names:
            in_transaction(url, CATALOGUE, partial(let_wait, last=last))
        yield
    finally:
        for url, _last in with_names:
            write_unseen(url, "DELETE FROM herdbook_held", "DELETE FROM herdbook_wait")


def peak(pair: Pair, largest: list[int], count: int) -> int:
    """The most of one statement, while tables are compared of whose rows one differs."""
    with waiting(pair, count, odd="odd"):
        largest.clear()
        assert only(compared(pair, "ranch")) == (999 + count, {"name"})
    return max(largest)


def test_what_is_held_is_all_counted(pair: Pair) -> None:
    """Each of very many rows once, in its bucket, however they are paged."""
    with waiting(pair, MANY):
        found = compared(pair, "ranch")
        assert (found.differences, found.moving) == ([], [])
        assert found.living == (MANY + 2, MANY + 2)
        write_unseen(pair.theirs.url, "DELETE FROM herdbook_held ORDER BY place LIMIT 1")
        assert len(compared(pair, "ranch").differences) == 1


def test_nothing_that_is_read_grows_with_what_is_held(pair: Pair, largest: list[int]) -> None:
    """No answer of the server, and no statement."""
    assert peak(pair, largest, FEW) == peak(pair, largest, MANY) < FEW
