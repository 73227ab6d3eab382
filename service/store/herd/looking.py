"""Single rows as they stand, for whoever compares them with another node's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from records.errors import Failure, pointer
from records.states import RowState
from schema.capture.columns import ORIGIN, STAMP, graveyard_of
from service.errors import ParametersRefused
from service.herd.shapes import Key
from service.herd.vectors import Vector
from service.methods.verifying_port import RowSeen
from service.store.herd.by_value import canonical, documents_of
from service.store.herd.described import HerdTable
from service.store.herd.held_states import held_keys, states_with_held
from service.store.herd.moments import moving
from service.store.herd.rows import among, parameters
from service.store.herd.values import HerdColumn, key_of
from service.store.sql import quoted
from service.store.transaction import Transaction


def states_of(
    tx: Transaction, table: HerdTable, row_keys: Sequence[bytes], above: Vector
) -> list[RowSeen]:
    """How rows stand; of those that are not there only whether they move.

    Raises ParametersRefused where one is no key of the table.
    """
    keys = {key_at(table, row_key, at): row_key for at, row_key in enumerate(row_keys)}
    documents = documents_of(tx, table)
    on_their_way = moving(tx, table, row_keys, above)
    latest = _latest(tx, table, list(keys))
    states, broken = _states(tx, table, list(keys))
    held = held_keys(tx, table, list(keys))
    return [
        RowSeen(
            row_key,
            key,
            _by_value(states.get(key), documents),
            *_version(states.get(key), None if key in held else latest.get(key)),
            row_key in on_their_way,
            broken.get(key, ""),
        )
        for key, row_key in keys.items()
    ]


def _version(state: RowState | None, named: tuple[int, int] | None) -> tuple[int, int]:
    """What a row names as its latest version; of one that is held, what its state comes to."""
    if named is not None:
        return named
    return (0, 0) if state is None else (state.latest.stamp, state.latest.origin)


def key_at(table: HerdTable, row_key: bytes, at: int) -> Key:
    """The key of some bytes, the one at this place of the list; raises ParametersRefused."""
    try:
        return key_of(table.key, row_key)
    except ValueError as error:
        message = f"this is no key of {table.name}: {error}"
        raise ParametersRefused([Failure("key.malformed", message, pointer("keys", at))]) from None


def _states(
    tx: Transaction, table: HerdTable, keys: Sequence[Key]
) -> tuple[dict[Key, RowState], dict[Key, str]]:
    """The states of rows, and of those that cannot be read, why: their clocks are broken."""
    try:
        return states_with_held(tx, table, keys), {}
    except ValueError as error:
        if len(keys) == 1:
            return {}, {keys[0]: str(error)}
    states: dict[Key, RowState] = {}
    broken: dict[Key, str] = {}
    for key in keys:
        one, why = _states(tx, table, [key])
        states |= one
        broken |= why
    return states, broken


def _latest(
    tx: Transaction, table: HerdTable, keys: Collection[Key]
) -> Mapping[Key, tuple[int, int]]:
    """What rows name as their latest version; a live row counts before a dead one."""
    found: dict[Key, tuple[int, int]] = {}
    if not keys:
        return found
    columns = ", ".join(part.column.read_from("r") for part in table.key)
    for name in (graveyard_of(table.name), table.name):
        rows: list[Any] = tx.rows(
            f"SELECT r.{STAMP}, r.{ORIGIN}, {columns} FROM {quoted(name)} AS r "
            f"WHERE {among(table, 'r', len(keys))}",
            parameters(keys),
        )
        found |= {tuple(key): (int(stamp), int(origin)) for stamp, origin, *key in rows}
    return found


def _by_value(state: RowState | None, documents: Sequence[HerdColumn]) -> RowState | None:
    """The state with documents in the one text that both servers' texts come to."""
    if state is None:
        return None
    texts = {
        column.id: canonical(raw)
        for column in documents
        if (raw := state.values.get(column.id)) is not None
    }
    return state._replace(values={**state.values, **texts})
