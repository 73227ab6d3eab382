"""`herdbook verify --repair`: rows that differ are merged on both nodes.

First B takes in what A has, then A what B has come to. Each merges as it would a delta, so it does
not matter which of the two has the later versions. Where both have one version and two values, one
of them is damaged, and nothing tells which: A's value stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from service.cli.verify_node import AskedNode
from service.cli.verify_tables import Found, Pair, parts

KEYS_A_CALL = 100
BYTES_A_CALL = 4 * 1024 * 1024
"""Half of what a node takes in one call unless it is told otherwise."""


class Repaired(NamedTuple):
    """What a repair came to.

    `rows` are those that were sent; `left` those that were not: a node cannot read them, or never
    captured them, so that `schema recapture` has to adopt them. `held` were not taken.
    """

    rows: int
    left: int
    held: int


def repair(pair: Pair, tables: Iterable[Found], advance: Callable[[], object]) -> Repaired:
    """Send what differs to where it differs; raises CommandFailed where a node refuses."""
    sent = left = held = 0
    for found in tables:
        keys = [one.key for one in found.differences if not one.unsendable]
        left += len(found.differences) - len(keys)
        for some in parts(keys, KEYS_A_CALL):
            held += _send(found.table, some, pair.ours, pair.theirs)
            held += _send(found.table, some, pair.theirs, pair.ours)
            sent += len(some)
        advance()
    return Repaired(sent, left, held)


def _send(table: str, keys: Sequence[str], source: AskedNode, target: AskedNode) -> int:
    """Let one node take in rows of the other; how many its database did not take."""
    rows = [row for row in source.fetch(table, keys) if row is not None]
    return sum(target.mend(some).held for some in _by_size(rows))


def _by_size(rows: Iterable[str]) -> Iterator[list[str]]:
    """Rows that together are not too large for a call."""
    some: list[str] = []
    size = 0
    for row in rows:
        if some and size + len(row) > BYTES_A_CALL:
            yield some
            some, size = [], 0
        some.append(row)
        size += len(row)
    if some:
        yield some
