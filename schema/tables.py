"""Record classes as SQLAlchemy tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    Column,
    Constraint,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from records.catalogue import Catalogue, FieldInfo, RecordInfo, ReferenceInfo
from schema.capture.columns import DIED, graveyard_meta, graveyard_of
from schema.capture.describe import capture_of
from schema.defaults import server_default
from schema.types import column_type

TABLE_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_row_format": "DYNAMIC",
    "mysql_default_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
"""Of every table: transactions, wide index entries, and text that compares byte by byte."""


CAPTURE = "capture"
KIND = "kind"


def metadata_of(catalogue: Catalogue) -> MetaData:
    """The tables of all record classes, with their keys, indexes and foreign keys.

    Beside each stands its graveyard. `Table.info[CAPTURE]` holds what is to be captured of it,
    `Column.info[KIND]` the kind of a field.
    """
    metadata = MetaData()
    for record in catalogue.records.values():
        _add_table(metadata, catalogue, record)
        _add_graveyard(metadata, record)
    return metadata


def _add_table(metadata: MetaData, catalogue: Catalogue, record: RecordInfo) -> None:
    """The table of one record class, columns in the order of declaration."""
    Table(
        record.table,
        metadata,
        *(_column(field, in_key=field.name in record.key) for field in record.fields.values()),
        *_keys(record),
        *(_foreign_key(catalogue, record, part) for part in record.references.values()),
        *(Index(key.name, *record.columns(key.fields)) for key in record.indexes),
        info={CAPTURE: capture_of(catalogue, record)},
        **TABLE_OPTIONS,
    )


def _add_graveyard(metadata: MetaData, record: RecordInfo) -> None:
    """Where the dead rows of a class are kept: the same columns, and no constraint but the key.

    They are listed by the moment of death, and those of one moment are brought back together.
    """
    Table(
        graveyard_of(record.table),
        metadata,
        *(_dead_column(field, in_key=field.name in record.key) for field in record.fields.values()),
        *graveyard_meta(),
        PrimaryKeyConstraint(*record.columns(record.key)),
        Index("ix_died", DIED),
        **TABLE_OPTIONS,
    )


def _dead_column(field: FieldInfo, *, in_key: bool) -> Column[object]:
    """A column of a graveyard. What was NULL where it must not be is kept as well."""
    return Column(field.column, column_type(field.kind), nullable=not in_key, autoincrement=False)


def _column(field: FieldInfo, *, in_key: bool) -> Column[object]:
    """The column of one field."""
    return Column(
        field.column,
        column_type(field.kind),
        nullable=field.allow_none,
        server_default=server_default(field),
        info={KIND: field.kind},
        # Counted keys would collide: two nodes would give one number to different records.
        autoincrement=False if in_key else "auto",
    )


def _keys(record: RecordInfo) -> Iterator[Constraint]:
    """The primary key and the unique keys."""
    yield PrimaryKeyConstraint(*record.columns(record.key))
    for key in record.uniques:
        yield UniqueConstraint(*record.columns(key.fields), name=key.name)


def _foreign_key(
    catalogue: Catalogue, record: RecordInfo, reference: ReferenceInfo
) -> ForeignKeyConstraint:
    """A real foreign key that does nothing by itself.

    What `on_delete` asks for is carried out by the service: changes that the database makes through
    a foreign key fire no triggers. Where two tables refer to each other neither can come first, so
    their foreign keys are added after both.
    """
    target = catalogue.records[reference.target]
    return ForeignKeyConstraint(
        record.columns(reference.fields),
        [f"{target.table}.{column}" for column in target.columns(reference.target_fields)],
        name=reference.constraint,
        ondelete="NO ACTION",
        use_alter=target is not record and _leads_to(catalogue, target, record.name),
    )


def _leads_to(catalogue: Catalogue, start: RecordInfo, goal: str) -> bool:
    """Whether references lead from one record class to another, over any number of steps."""
    seen: set[str] = set()
    waiting = [start.name]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            references = catalogue.records[name].references.values()
            waiting.extend(reference.target for reference in references)
    return False
