"""A node's own `Node` record: written when it starts, has got another origin or certificate.

It is an ordinary write: captured, sealed, told to siblings. Where nothing differs nothing is
written. A record that somebody deletes stays deleted until the node starts again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from records.values import RecordInfo
from service.herd.link_urls import with_link
from service.herd.own_record import Create, Found, Itself, Keep, Leave, settle
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
_NODES = "SELECT `id`, `name`, `origin`, `fingerprint` FROM `herdbook_herd_node`"
_BY_ID = f"{_NODES} WHERE `id` = ? FOR UPDATE"
_BY_NAME = f"{_NODES} WHERE `name` = ? FOR UPDATE"
_URLS = "SELECT `urls` FROM `herdbook_herd_node` WHERE `id` = ? FOR UPDATE"
_STATE = (
    "SELECT `n`.`id`, `n`.`state` FROM `herdbook_node` AS `h` "
    "JOIN `herdbook_herd_node` AS `n` ON `n`.`id` = `h`.`record` WHERE `h`.`only` = 1"
)
_JOINED = (
    "SELECT `origin` FROM `herdbook_herd_node` WHERE `origin` IS NOT NULL AND `state` <> 'joining'"
)
_REMEMBER = "UPDATE `herdbook_node` SET `record` = ? WHERE `only` = 1"


class Told(NamedTuple):
    """What a node tells of itself beside its origin; `state` is that of a record that is new.

    `fingerprint` is asked for the one of the certificate that counts now. `link_url` is where it
    takes links; None: what its record says of that is left as it is.
    """

    name: str
    fingerprint: Callable[[], str | None] = lambda: None
    state: str = "active"
    link_url: str | None = None


class OwnNode:
    """Keeps the record of the node while it runs."""

    def __init__(
        self, told: Told, reading: Lane, writing: Lane, clock: Clock, every: float
    ) -> None:
        self._told = told
        self._reading = reading
        self._writing = writing
        self._clock = clock
        self._every = every
        self._written: tuple[int, str | None] | None = None
        self._stopped = False
        self._next: Any = None

    def keep(self) -> Awaitable[None]:
        """Write what differs. What goes wrong is told to the log, and tried again later."""
        name, fingerprint = self._told.name, self._told.fingerprint()
        state, url = self._told.state, self._told.link_url
        work = partial(keep, name=name, fingerprint=fingerprint, state=state, url=url)
        with calling(_SELF):
            kept = self._writing.run(work)
        return kept.addCallbacks(partial(self._kept, fingerprint), self._failed)

    def start(self) -> None:
        """Look after a while, and then again and again, whether something differs."""
        if not self._stopped:
            self._next = self._clock.callLater(self._every, self._look)

    async def standing(self) -> str | None:
        """The state of the record, None where there is none."""
        return await self._reading.run(lambda tx: _standing(tx, _STATE)[1])

    async def joined(self) -> frozenset[int]:
        """The origins of the nodes whose records are here and do not say that they are joining."""
        return await self._reading.run(joined)

    async def arrive(self) -> None:
        """Let the record say that the node is active, if it says that it is joining."""
        await self._writing.run(arrive)

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
        """Keep the record where something differs, or it could not be written yet."""
        if (origin, self._told.fingerprint()) == self._written or self._stopped:
            self.start()
            return
        kept: Any = self.keep()
        kept.addCallback(lambda _nothing: self.start())

    def _kept(self, fingerprint: str | None, found: tuple[int, int | str | None]) -> None:
        origin, taken = found
        self._written = (origin, fingerprint)
        if taken is not None:
            _log.warning(_TAKEN, self._told.name, taken)

    def _failed(self, failure: Any) -> None:
        if not self._stopped:
            _log.warning("the record of this node cannot be written: %s", failure.value)


def keep(
    tx: Transaction,
    name: str,
    fingerprint: str | None = None,
    state: str = "active",
    url: str | None = None,
) -> tuple[int, int | str | None]:
    """Write what differs; the node's origin, and the origin of another node that has its name.

    None where its name is its own, "unknown" where the other one's origin is not known. A record
    that is new gets the `state`. `url` becomes the one of its URLs where it takes links.
    """
    record = tx.catalogue.records["node"]
    ((origin, remembered),) = tx.rows(_LOCKED)
    by_id = None if remembered is None else _found(record, tx.rows(_BY_ID, (remembered,)))
    itself = Itself(name, int(origin), fingerprint)
    decision = settle(itself, by_id, _found(record, tx.rows(_BY_NAME, (name,))))
    if isinstance(decision, Leave):
        return itself.origin, _taken(decision.taken)
    own = _created(tx, record, itself, state) if isinstance(decision, Create) else decision.found.id
    if isinstance(decision, Keep) and decision.changes:
        writer.update(tx, record, [((own,), dict(decision.changes))])
    if url is not None:
        _advertise(tx, record, own, url)
    raw = record.fields["id"].kind.to_database(own)
    if raw != remembered:
        tx.execute(_REMEMBER, (raw,))
    taken = decision.taken if isinstance(decision, Keep) else None
    return itself.origin, None if taken is None else _taken(taken)


def _advertise(tx: Transaction, record: RecordInfo, own: UUID, url: str) -> None:
    """Write where the node takes links into its record, where that differs."""
    kinds = {name: record.fields[name].kind for name in ("id", "urls")}
    ((raw,),) = tx.rows(_URLS, (kinds["id"].to_database(own),))
    before = None if raw is None else kinds["urls"].from_database(raw)
    after = with_link(before, url)
    if after != before:
        writer.update(tx, record, [((own,), {"urls": after})])


def joined(tx: Transaction) -> frozenset[int]:
    """The origins of the nodes whose records are here and do not say that they are joining."""
    return frozenset(int(origin) for (origin,) in tx.rows(_JOINED))


def arrive(tx: Transaction) -> None:
    """Let the node's record say `active`, if it says `joining`."""
    record = tx.catalogue.records["node"]
    own, state = _standing(tx, f"{_STATE} FOR UPDATE")
    if state == "joining":
        writer.update(tx, record, [((own,), {"state": "active"})])


def _standing(tx: Transaction, statement: str) -> tuple[UUID | None, str | None]:
    """Id and state of the node's own record, if there is one."""
    kind = tx.catalogue.records["node"].fields["id"].kind
    for raw, state in tx.rows(statement):
        return kind.from_database(raw), str(state)
    return None, None


def _taken(found: Found) -> int | str:
    return "unknown" if found.origin is None else found.origin


def _created(tx: Transaction, record: RecordInfo, itself: Itself, state: str) -> UUID:
    """A new record of a node; its id."""
    row = {each: info.new_value() for each, info in record.fields.items()}
    row |= {"state": state, **asdict(itself)}
    writer.insert(tx, record, [row])
    identity: UUID = row["id"]
    return identity


def _found(record: RecordInfo, rows: list[tuple[Any, ...]]) -> Found | None:
    """The record in a row of the driver's, if there is one."""
    for raw, name, origin, fingerprint in rows:
        known = None if origin is None else int(origin)
        identity = record.fields["id"].kind.from_database(raw)
        return Found(identity, str(name), known, fingerprint)
    return None
