"""One look at the triggers of capture over a connection of the node's: the tables that lack some.

A node that starts looks more closely (`schema.migrator`): there, triggers of another release count
as stale. Here they do not. They note every change, and while one release takes the place of
another, nodes of both run on one database. A trigger that this account may not see is found by its
name only. While somebody migrates the database, nothing is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from MySQLdb import Error as DriverError

from schema.capture.audit import Captured, without_all
from schema.capture.catalogue import (
    NO_SUCH_TRIGGER,
    TRIGGER_HIDDEN,
    TRIGGER_QUERY,
    FoundTrigger,
)
from schema.capture.shape import Capture
from schema.capture.triggers import Trigger, triggers_of
from schema.lock import lock_name
from service.store import sql
from service.store.database import error_number
from service.store.transaction import Transaction

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
_NOTED = "SELECT table_name, description, definer FROM herdbook_capture"
_ORIGIN = "SELECT origin FROM herdbook_node"


def unguarded_tables(tx: Transaction) -> tuple[str, ...] | None:
    """The tables whose changes escape, by name: a trigger is missing, or was changed by hand.

    These are tables that are noted as captured, and those of record classes that are not. None
    while the schema is migrated: a new table has no triggers until all of them are made.
    """
    if is_migrated(tx):
        return None
    there = {str(name) for (name,) in tx.rows(_TABLES)}
    noted = list(_captured(tx, there))
    declared = {record.table for record in tx.catalogue.records.values()}
    released = (declared & there) - {one.table for one in noted}
    return tuple(sorted({*without_all(noted), *released}))


def is_migrated(tx: Transaction) -> bool:
    """Whether somebody holds the migration lock of this database."""
    ((database,),) = tx.rows("SELECT DATABASE()")
    ((holder,),) = tx.rows("SELECT IS_USED_LOCK(?)", (lock_name(str(database)),))
    return holder is not None


def _captured(tx: Transaction, there: Iterable[str]) -> Iterator[Captured]:
    """The captured tables that are there, with the triggers that this account is shown."""
    ((origin,),) = tx.rows(_ORIGIN)
    shown: dict[str, list[FoundTrigger]] = {}
    for trigger in map(FoundTrigger.read, tx.rows(TRIGGER_QUERY)):
        shown.setdefault(trigger.table, []).append(trigger)
    for name, description, definer in tx.rows(_NOTED):
        capture, wanted = _noted(str(description), str(definer), int(origin))
        # A table that was released is kept under a name that is not its own.
        if capture.table == name and name in there:
            found = tuple(shown.get(name, ()))
            unseen = wanted.keys() - {trigger.name for trigger in found}
            hidden = frozenset(made for made in sorted(unseen) if _is_hidden(tx, made))
            yield Captured(capture, str(definer), wanted, found, hidden)


@lru_cache(maxsize=1024)
def _noted(description: str, definer: str, origin: int) -> tuple[Capture, Mapping[str, Trigger]]:
    """What is captured of a table, and the triggers for it by name; made once, looked at often."""
    capture = Capture.from_plain(json.loads(description))
    wanted = {made.name: made for made in triggers_of(capture, origin, definer)}
    return capture, MappingProxyType(wanted)


def _is_hidden(tx: Transaction, name: str) -> bool:
    """Whether there is such a trigger, which this account may not see."""
    try:
        tx.rows(f"SHOW CREATE TRIGGER {sql.quoted(name)}")
    except DriverError as error:
        if error_number(error) in TRIGGER_HIDDEN:
            return True
        if error_number(error) == NO_SUCH_TRIGGER:
            return False
        raise
    # It was made since the triggers were read.
    return True
