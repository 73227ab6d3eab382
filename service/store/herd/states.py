"""The states of rows as siblings are told them, in one snapshot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from MySQLdb import Error as DriverError

from records.states import RowState
from service.herd.held import Held, state_to_send
from service.herd.shapes import Key
from service.store.database import error_number
from service.store.herd.described import Described, HerdTable
from service.store.herd.rows import Standing, standings
from service.store.herd.sizes import NOT_COMPARED, fitting
from service.store.herd.values import key_of
from service.store.sealing.entries import Place
from service.store.transaction import Transaction

HeldOf: TypeAlias = Callable[[Transaction, Collection[Place]], Mapping[Place, Held]]
"""Reads what is held of some rows."""

_log = logging.getLogger(__name__)


def nothing_held(_tx: Transaction, _places: Collection[Place]) -> Mapping[Place, Held]:
    """Where nothing is held."""
    return {}


class Told(NamedTuple):
    """A row as it is told of: its key, and its state if it is known.

    Where the key's types are not known it has one part, the bytes by which changelogs name the
    row. `gone`: it is surely neither here nor in the graveyard.
    """

    key: Key
    state: RowState | None
    gone: bool = False


@dataclass(frozen=True)
class States:
    """Reads rows: what the tables have, joined with what is held.

    Of the `unborn` rows a birth is left out of what is told; where they have a dead row, that is
    what they are before it.
    """

    tx: Transaction
    described: Described
    held_of: HeldOf
    unborn: frozenset[Place]

    def of(self, table: str, row_keys: Sequence[bytes]) -> dict[bytes, Told]:
        """How some rows of one table stand."""
        held = self.held_of(self.tx, [(table, raw) for raw in row_keys])
        known = self.described.tables.get(table)
        keys = {} if known is None else dict(_typed(known, row_keys))
        stand = {} if known is None else _standings(self.tx, known, list(keys.values()))
        return {
            raw: self._told((table, raw), known, keys.get(raw), stand, held.get((table, raw)))
            for raw in row_keys
        }

    def fitting(self, table: str, row_keys: Sequence[bytes], most_bytes: int) -> int:
        """How many of the first of some rows may be read at once; at least one."""
        known = self.described.tables.get(table)
        if known is None:
            return len(row_keys)
        keys = dict(_typed(known, row_keys))
        # A row whose key is none of the table is not read.
        fits = fitting(self.tx, known, list(keys.values()), most_bytes)
        return len(row_keys) if fits == len(keys) else row_keys.index(list(keys)[fits])

    def _told(
        self,
        place: Place,
        table: HerdTable | None,
        key: Key | None,
        stand: Mapping[Key, Standing],
        held: Held | None,
    ) -> Told:
        if key is None or table is None:
            if held is None:
                return Told((place[1],), None)
            return Told(held.row.key, held.row.state if held.row.whole else None)
        ours = self._ours(place, stand.get(key))
        if ours is None and held is not None and not held.row.whole:
            return Told(key, None)
        state = state_to_send(ours, held)
        return Told(key, state, gone=state is None)

    def _ours(self, place: Place, standing: Standing | None) -> RowState | None:
        if standing is None:
            return None
        if place in self.unborn and standing.dead is not None:
            return standing.dead
        return standing.state


def _typed(table: HerdTable, row_keys: Sequence[bytes]) -> Iterator[tuple[bytes, Key]]:
    """Those keys that are keys of the table as it is now."""
    for raw in row_keys:
        try:
            yield raw, key_of(table.key, raw)
        except ValueError as error:
            _log.info("a key of %s is none any more: %s", table.name, error)


def _standings(tx: Transaction, table: HerdTable, keys: list[Key]) -> dict[Key, Standing]:
    """How rows stand; a key that the server does not compare stands nowhere."""
    found: dict[Key, Standing] = {}
    parts = [keys] if keys else []
    while parts:
        part = parts.pop()
        try:
            found.update(standings(tx, table, part))
        except DriverError as error:
            if error_number(error) not in NOT_COMPARED:
                raise
            half = len(part) // 2
            parts += [some for some in (part[half:], part[:half]) if 0 < len(some) < len(part)]
    return found
