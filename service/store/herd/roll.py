"""All nodes of the herd, as their records tell where they are."""

from __future__ import annotations

from uuid import UUID

from service.herd.link_urls import endpoint_in
from service.herd.topology import Member, Roll
from service.store.transaction import Transaction

_OWN = "SELECT `record` FROM `herdbook_node` WHERE `record` IS NOT NULL"
_ALL = "SELECT `id`, `origin`, `site`, `weight`, `state`, `urls` FROM `herdbook_herd_node`"


def roll(tx: Transaction) -> Roll:
    """The nodes that this one knows; none where the catalogue has no such class."""
    if "node" not in tx.catalogue.records:
        return Roll()
    kind = tx.catalogue.records["node"].fields["urls"].kind
    members = [
        Member(
            str(UUID(bytes=raw)),
            None if origin is None else int(origin),
            str(site or ""),
            int(weight),
            str(state),
            None if urls is None else endpoint_in(kind.from_database(urls)),
        )
        for raw, origin, site, weight, state, urls in tx.rows(_ALL)
    ]
    own = next((str(UUID(bytes=raw)) for (raw,) in tx.rows(_OWN)), None)
    return Roll(tuple(members), own)
