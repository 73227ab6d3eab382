"""A node's own `Node` record: written when it starts, and when it has got another origin.

It is an ordinary write: captured, sealed, told to siblings. Where nothing differs nothing is
written. A record that somebody deletes stays deleted until the node starts again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from functools import partial
from typing import Any
from uuid import UUID

from records.values import RecordInfo
from service.herd.own_record import Create, Found, Keep, Leave, settle
from service.methods.caller import Caller, calling
from service.store import writer
from service.store.threads import Lane
from service.store.transaction import Transaction
from service.store.watch import Clock

_log = logging.getLogger(__name__)

_SELF = Caller("herdbook")
"""Who writes it, in the changelog."""

_TAKEN = (
    "another node of the herd is called %s (origin %s): give this one another name in [node] name, "
    "and start it again"
)

_LOCKED = "SELECT `origin`, `record` FROM `herdbook_node` WHERE `only` = 1 FOR UPDATE"
_ORIGIN = "SELECT `origin` FROM `herdbook_node` WHERE `only` = 1"
_BY_ID = "SELECT `id`, `name`, `origin` FROM `herdbook_herd_node` WHERE `id` = ? FOR UPDATE"
_BY_NAME = "SELECT `id`, `name`, `origin` FROM `herdbook_herd_node` WHERE `name` = ? FOR UPDATE"
_REMEMBER = "UPDATE `herdbook_node` SET `record` = ? WHERE `only` = 1"


class OwnNode:
    """Keeps the record of the node, called `name`, while it runs."""

    def __init__(self, name: str, reading: Lane, writing: Lane, clock: Clock, every: float) -> None:
        self._name = name
        self._reading = reading
        self._writing = writing
        self._clock = clock
        self._every = every
        self._origin: int | None = None
        self._stopped = False
        self._next: Any = None

    def keep(self) -> Awaitable[None]:
        """Write what differs. What goes wrong is told to the log, and tried again later."""
        with calling(_SELF):
            kept = self._writing.run(partial(keep, name=self._name))
        return kept.addCallbacks(self._kept, self._failed)

    def start(self) -> None:
        """Look after a while, and then again and again, whether there is another origin."""
        if not self._stopped:
            self._next = self._clock.callLater(self._every, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self) -> None:
        self._next = None
        looked = self._reading.run(lambda tx: int(tx.rows(_ORIGIN)[0][0]))
        looked.addCallbacks(self._seen, lambda _failure: self.start())

    def _seen(self, origin: int) -> None:
        """Keep the record where there is another origin, or it could not be written yet."""
        if origin == self._origin or self._stopped:
            self.start()
            return
        kept: Any = self.keep()
        kept.addCallback(lambda _nothing: self.start())

    def _kept(self, told: tuple[int, int | str | None]) -> None:
        self._origin, taken = told
        if taken is not None:
            _log.warning(_TAKEN, self._name, taken)

    def _failed(self, failure: Any) -> None:
        if not self._stopped:
            _log.warning("the record of this node cannot be written: %s", failure.value)


def keep(tx: Transaction, name: str) -> tuple[int, int | str | None]:
    """Write what differs; the node's origin, and the origin of another node that has its name.

    None where its name is its own, "unknown" where the other one's origin is not known.
    """
    record = tx.catalogue.records["node"]
    ((origin, remembered),) = tx.rows(_LOCKED)
    by_id = None if remembered is None else _found(record, tx.rows(_BY_ID, (remembered,)))
    decision = settle(name, origin, by_id, _found(record, tx.rows(_BY_NAME, (name,))))
    if isinstance(decision, Leave):
        return int(origin), _taken(decision.taken)
    own = _created(tx, record, name, origin) if isinstance(decision, Create) else decision.found.id
    if isinstance(decision, Keep) and decision.changes:
        writer.update(tx, record, [((own,), dict(decision.changes))])
    raw = record.fields["id"].kind.to_database(own)
    if raw != remembered:
        tx.execute(_REMEMBER, (raw,))
    taken = decision.taken if isinstance(decision, Keep) else None
    return int(origin), None if taken is None else _taken(taken)


def _taken(found: Found) -> int | str:
    return "unknown" if found.origin is None else found.origin


def _created(tx: Transaction, record: RecordInfo, name: str, origin: int) -> UUID:
    """A new record of a node; its id."""
    row = {each: info.new_value() for each, info in record.fields.items()}
    row |= {"name": name, "origin": origin}
    writer.insert(tx, record, [row])
    identity: UUID = row["id"]
    return identity


def _found(record: RecordInfo, rows: list[tuple[Any, ...]]) -> Found | None:
    """The record in a row of the driver's, if there is one."""
    for raw, name, origin in rows:
        known = None if origin is None else int(origin)
        return Found(record.fields["id"].kind.from_database(raw), str(name), known)
    return None
