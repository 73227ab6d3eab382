"""The siblings that were ever met, and what each of them surely has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from schema.capture.triggers import NOW
from service.herd.peers import Network
from service.herd.port import Sibling
from service.herd.retirement import Retired, retired_among
from service.herd.vectors import Vector
from service.store.blocks import block_of
from service.store.transaction import Transaction

ACTIVE, RETIRED = "active", "retired"
"""What a sibling is: one that is waited for, or one that is not expected to come back."""
UNMET = "never met"
"""A node of the herd that is known from its own record only, and stands nowhere here."""

_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(dict[int, int]).decode

_NOTE = (
    "INSERT INTO `herdbook_sibling` (`origin`, `name`, `acknowledged`, `met_at`, `seen_at`) "
    f"VALUES (?, ?, ?, {NOW}, {NOW}) ON DUPLICATE KEY UPDATE `name` = VALUES(`name`), "
    "`acknowledged` = VALUES(`acknowledged`), `seen_at` = VALUES(`seen_at`), "
    "`met_at` = IF(`met_at` = 0, VALUES(`met_at`), `met_at`)"
)
_RETIRE = (
    "INSERT INTO `herdbook_sibling` "
    "(`origin`, `name`, `state`, `acknowledged`, `met_at`, `seen_at`) VALUES (?, ?, ?, ?, 0, 0) "
    "ON DUPLICATE KEY UPDATE `state` = VALUES(`state`)"
)
_HAS_NODES = (
    "SELECT 1 FROM `information_schema`.`tables` "
    "WHERE `table_schema` = DATABASE() AND `table_name` = 'herdbook_herd_node'"
)
_UNMET = (
    "SELECT `origin`, `name` FROM `herdbook_herd_node` WHERE `origin` IS NOT NULL "
    "AND `origin` NOT IN (SELECT `origin` FROM `herdbook_sibling`) "
    "AND `origin` NOT IN (SELECT `origin` FROM `herdbook_node`) ORDER BY `origin`"
)
_PEERS = (
    "SELECT n.`name`, r.`cidr` FROM `herdbook_herd_range` AS r "
    "JOIN `herdbook_herd_node` AS n ON n.`id` = r.`node_id` WHERE r.`purpose` = 'peers' "
    "ORDER BY n.`name`, r.`cidr`"
)


class Known(NamedTuple):
    """A sibling as it was noted last; moments are in microseconds since 1970, UTC.

    Of one that was retired before it was ever met both are 0.
    """

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


def unmet(tx: Transaction) -> tuple[Known, ...]:
    """The nodes of the herd that say of themselves who they are, and were never met, by origin."""
    found = tx.rows(_UNMET) if has_nodes(tx) else []
    return tuple(Known(Sibling(int(origin), name, {}), UNMET, 0, 0) for origin, name in found)


def retire(tx: Transaction, sibling: Sibling) -> None:
    """Wait no longer for what a sibling acknowledges; one that was never met is noted for it."""
    tx.execute(_RETIRE, (sibling.origin, sibling.name, RETIRED, packed({})))


def readmit(tx: Transaction, origin: int) -> None:
    """Wait again for what a sibling acknowledges, from now on; or, if it was never met, forget it.

    Nobody waits for who was never met.
    """
    tx.execute("DELETE FROM `herdbook_sibling` WHERE `origin` = ? AND `met_at` = 0", (origin,))
    statement = "UPDATE `herdbook_sibling` SET `state` = ? WHERE `origin` = ?"
    tx.execute(statement, (ACTIVE, origin))


def retired(tx: Transaction) -> Retired:
    """Who is retired here."""
    return retired_among(standings(tx))


def standings(tx: Transaction) -> list[tuple[int, str, bool]]:
    """Each sibling's origin and name, and whether it is retired here."""
    found = tx.rows("SELECT `origin`, `name`, `state` FROM `herdbook_sibling`")
    return [(int(origin), str(name), state == RETIRED) for origin, name, state in found]


def has_nodes(tx: Transaction) -> bool:
    """Whether the database has the records of nodes: one that is not upgraded yet has none."""
    return bool(tx.rows(_HAS_NODES))


def peers(tx: Transaction) -> dict[str, tuple[Network, ...]]:
    """The blocks from which links of each node come, by its name, where it has any."""
    found: dict[str, list[Network]] = {}
    # A herd whose catalogue has no such class has no such table either.
    for name, raw in tx.rows(_PEERS) if "range" in tx.catalogue.records else ():
        block = block_of(raw)
        network = Network(block.family, block.first, block.last)
        found.setdefault(str(name), []).append(network)
    return {name: tuple(blocks) for name, blocks in found.items()}


def packed(vector: Vector) -> bytes:
    """A vector as it is kept."""
    return _encode(dict(vector))
