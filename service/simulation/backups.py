"""Copies of a node's database: what a backup or a cloned disk brings back, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from records.stamps import Version
from service.herd.deltas import LogEntry
from service.herd.journal import JournalEntry
from service.herd.shapes import Place, Shapes
from service.herd.vectors import Vector
from service.simulation.durable import DurableNode
from service.simulation.memory import MemoryTables


class Backup(NamedTuple):
    """A database as it was at one moment."""

    origin: int
    shapes: Shapes
    tables: MemoryTables
    vector: dict[int, int]
    journal: tuple[JournalEntry, ...]
    siblings: Mapping[int, Vector]
    retired: frozenset[int]
    partly: Vector


def backup_of(node: DurableNode) -> Backup:
    """The database of a node as it is now."""
    return Backup(
        node.origin,
        node.shapes,
        node.tables.copied(),
        dict(node.vector),
        tuple(node.journal),
        dict(node.siblings),
        frozenset(node.retired),
        node.partly,
    )


def empty(node: DurableNode, shapes: Shapes) -> Backup:
    """A database in which nothing was ever written; the node is to draw an origin for it."""
    origin = node.origin
    return Backup(origin, shapes, MemoryTables(shapes), {origin: 0}, (), {}, frozenset(), {})


def set_back(node: DurableNode, backup: Backup) -> None:
    """A node has the database of a backup in the place of its own; a backup is used once."""
    node.origin, node.shapes, node.tables = backup.origin, backup.shapes, backup.tables
    node.vector, node.journal = dict(backup.vector), list(backup.journal)
    node.siblings, node.retired = dict(backup.siblings), set(backup.retired)
    node.partly = backup.partly


def burnt(
    node: DurableNode, backup: Backup, nodes: Sequence[DurableNode]
) -> set[tuple[Place, Version]]:
    """What nobody has any more when a node gets a backup's database in the place of its own."""
    kept = {entry._replace(position=0) for entry in backup.tables.entries()}
    others = [other for other in nodes if other is not node]
    gone = {
        (entry.place, entry.version)
        for entry in node.tables.entries()
        if entry._replace(position=0) not in kept
        and not any(_has(other, entry) for other in others)
    }
    return gone | _written_by(_pruned_alone(node, others), node)


def _pruned_alone(node: DurableNode, others: Sequence[DurableNode]) -> set[int]:
    """The origins of which a node had pruned what nobody else has."""
    return {
        origin
        for origin, floor in node.tables.floors().items()
        if all(other.vector.get(origin, 0) < floor for other in others)
    }


def _written_by(origins: Set[int], node: DurableNode) -> set[tuple[Place, Version]]:
    """What stands in a node's tables by writes of some origins."""
    return {
        (place, version)
        for place, state in node.tables.states.items()
        for column in state.values
        if (version := state.version(column)).origin in origins
    }


def _has(node: DurableNode, entry: LogEntry) -> bool:
    log = node.tables.log.get(entry.origin, {})
    within = entry.position <= node.vector.get(entry.origin, 0)
    return entry.position > 0 and (within or entry.position in log)
