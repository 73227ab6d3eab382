"""Puts capture on a table and takes it off; each may be repeated, also after it was cut short.

While a capture is replaced, the new triggers are made before the old ones go: for a moment a change
may be noted twice, but none is ever missed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, text
from sqlalchemy.dialects import mysql

from schema.capture.catalogue import TRIGGER_SETTINGS, FoundTrigger, columns_of, triggers_in
from schema.capture.columns import DEFINITIONS
from schema.capture.quoting import literal, quoted
from schema.capture.shape import Capture
from schema.capture.triggers import Trigger, triggers_of
from schema.errors import SchemaError
from schema.system import captured_tables, node_identity

_BIRTHS = {("BEFORE", "INSERT"), ("AFTER", "INSERT")}
_RELEASED = "herdbook_released_"


def install(connection: Connection, capture: Capture) -> None:
    """Capture a table as described, whatever was captured of it before. Commits."""
    definer = str(connection.scalar(text("SELECT CURRENT_USER()")))
    wanted = {
        trigger.name: trigger for trigger in triggers_of(capture, origin_of(connection), definer)
    }
    _add_columns(connection, capture.table)
    found = {trigger.name: trigger for trigger in _ours_on(connection, capture.table)}
    others = {
        name
        for name, trigger in wanted.items()
        if name in found and _is_another(found[name], trigger)
    }
    # Whatever came past the triggers until now is looked for once they are there.
    good = [trigger for name, trigger in found.items() if name not in others]
    watched = {(trigger.timing, trigger.event) for trigger in good} >= _BIRTHS
    adopted = watched and _was_adopted(connection, capture.table)
    _note(connection, capture, definer, adopted=adopted)
    with _trigger_settings(connection):
        for name, trigger in wanted.items():
            if name in others:
                _replace(connection, trigger, found.keys())
            elif name not in found:
                run(connection, trigger.statement)
    _drop_triggers(connection, found.keys() - wanted.keys())
    connection.commit()


def _is_another(found: FoundTrigger, wanted: Trigger) -> bool:
    """Whether it is not the trigger whose name it has."""
    return found.differs_from(wanted) or found.definer not in ("", wanted.definer)


def _replace(connection: Connection, trigger: Trigger, there: Iterable[str]) -> None:
    """Put a trigger where another one has its name; one that stands in sees what is written."""
    if trigger.stand_in not in there:
        run(connection, trigger.named(trigger.stand_in))
    _drop_triggers(connection, [trigger.name])
    run(connection, trigger.statement)
    _drop_triggers(connection, [trigger.stand_in])


def release(connection: Connection, table: str) -> None:
    """Capture a table no longer; its invisible columns go. Commits."""
    _drop_triggers(connection, (trigger.name for trigger in _ours_on(connection, table)))
    there = columns_of(connection).get(table, set())
    present = [name for name in DEFINITIONS if name in there]
    if present:
        drops = ", ".join(f"DROP COLUMN `{name}`" for name in present)
        run(connection, f"ALTER TABLE {quoted(table)} {drops}")
    for statement in forgetting_statements(table):
        run(connection, statement)
    connection.commit()


def forgetting_statements(table: str) -> list[str]:
    """The SQL that notes a table as released.

    What was captured of it is kept under a name that no table has: a number that entries of the
    changelog name is not given to another column, also if the table is captured once more.
    """
    released = _released_name(table)
    name = captured_tables.name
    return [
        f"REPLACE INTO {name} (table_name, description, definer, adopted) SELECT '{released}', "
        f"description, '', 1 FROM {name} WHERE table_name = {literal(table)}",
        f"DELETE FROM {name} WHERE table_name = {literal(table)}",
    ]


def _released_name(table: str) -> str:
    return _RELEASED + hashlib.sha256(table.encode()).hexdigest()[:32]


def numbered_in(connection: Connection) -> Mapping[str, Capture]:
    """What was ever captured, by table: the numbers of its columns are not given to others."""
    rows = list(connection.execute(captured_tables.select()))
    # What is captured now counts more than what was before its release.
    rows.sort(key=lambda row: not row.table_name.startswith(_RELEASED))
    found: dict[str, Capture] = {}
    for row in rows:
        capture = Capture.from_plain(json.loads(row.description))
        before = found.get(capture.table, capture)
        last = max(before.last_number, capture.last_number)
        found[capture.table] = replace(capture, last_number=last)
    return found


def captures_in(connection: Connection) -> dict[str, Capture]:
    """What is captured according to the database, by table."""
    return {table: capture for table, (capture, _definer) in recorded_in(connection).items()}


def recorded_in(connection: Connection) -> dict[str, tuple[Capture, str]]:
    """The same with the definers of the triggers."""
    return {
        row.table_name: (Capture.from_plain(json.loads(row.description)), row.definer)
        for row in connection.execute(captured_tables.select())
        if not row.table_name.startswith(_RELEASED)
    }


def origin_of(connection: Connection) -> int:
    """The origin of this database; raises SchemaError where it has none yet."""
    origin = connection.scalar(node_identity.select().with_only_columns(node_identity.c.origin))
    if origin is None:
        raise SchemaError("The database has no origin yet.", "Run `herdbook schema upgrade` first.")
    return int(origin)


def run(connection: Connection, statement: str) -> None:
    """Run a statement as it is written: a % in it is no mark for a parameter."""
    connection.exec_driver_sql(statement.replace("%", "%%"))


def description_of(capture: Capture) -> str:
    """A capture as the database keeps it."""
    return json.dumps(capture.as_plain(), ensure_ascii=False)


def _add_columns(connection: Connection, table: str) -> None:
    present = columns_of(connection).get(table, set())
    missing = [name for name in DEFINITIONS if name not in present]
    if missing:
        adds = ", ".join(f"ADD COLUMN `{name}` {DEFINITIONS[name]}" for name in missing)
        run(connection, f"ALTER TABLE {quoted(table)} {adds}")


def _ours_on(connection: Connection, table: str) -> Iterator[FoundTrigger]:
    """Our triggers on a table, of whatever release."""
    found = triggers_in(connection)
    return (trigger for trigger in found if trigger.is_ours and trigger.table == table)


def _drop_triggers(connection: Connection, names: Iterable[str]) -> None:
    for name in sorted(names):
        run(connection, f"DROP TRIGGER IF EXISTS {quoted(name)}")


@contextmanager
def _trigger_settings(connection: Connection) -> Iterator[None]:
    """Triggers made inside have their own settings; the session's come back afterwards."""
    query = "SELECT @@SESSION.sql_mode, @@SESSION.collation_connection"
    mode, collation = connection.execute(text(query)).one()
    _set_session(connection, TRIGGER_SETTINGS[0], TRIGGER_SETTINGS[2])
    try:
        yield
    finally:
        # A connection that was lost takes its settings along.
        if not connection.invalidated:
            _set_session(connection, mode, collation)


def _set_session(connection: Connection, mode: str, collation: str) -> None:
    connection.exec_driver_sql("SET SESSION sql_mode = %s", (mode,))
    connection.exec_driver_sql(f"SET NAMES utf8mb4 COLLATE {collation}")


def _was_adopted(connection: Connection, table: str) -> bool:
    known = captured_tables.c
    query = captured_tables.select().with_only_columns(known.adopted)
    return bool(connection.scalar(query.where(known.table_name == table)))


def _note(connection: Connection, capture: Capture, definer: str, *, adopted: bool) -> None:
    """Write down what is captured, and whose rights the triggers have."""
    values = {
        "table_name": capture.table,
        "description": description_of(capture),
        "definer": definer,
        "adopted": adopted,
    }
    insert = mysql.insert(captured_tables).values(values)
    connection.execute(insert.on_duplicate_key_update(**values))
    released = captured_tables.c.table_name == _released_name(capture.table)
    connection.execute(captured_tables.delete().where(released))
    connection.commit()
