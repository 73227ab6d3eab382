"""Who is retired by his record, where its `state` is `retired`: on every node that gets it.

What a record says is taken down among the siblings once, and stays there: a node that is retired
may write its own record anew, and who hears of that by detours must not let it in again. Only
`herdbook herd readmit` does, on each node.
"""

from __future__ import annotations

from service.herd.port import Sibling
from service.herd.retirement import Retired, retired_among, unheeded
from service.store.herd import siblings
from service.store.transaction import Transaction

_SAID = (
    "SELECT n.`origin`, n.`name` FROM `herdbook_herd_node` AS n WHERE n.`state` = 'retired' "
    "AND n.`origin` IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `herdbook_node` AS own "
    "WHERE own.`origin` = n.`origin` OR own.`record` = n.`id`)"
)
_SAY = "UPDATE `herdbook_herd_node` SET `state` = ? WHERE `origin` = ? AND `state` {0} 'retired'"
_SAY_OF_NAME = (
    "UPDATE `herdbook_herd_node` SET `state` = ? WHERE `name` = ? AND `state` = 'retired'"
)

Named = tuple[int, str]
"""An origin and a name."""


def retired_by_now(tx: Transaction) -> tuple[Retired, tuple[Named, ...]]:
    """Who is retired here or by his record; and of these, who is not retired here yet."""
    known = siblings.standings(tx)
    # A herd whose catalogue has no such class has no such table either.
    said = _said(tx, _SAID) if "node" in tx.catalogue.records else []
    news = unheeded(known, said)
    added = dict(news)
    then = [(origin, name, gone or origin in added) for origin, name, gone in known]
    # One that was renamed since it was met may have certificates for both names.
    return retired_among([*then, *((*each, True) for each in (*said, *news))]), news


def heed(tx: Transaction) -> tuple[Named, ...]:
    """Retire here whom the records say to retire; the origins and names that are retired since."""
    # Locked, so that somebody who is taken back meanwhile is not retired again.
    news = unheeded(siblings.standings(tx), _said(tx, f"{_SAID} FOR UPDATE"))
    for origin, name in news:
        siblings.retire(tx, Sibling(origin, name, {}))
    return news


def retire_everywhere(tx: Transaction, sibling: Sibling) -> bool:
    """Retire a sibling here and, by its record, on all nodes; False: no record has its origin.

    Then it is retired here only: the node that it was goes on under another origin. The record is
    captured if the session's triggers do, which those of a session that applies deltas do not.
    """
    has_record = siblings.has_nodes(tx)
    if has_record:
        tx.execute(_SAY.format("<>"), ("retired", sibling.origin))
        has_record = sibling.origin in dict(_said(tx, _SAID))
    siblings.retire(tx, sibling)
    if has_record:
        heed(tx)
    return has_record


def readmit_here(tx: Transaction, origin: int) -> None:
    """Take a sibling back on this node; its record says no more that it is retired.

    Nor does that of its name, which may have another origin by now: it would be retired again.
    """
    if siblings.has_nodes(tx):
        tx.execute(_SAY.format("="), ("active", origin))
        for name in [name for one, name, _gone in siblings.standings(tx) if one == origin]:
            tx.execute(_SAY_OF_NAME, ("active", name))
    siblings.readmit(tx, origin)


def _said(tx: Transaction, query: str) -> list[Named]:
    """The nodes that are retired by their records, but not this one."""
    return [(int(origin), str(name)) for origin, name in tx.rows(query)]
