"""Rows that are born again: how they stand in the tables, and what sealing does to them.

A row whose key was used before gets the life after the dead row's, and the dead row leaves the
graveyard. Rows that somebody else holds are left alone: nothing here ever waits for a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from MySQLdb import Error as DriverError

from schema.capture.columns import LIFE, STAMP
from schema.capture.triggers import MENDING
from service.store.sealing.keys import KEYS_A_STATEMENT, TableKeys, structure_is_locked
from service.store.sealing.lives import Standing
from service.store.sealing.troubles import Troubles, is_everybodys
from service.store.sql import quoted
from service.store.transaction import Transaction

MOST_REFUSED = 100
"""So many births that do not take their lives are tried in one pass, of one life and table."""

_BEFORE = "herdbook_before"


class PassUndone(Exception):
    """The server undid what the pass had done so far."""


def standings(tx: Transaction, keys: TableKeys, wanted: list[bytes]) -> dict[bytes, Standing]:
    """How these rows stand in the snapshot; those that are not there are left out."""
    found = _each_part(
        tx,
        keys,
        wanted,
        f"SELECT {keys.expression('live')}, live.{LIFE}, live.{STAMP}, dead.{LIFE} "
        f"FROM {keys.live} AS live FORCE INDEX (PRIMARY) "
        f"LEFT JOIN {keys.dead} AS dead ON {keys.equal('dead', 'live')} WHERE {{among}}",
        "live",
    )
    return {key: Standing(life, stamp, dead) for key, life, stamp, dead in found}


def dead_lives(tx: Transaction, keys: TableKeys, wanted: list[bytes]) -> dict[bytes, int]:
    """The lives of dead rows with these keys, in the snapshot."""
    found = _each_part(
        tx,
        keys,
        wanted,
        f"SELECT {keys.expression('dead')}, dead.{LIFE} "
        f"FROM {keys.dead} AS dead FORCE INDEX (PRIMARY) WHERE {{among}}",
        "dead",
    )
    return dict(found)


def mend(
    tx: Transaction, keys: TableKeys, born: Mapping[bytes, Standing], troubles: Troubles
) -> frozenset[bytes]:
    """Give rows that are born again their lives; the keys of those for which it was done.

    It is not done where somebody holds the row or the dead one, or has changed one of them since
    the snapshot: what they do stands after this in any order. Nor where the update is refused, by
    a trigger of the application's for instance. Others of its triggers may write: what they do is
    captured like any other change.
    """
    free = {
        key: Standing(life, stamp, dead) for key, life, stamp, dead in _lock(tx, keys, list(born))
    }
    unchanged = {key: standing for key, standing in born.items() if free.get(key) == standing}
    revived: list[bytes] = []
    for life in sorted({standing.mended for standing in unchanged.values()}):
        group = [key for key, standing in unchanged.items() if standing.mended == life]
        revived += _revive_each(tx, keys, group, life, troubles)
    return frozenset(revived)


def _lock(tx: Transaction, keys: TableKeys, wanted: list[bytes]) -> list[tuple[Any, ...]]:
    """The rows and their dead ones, as they are now, locked; held ones are passed over."""
    return _each_part(
        tx,
        keys,
        wanted,
        f"SELECT {keys.expression('live')}, live.{LIFE}, live.{STAMP}, dead.{LIFE} "
        f"FROM {keys.live} AS live FORCE INDEX (PRIMARY) STRAIGHT_JOIN {keys.dead} AS dead "
        f"FORCE INDEX (PRIMARY) ON {keys.equal('dead', 'live')} WHERE {{among}} "
        "FOR UPDATE SKIP LOCKED",
        "live",
    )


def _revive_each(
    tx: Transaction, keys: TableKeys, group: list[bytes], life: int, troubles: Troubles
) -> list[bytes]:
    """Set the life of some rows, whose locks are held; those for which it could be done."""
    revived: list[bytes] = []
    refused = 0
    parts = list(_parts(group))
    while parts and refused < MOST_REFUSED:
        part = parts.pop()
        error = _refusal(tx, lambda part=part: _revive(tx, keys, part, life))  # type: ignore[misc]
        if error is None:
            revived += part
        elif len(part) == 1:
            refused += 1
            troubles.refuse((keys.table, part[0]), keys.in_words(tx, part[0]), error)
        else:
            half = len(part) // 2
            parts += [part[half:], part[:half]]
    return revived


def _refusal(tx: Transaction, revive: Callable[[], None]) -> DriverError | None:
    """What the server says against a step, which is undone then; None: nothing."""
    tx.execute(f"SAVEPOINT {_BEFORE}")
    try:
        tx.execute(f"SET {MENDING} = 1")
        revive()
    except DriverError as error:
        # A lock that a trigger waits for in vain ends its own statement only.
        if is_everybodys(error) and not structure_is_locked(error):
            raise
        try:
            tx.execute(f"ROLLBACK TO SAVEPOINT {_BEFORE}")
        except DriverError:
            # The server has undone all of the transaction: then it is all done again.
            raise PassUndone(str(error)) from error
        return error
    finally:
        tx.execute(f"SET {MENDING} = 0")
    return None


def _revive(tx: Transaction, keys: TableKeys, part: list[bytes], life: int) -> None:
    """Set the life of these rows and drop the dead ones beside them.

    A dead row with a later life was made by a trigger of the application's just now.
    """
    parameters = keys.parameters(part)
    kept = "".join(f", live.{quoted(name)} = live.{quoted(name)}" for name in keys.kept)
    tx.execute(
        f"UPDATE {keys.live} AS live FORCE INDEX (PRIMARY) SET live.{LIFE} = ?{kept} "
        f"WHERE {keys.among('live', len(part))}",
        (life, *parameters),
    )
    tx.execute(
        f"DELETE dead FROM {keys.dead} AS dead FORCE INDEX (PRIMARY) "
        f"WHERE {keys.among('dead', len(part))} AND dead.{LIFE} < ?",
        (*parameters, life),
    )


def _each_part(
    tx: Transaction, keys: TableKeys, wanted: list[bytes], statement: str, alias: str
) -> list[tuple[Any, ...]]:
    """All rows of a query over many keys; `{among}` in it stands for the condition."""
    found: list[tuple[Any, ...]] = []
    for part in _parts(wanted):
        text = statement.replace("{among}", keys.among(alias, len(part)))
        found += tx.rows(text, keys.parameters(part))
    return found


def _parts(wanted: list[bytes]) -> Iterable[list[bytes]]:
    starts = range(0, len(wanted), KEYS_A_STATEMENT)
    return (wanted[start : start + KEYS_A_STATEMENT] for start in starts)
