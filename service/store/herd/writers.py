"""Who wrote what was put aside, and what stands in its place: as far as the changelogs tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from records.stamps import NEVER, Version
from service.herd.planning.plan import Plan
from service.herd.shapes import Place
from service.herd.vectors import Vector
from service.store.herd.places import Tables
from service.store.herd.unseen import entries_above
from service.store.transaction import Transaction

Writers: TypeAlias = Mapping[tuple[Place, Version], str]
"""By whom a version of a row was written."""

UNKNOWN: Writers = {}
"""Nothing is known of anybody."""


def writers_of(tx: Transaction, tables: Tables, made: Plan, covers: Vector | None) -> Writers:
    """The writers of what a plan puts aside, and of what it keeps there.

    Those of the sender's writes came with its entries. Of this node's the changelog is asked above
    `covers`, the sender's vector: what the sender had seen is no conflict, and to look for it would
    go through the whole changelog. None: nobody sent anything.
    """
    wanted = {
        (entry.place, version)
        for entry in made.journal
        for loss in entry.losses
        for version in (loss.version, loss.kept_version)
        if version != NEVER
    }
    if not wanted:
        return UNKNOWN
    told = {(entry.place, entry.version): entry.writer for entry in (*made.kept, *made.noted)}
    missing = {place for place, _version in wanted - told.keys()}
    if covers is not None and missing:
        for place, _kind, version, writer in entries_above(tx, tables, covers, missing):
            told[place, version] = writer
    return {one: told[one] for one in wanted & told.keys()}
