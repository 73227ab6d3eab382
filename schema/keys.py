"""Keys that have the declared name and columns and still are not the declared keys.

Alembic compares names, columns and uniqueness. A key over the beginnings of texts, or one for words
in them (FULLTEXT), does not do what a plain one does.
"""

from __future__ import annotations

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.util import PriorityDispatchResult
from sqlalchemy import Index, Table, UniqueConstraint

Key = Index | UniqueConstraint


def compare_keys(
    _context: AutogenContext,
    changes: ops.ModifyTableOps,
    _schema: str | None,
    _table_name: str,
    found: Table | None,
    declared: Table | None,
) -> PriorityDispatchResult:
    """Alembic's hook: note in `changes` each key that must be replaced by a plain one."""
    if found is not None and declared is not None:
        special = {str(index.name): index for index in found.indexes if index.dialect_kwargs}
        for key in _keys(declared):
            index = special.get(str(key.name))
            if index is not None and _looks_like(index, key):
                changes.ops += [ops.DropIndexOp.from_index(index), _making(key)]
    return PriorityDispatchResult.CONTINUE


def _keys(table: Table) -> list[Key]:
    """A table's indexes and unique keys, by name."""
    keys: list[Key] = list(table.indexes)
    keys += [part for part in table.constraints if isinstance(part, UniqueConstraint)]
    return sorted(keys, key=lambda key: str(key.name))


def _looks_like(index: Index, key: Key) -> bool:
    """Whether Alembic takes one for the other; where it does not, it replaces the key itself."""
    same_columns = index.columns.keys() == key.columns.keys()
    return same_columns and bool(index.unique) == isinstance(key, UniqueConstraint)


def _making(key: Key) -> ops.MigrateOperation:
    """What makes the declared key."""
    if isinstance(key, UniqueConstraint):
        return ops.CreateUniqueConstraintOp.from_constraint(key)
    return ops.CreateIndexOp.from_index(key)
