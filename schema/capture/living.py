"""Which keys are thought to live, by what was noted of them, and are not in their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from schema.capture.gone_keys import GoneKeys, Trace
from schema.capture.shape import Capture
from schema.capture.table_keys import TableKeys
from schema.capture.triggers import TRIGGER_MODE
from schema.system import changelog, inbox

ENTRIES_A_READ = 1_000
_NEEDED = ("table_name", "row_key", "kind", "life", "stamp")


def find_gone(connection: Connection, captures: Mapping[str, Capture], gone: GoneKeys) -> None:
    """Walk through what was noted of these tables, on a connection of its own.

    `gone` has afterwards the keys that are thought to live and are not in their tables.
    """
    connection.exec_driver_sql("SET SESSION sql_mode = %s", (TRIGGER_MODE,))
    keys = {name: TableKeys(connection, capture) for name, capture in captures.items()}
    connection.rollback()
    # All of it is one transaction: entries that are sealed meanwhile are met once.
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    for log in (changelog, inbox):
        _walk(connection, log, keys, gone)
    connection.rollback()


def _walk(
    connection: Connection, log: Table, keys: Mapping[str, TableKeys], gone: GoneKeys
) -> None:
    """Walk through one of the two."""
    number, columns = next(iter(log.primary_key.columns)), log.c
    query = (
        select(number, *(columns[name] for name in _NEEDED))
        .where(columns.table_name.in_(keys))
        .order_by(number)
        .limit(ENTRIES_A_READ)
    )
    after = 0
    while entries := connection.execute(query.where(number > after)).all():
        after = entries[-1][0]
        for name, some in _by_table(entries).items():
            _take_in(name, keys[name], _ends(some, sealed=log is changelog), gone)


def _by_table(entries: Sequence[Any]) -> dict[str, list[Any]]:
    """The entries of each table, in their order."""
    found: dict[str, list[Any]] = {}
    for entry in entries:
        found.setdefault(entry.table_name, []).append(entry)
    return found


def _ends(entries: Sequence[Any], *, sealed: bool) -> dict[bytes, tuple[bool, Trace | None]]:
    """How some entries leave each key: whether they tell of a death, and what came after it."""
    ends: dict[bytes, tuple[bool, Trace | None]] = {}
    for entry in entries:
        key = bytes(entry.row_key)
        died, known = ends.get(key, (False, None))
        if entry.kind == "delete":
            ends[key] = True, None
        else:
            trace = Trace(entry.life, entry.stamp, sealed)
            ends[key] = died, trace if known is None else known.later(trace)
    return ends


def _take_in(
    table: str, keys: TableKeys, ends: Mapping[bytes, tuple[bool, Trace | None]], gone: GoneKeys
) -> None:
    """Forget who was seen to die, and keep those that are thought to live and have no row."""
    gone.forget(table, (key for key, (died, _trace) in ends.items() if died))
    kept: dict[bytes, Trace] = {}
    fresh: dict[bytes, Trace] = {}
    for key, (_died, trace) in ends.items():
        known = gone.trace(table, key)
        if trace is not None and known is not None:
            kept[key] = known.later(trace)
        elif trace is not None:
            fresh[key] = trace
    found = keys.look(fresh)
    for key in found.absent:
        trace = fresh[key]
        dead = found.dead[key].life if key in found.dead else 0
        kept[key] = Trace(trace.life, trace.stamp, trace.sealed, dead)
    gone.keep(table, kept)
