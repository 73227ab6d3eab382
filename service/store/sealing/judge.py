"""Judges the entries of one pass: which life each belongs to, and which must wait."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from MySQLdb import Error as DriverError

from service.store.sealing import births
from service.store.sealing.entries import Entry, Place, Sealed, deaths_after
from service.store.sealing.keys import KnownKeys, TableKeys, is_absent, structure_is_locked
from service.store.sealing.lives import Standing, open_ends, settle
from service.store.transaction import Transaction

Ends = Mapping[bytes, Sequence[Entry]]

_DIED_ONCE = 2

_log = logging.getLogger(__name__)


@dataclass
class _Verdict:
    """The lives of some rows' open ends, and the rows that must wait."""

    lives: dict[bytes, int] = field(default_factory=dict)
    held: set[bytes] = field(default_factory=set)


def judge(
    tx: Transaction, known: KnownKeys, entries: Sequence[Entry], *, more: bool
) -> list[Sealed]:
    """Those of the entries that can be sealed, with their lives; rows born again are mended.

    `more`: the snapshot may show entries above these.
    """
    by_table: dict[str, dict[bytes, list[Entry]]] = defaultdict(dict)
    for (table, key), end in open_ends(entries).items():
        by_table[table][key] = end
    if not by_table:
        return settle(entries, {}, frozenset())
    found = known.of(tx, list(by_table))
    above = entries[-1].entry if more else None
    lives: dict[Place, int] = {}
    held: set[Place] = set()
    for table, ends in by_table.items():
        keys = found.get(table)
        verdict = _as_written(ends) if keys is None else _of_table(tx, known, keys, ends, above)
        lives.update({(table, key): life for key, life in verdict.lives.items()})
        held.update((table, key) for key in verdict.held)
    return settle(entries, lives, frozenset(held))


def _as_written(ends: Ends) -> _Verdict:
    """Where there is no table to look into, the lives that triggers wrote."""
    return _Verdict({key: max(entry.life for entry in end) for key, end in ends.items()})


def _of_table(
    tx: Transaction, known: KnownKeys, keys: TableKeys, ends: Ends, above: int | None
) -> _Verdict:
    """The verdict on a table that may be changed or dropped at this moment."""
    try:
        return _look(tx, keys, ends, above)
    except ValueError as error:
        _log.warning("%s has entries whose keys are not of its shape: %s", keys.table, error)
        return _as_written(ends)
    except DriverError as error:
        known.forget()
        if is_absent(error):
            _log.warning("%s is sealed without looking into it: %s", keys.table, error)
            return _as_written(ends)
        if structure_is_locked(error):
            _log.warning("%s waits to be sealed, its structure is being changed", keys.table)
            return _Verdict(held=set(ends))
        raise


def _look(tx: Transaction, keys: TableKeys, ends: Ends, above: int | None) -> _Verdict:
    """The verdict by how the rows stand and, where that does not tell, by the entries above."""
    standing = births.standings(tx, keys, list(ends))
    verdict = _Verdict(
        {
            key: standing[key].life
            for key, end in ends.items()
            if key in standing and standing[key].explains(end)
        }
    )
    unsure = [key for key in ends if key not in verdict.lives]
    gone = [key for key in unsure if key not in standing]
    dead = births.dead_lives(tx, keys, gone) if gone else {}
    if above is not None:
        _look_above(tx, keys, unsure, dead, above, verdict)
    born: dict[bytes, Standing] = {}
    for key in (key for key in unsure if key not in verdict.lives):
        if key not in standing:
            # It went past the triggers, by TRUNCATE for instance.
            verdict.lives[key] = max(dead.get(key, 0) + 1, *(entry.life for entry in ends[key]))
        elif standing[key].dead is None:
            verdict.lives[key] = standing[key].life
        else:
            born[key] = standing[key]
    _bear(tx, keys, born, verdict)
    return verdict


def _look_above(
    tx: Transaction,
    keys: TableKeys,
    unsure: Sequence[bytes],
    dead: Mapping[bytes, int],
    above: int,
    verdict: _Verdict,
) -> None:
    """Find the rows whose next death is among the entries above."""
    # Of a row that died once in all, that death is the next one. This spares bulk loads that are
    # deleted again a walk through the inbox for each pass.
    verdict.lives.update({key: _DIED_ONCE - 1 for key in unsure if dead.get(key) == _DIED_ONCE})
    unknown = [key for key in unsure if key not in verdict.lives]
    ends = deaths_after(tx, above, keys.table, unknown) if unknown else {}
    verdict.lives.update({key: life - 1 for key, life in ends.items()})


def _bear(
    tx: Transaction, keys: TableKeys, born: Mapping[bytes, Standing], verdict: _Verdict
) -> None:
    """Mend what is born again; what is held by somebody waits."""
    mended = births.mend(tx, keys, born) if born else frozenset()
    verdict.lives.update({key: born[key].mended for key in mended})
    verdict.held.update(key for key in born if key not in mended)
