"""Puts changes into an order that the servers accept.

Alembic lists changes by table. The servers want more: no foreign key to a table that is not there
yet, no table dropped that others refer to, no index dropped while a foreign key needs it, no type
changed below a foreign key. And capture names columns and tables: it is renewed after all that it
needs is there, and before anything goes that it named until then, so that no write fails between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alembic.operations import ops
from sqlalchemy import ForeignKeyConstraint, MetaData

from schema.capture.columns import GRAVEYARD_PREFIX
from schema.capture.operations import CaptureOp, ReleaseOp
from schema.changes import Operations
from schema.operations import ReplacePrimaryKeyOp

_FOREIGN_KEYS_GO, _GRAVEYARD_KEYS, _REPLACED_KEYS_GO, _RELEASED_WITH_TABLE = 0, 3, 5, 13
_RANKS: dict[type[ops.MigrateOperation], int] = {
    ops.CreateTableOp: 1,
    ops.AddColumnOp: 2,
    ops.AlterColumnOp: 4,
    ReplacePrimaryKeyOp: 6,
    # A new key comes before an old one goes: a foreign key may need either.
    ops.CreateIndexOp: 7,
    ops.CreateUniqueConstraintOp: 7,
    ops.DropIndexOp: 8,
    ops.DropConstraintOp: 8,
    CaptureOp: 9,
    ReleaseOp: 9,
    ops.DropColumnOp: 10,
    ops.CreateForeignKeyOp: 11,
    ops.DropTableOp: 12,
}


def in_order(changes: Operations, metadata: MetaData) -> Operations:
    """The changes, each where the servers accept it; `metadata` holds the declared tables."""
    replaced = _dropped_names(changes) & _made_names(changes)
    listed = [*_with_foreign_keys_apart(changes), *_released(changes, metadata)]
    gone = {change.table_name for change in changes if isinstance(change, ops.DropTableOp)}
    return sorted(listed, key=lambda change: _rank(change, replaced, gone))


def _rank(change: ops.MigrateOperation, replaced: set[tuple[str, str]], gone: set[str]) -> int:
    """A change's place, where some keys are replaced and some tables go."""
    if isinstance(change, ReleaseOp) and change.table_name in gone:
        return _RELEASED_WITH_TABLE
    if isinstance(change, ReplacePrimaryKeyOp) and change.table_name.startswith(GRAVEYARD_PREFIX):
        # It empties the graveyard, where columns of the new key may be NULL.
        return _GRAVEYARD_KEYS
    if isinstance(change, ops.DropConstraintOp) and change.constraint_type == "foreignkey":
        return _FOREIGN_KEYS_GO
    if _dropped_names([change]) & replaced:
        return _REPLACED_KEYS_GO
    return _RANKS[type(change)]


def _with_foreign_keys_apart(changes: Operations) -> Iterator[ops.MigrateOperation]:
    """The changes, and foreign keys apart from tables that refer to each other."""
    made = [change for change in changes if isinstance(change, ops.CreateTableOp)]
    gone = [change for change in changes if isinstance(change, ops.DropTableOp)]
    missing = {change.table_name for change in made}
    for change in made:
        missing.discard(change.table_name)
        late = [key for key in _foreign_keys(change) if key.use_alter or _target(key) in missing]
        # A column compared with == would become a piece of SQL.
        apart = {id(key) for key in late}
        change.columns = [part for part in change.columns if id(part) not in apart]
        yield from (ops.CreateForeignKeyOp.from_constraint(key) for key in late)
    away: set[str] = set()
    for drop in gone:
        keys = drop.to_table().foreign_key_constraints
        yield from (ops.DropConstraintOp.from_constraint(k) for k in keys if _target(k) in away)
        away.add(drop.table_name)
    yield from changes


def _foreign_keys(change: ops.CreateTableOp) -> list[ForeignKeyConstraint]:
    return [part for part in change.columns if isinstance(part, ForeignKeyConstraint)]


def _target(key: ForeignKeyConstraint) -> str:
    """The table that a foreign key refers to."""
    return key.elements[0].target_fullname.rpartition(".")[0]


def _released(changes: Operations, metadata: MetaData) -> Iterator[ops.MigrateOperation]:
    """Foreign keys that must go and come back, since a column of theirs changes its type."""
    retyped = {
        (change.table_name, change.column_name)
        for change in changes
        if isinstance(change, ops.AlterColumnOp) and change.modify_type is not None
    }
    own = _dropped_names(changes) | _made_names(changes)
    created = {change.table_name for change in changes if isinstance(change, ops.CreateTableOp)}
    for key in _declared_keys(metadata) if retyped else ():
        is_there = key.table.name not in created and (key.table.name, str(key.name)) not in own
        if is_there and _ends(key) & retyped:
            yield ops.DropConstraintOp.from_constraint(key)
            yield ops.CreateForeignKeyOp.from_constraint(key)


def _declared_keys(metadata: MetaData) -> list[ForeignKeyConstraint]:
    """All declared foreign keys, by name."""
    keys = [key for table in metadata.tables.values() for key in table.foreign_key_constraints]
    return sorted(keys, key=lambda key: str(key.name))


def _ends(key: ForeignKeyConstraint) -> set[tuple[str, str]]:
    """The columns on both sides of a foreign key."""
    here = {(key.table.name, column.name) for column in key.columns}
    return here | {(part.column.table.name, part.column.name) for part in key.elements}


def _dropped_names(changes: Iterable[ops.MigrateOperation]) -> set[tuple[str, str]]:
    """Table and name of every key that goes."""
    indexes = [change for change in changes if isinstance(change, ops.DropIndexOp)]
    others = [change for change in changes if isinstance(change, ops.DropConstraintOp)]
    names = {(str(change.table_name), str(change.index_name)) for change in indexes}
    return names | {(change.table_name, str(change.constraint_name)) for change in others}


def _made_names(changes: Iterable[ops.MigrateOperation]) -> set[tuple[str, str]]:
    """Table and name of every key that comes."""
    names: set[tuple[str, str]] = set()
    for change in changes:
        if isinstance(change, ops.CreateIndexOp):
            names.add((change.table_name, str(change.index_name)))
        elif isinstance(change, ops.CreateUniqueConstraintOp):
            names.add((change.table_name, str(change.constraint_name)))
        elif isinstance(change, ops.CreateForeignKeyOp):
            names.add((change.source_table, str(change.constraint_name)))
    return names
