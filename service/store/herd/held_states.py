"""Rows of which something is held, in the state that this node passes on.

A held row is part of a node's state: where one node has written what another still holds, both have
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from records.states import RowState
from service.herd.deltas import DeltaRow
from service.herd.held import Held, state_to_send
from service.herd.shapes import Key
from service.store.herd.described import HerdTable
from service.store.herd.held import every_held, held_at
from service.store.herd.rows import Standing, standings
from service.store.herd.values import bytes_of
from service.store.transaction import Transaction


def states_with_held(tx: Transaction, table: HerdTable, keys: Sequence[Key]) -> dict[Key, RowState]:
    """The states of rows, joined with what is held of them.

    Raises ValueError where a row cannot be read.
    """
    states = {key: standing.state for key, standing in standings(tx, table, keys).items()}
    held = _held_of(tx, table, keys)
    return states | {key: _joined(states.get(key), one) for key, one in held.items()}


def held_states(
    tx: Transaction, table: HerdTable, wanted: Callable[[bytes], bool] = lambda _key: True
) -> Iterator[Mapping[bytes, RowState]]:
    """The wanted rows of which something is held, by their keys as bytes.

    As many come at a time as may be in memory.
    """
    for some in every_held(tx, table.name):
        named = ((_row_key(table, one.row), one) for one in some)
        held = {raw: one for raw, one in named if raw is not None and wanted(raw)}
        states = standings(tx, table, [one.row.key for one in held.values()])
        yield {raw: _joined(_state(states, one.row.key), one) for raw, one in held.items()}


def held_keys(tx: Transaction, table: HerdTable, keys: Sequence[Key]) -> set[Key]:
    """Those of some keys of whose rows something is held."""
    return set(_held_of(tx, table, keys))


def _held_of(tx: Transaction, table: HerdTable, keys: Sequence[Key]) -> dict[Key, Held]:
    named = {(table.name, bytes_of(table.key, key)): key for key in keys}
    return {named[row]: held for row, held in held_at(tx, named).items()}


def _row_key(table: HerdTable, row: DeltaRow) -> bytes | None:
    """Its key as bytes; None where that is no key of this table as it is here."""
    try:
        return bytes_of(table.key, row.key)
    except ValueError:
        return None


def _state(states: Mapping[Key, Standing], key: Key) -> RowState | None:
    return states[key].state if key in states else None


def _joined(ours: RowState | None, held: Held) -> RowState:
    state = state_to_send(ours, held)
    assert state is not None, "what is held is something"
    return state
