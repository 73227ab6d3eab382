"""How far a node may forget, as `service.store.herd.floors` and `service.store.retention` do it."""

from __future__ import annotations

from collections.abc import Collection

from service.herd.link_stream import Stream
from service.herd.vectors import includes
from service.simulation.durable import DurableNode


def note(node: DurableNode, streams: Collection[Stream]) -> None:
    """Remember what the siblings that are linked now surely have."""
    node.siblings.update((stream.peer.origin, stream.theirs) for stream in streams)


def prune(node: DurableNode, most: int) -> int:
    """Forget the oldest entries that no sibling needs; how many they were."""
    active = [
        (sibling, has) for sibling, has in node.siblings.items() if sibling not in node.retired
    ]
    if not all(includes(node.vector, has) for _sibling, has in active):
        return 0

    def may_go(origin: int, at: int) -> bool:
        if origin != node.origin and at > node.vector.get(origin, 0):
            return False
        return all(at <= has.get(origin, 0) for sibling, has in active if sibling != origin)

    return node.tables.prune_oldest(most, may_go)
