"""A node gets a new origin, as `service.store.herd.renewing` does it on tables."""

from __future__ import annotations

from service.simulation.durable import FIRST_ORIGIN, MOST_NODES, DurableNode


def draw(node: DurableNode) -> None:
    """Give a node an origin that nobody ever had.

    What it wrote under its former one, above what siblings surely have, becomes its own: siblings
    may know something else under these positions, or nothing.
    """
    tables, former = node.tables, node.origin
    node.drawn += 1
    node.origin = FIRST_ORIGIN + node.number + MOST_NODES * node.drawn
    node.expected, node.doubtful = frozenset(), False
    told = (vector.get(former, 0) for vector in node.siblings.values())
    sure = min(node.vector[former], max((tables.floors().get(former, 0), *told)))
    node.vector = {**node.vector, former: sure, node.origin: 0}
    node.claim([*tables.take_out(former, sure), *tables.unsealed])
