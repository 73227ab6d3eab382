"""Rows of which something is held, in the state that this node passes on.

A held row is part of a node's state: where one node has written what another still holds, both have
the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from records.states import RowState
from service.herd.deltas import DeltaRow
from service.herd.held import Held, state_to_send
from service.herd.shapes import Key
from service.store.herd.described import HerdTable
from service.store.herd.held import held_in
from service.store.herd.rows import standings
from service.store.herd.values import bytes_of
from service.store.transaction import Transaction


def states_with_held(tx: Transaction, table: HerdTable, keys: Sequence[Key]) -> dict[Key, RowState]:
    """The states of rows, joined with what is held of them.

    Raises ValueError where a row cannot be read.
    """
    states = {key: standing.state for key, standing in standings(tx, table, keys).items()}
    wanted = set(keys)
    held = {key: one for key, one in _held_rows(tx, table) if key in wanted}
    return states | {key: _joined(states.get(key), one) for key, one in held.items()}


def held_states(tx: Transaction, table: HerdTable) -> Mapping[bytes, RowState]:
    """The rows of which something is held, by their keys as bytes."""
    held = dict(_held_rows(tx, table))
    states = {key: standing.state for key, standing in standings(tx, table, list(held)).items()}
    return {bytes_of(table.key, key): _joined(states.get(key), one) for key, one in held.items()}


def held_keys(tx: Transaction, table: HerdTable) -> set[Key]:
    """The keys of the rows of which something is held."""
    return {key for key, _held in _held_rows(tx, table)}


def _held_rows(tx: Transaction, table: HerdTable) -> Iterator[tuple[Key, Held]]:
    for held in held_in(tx, table.name):
        if _fits(table, held.row):
            yield held.row.key, held


def _fits(table: HerdTable, row: DeltaRow) -> bool:
    """Whether its key is one of this table as it is here."""
    try:
        bytes_of(table.key, row.key)
    except ValueError:
        return False
    return True


def _joined(ours: RowState | None, held: Held) -> RowState:
    state = state_to_send(ours, held)
    assert state is not None, "what is held is something"
    return state
