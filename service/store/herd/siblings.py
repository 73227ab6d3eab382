"""The siblings that were ever met, and what each of them surely has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from schema.capture.triggers import NOW
from service.herd.port import Sibling
from service.herd.retirement import Retired, retired_among
from service.herd.vectors import Vector
from service.store.transaction import Transaction

ACTIVE, RETIRED = "active", "retired"
"""What a sibling is: one that is waited for, or one that is not expected to come back."""

_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(dict[int, int]).decode

_NOTE = (
    "INSERT INTO `herdbook_sibling` (`origin`, `name`, `acknowledged`, `met_at`, `seen_at`) "
    f"VALUES (?, ?, ?, {NOW}, {NOW}) ON DUPLICATE KEY UPDATE `name` = VALUES(`name`), "
    "`acknowledged` = VALUES(`acknowledged`), `seen_at` = VALUES(`seen_at`)"
)


class Known(NamedTuple):
    """A sibling as it was noted last; moments are in microseconds since 1970, UTC."""

    sibling: Sibling
    state: str
    met_at: int
    seen_at: int


def note(tx: Transaction, siblings: Sequence[Sibling]) -> None:
    """Remember what siblings were last known to have, and that they were met now."""
    # In one order, so that two who note do not wait for each other.
    for one in sorted(siblings, key=lambda sibling: sibling.origin):
        tx.execute(_NOTE, (one.origin, one.name, packed(one.vector)))


def known(tx: Transaction) -> tuple[Known, ...]:
    """All siblings that were ever noted, by origin."""
    found = tx.rows(
        "SELECT `origin`, `name`, `acknowledged`, `state`, `met_at`, `seen_at` "
        "FROM `herdbook_sibling` ORDER BY `origin`"
    )
    return tuple(
        Known(Sibling(origin, name, _decode(raw)), state, met_at, seen_at)
        for origin, name, raw, state, met_at, seen_at in found
    )


def retire(tx: Transaction, origin: int) -> None:
    """Wait no longer for what a sibling acknowledges."""
    statement = "UPDATE `herdbook_sibling` SET `state` = ? WHERE `origin` = ?"
    tx.execute(statement, (RETIRED, origin))


def readmit(tx: Transaction, origin: int) -> None:
    """Wait again for what a sibling acknowledges, from now on."""
    statement = "UPDATE `herdbook_sibling` SET `state` = ? WHERE `origin` = ?"
    tx.execute(statement, (ACTIVE, origin))


def retired(tx: Transaction) -> Retired:
    """Who is retired here."""
    found = tx.rows("SELECT `origin`, `name`, `state` FROM `herdbook_sibling`")
    return retired_among((int(origin), name, state == RETIRED) for origin, name, state in found)


def packed(vector: Vector) -> bytes:
    """A vector as it is kept."""
    return _encode(dict(vector))
