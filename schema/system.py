"""Herdbook's own tables. Their names begin with `herdbook_`.

Each comes from a frozen revision in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import mysql

from records.declaration import SYSTEM_PREFIX
from schema.capture.columns import WRITER_LENGTH
from schema.capture.row_key import LONGEST as LONGEST_KEY
from schema.capture.triggers import INBOX
from schema.tables import TABLE_OPTIONS

ENTRY_KINDS = ("insert", "update", "delete")

BRANCH = "herdbook"
"""The label of the revisions that make these tables."""

# These two must be there before the first revision runs, so the runner makes them itself.
REVISION_TABLE = f"{SYSTEM_PREFIX}revision"
"""Where Alembic keeps the revisions the database is at."""

JOURNAL_TABLE = f"{SYSTEM_PREFIX}migration"
"""Where a migration keeps how far it has come."""

TRIAL_TABLE = f"{SYSTEM_PREFIX}trial"
"""Is there for a moment only, to find out whether triggers may be made."""

system_metadata = MetaData()

schema_numbers = Table(
    f"{SYSTEM_PREFIX}schema",
    system_metadata,
    Column("only", mysql.TINYINT(unsigned=True), nullable=False, autoincrement=False),
    Column("number", mysql.INTEGER(unsigned=True), nullable=False),
    Column("oldest_code", mysql.INTEGER(unsigned=True), nullable=False),
    PrimaryKeyConstraint("only"),
    **TABLE_OPTIONS,
)
"""One row, whose key is 1: the two numbers of `schema.version`."""


node_identity = Table(
    f"{SYSTEM_PREFIX}node",
    system_metadata,
    Column("only", mysql.TINYINT(unsigned=True), nullable=False, autoincrement=False),
    Column("origin", mysql.INTEGER(unsigned=True), nullable=False),
    Column("former", mysql.INTEGER(unsigned=True)),
    Column("record", mysql.BINARY(16)),
    PrimaryKeyConstraint("only"),
    **TABLE_OPTIONS,
)
"""One row, whose key is 1: the origin of what this database's own sessions write. `former` is the
one before, as long as triggers may still write that. `record` is the id of the `Node` record that
the node keeps of itself, once it has one."""

captured_tables = Table(
    f"{SYSTEM_PREFIX}capture",
    system_metadata,
    Column("table_name", mysql.VARCHAR(64), nullable=False),
    Column("description", mysql.MEDIUMTEXT(), nullable=False),
    Column("definer", mysql.VARCHAR(288), nullable=False),
    Column("adopted", mysql.TINYINT(display_width=1), nullable=False, server_default="0"),
    PrimaryKeyConstraint("table_name"),
    **TABLE_OPTIONS,
)
"""What is captured: `description` is the JSON of `Capture.as_plain`, `definer` whose rights the
triggers have, `adopted` whether all rows that were there before are in the changelog."""


def _entry_columns() -> list[Column[Any]]:
    """What an entry says: which row and which columns, never the values."""
    return [
        Column("table_name", mysql.VARCHAR(64), nullable=False),
        Column("row_key", mysql.VARBINARY(LONGEST_KEY), nullable=False),
        Column("kind", mysql.ENUM(*ENTRY_KINDS), nullable=False),
        Column("fields", mysql.VARBINARY(2_100)),
        Column("life", mysql.INTEGER(unsigned=True), nullable=False),
        Column("origin", mysql.INTEGER(unsigned=True), nullable=False),
        Column("stamp", mysql.BIGINT(unsigned=True), nullable=False),
        Column("writer", mysql.VARCHAR(WRITER_LENGTH), nullable=False),
    ]


inbox = Table(
    INBOX,
    system_metadata,
    Column("entry", mysql.BIGINT(unsigned=True), nullable=False, autoincrement=True),
    *_entry_columns(),
    Column("at_origin", mysql.BIGINT(unsigned=True)),
    Column("applied", mysql.TINYINT(unsigned=True), nullable=False, server_default="0"),
    PrimaryKeyConstraint("entry"),
    **TABLE_OPTIONS,
)
"""Where triggers write, and the herd's applier. Entries leave it when they are sealed.

`at_origin` is the position of an entry that came from another node, in that node's changelog.
`applied` is 0 for what a trigger noted, 1 for what the applier did, and 2 where it was a death
through which the row here went."""

changelog = Table(
    f"{SYSTEM_PREFIX}changelog",
    system_metadata,
    Column("position", mysql.BIGINT(unsigned=True), nullable=False, autoincrement=False),
    Column("entry", mysql.BIGINT(unsigned=True), nullable=False),
    *_entry_columns(),
    Column("sealed_at", mysql.BIGINT(unsigned=True), nullable=False),
    Column("at_origin", mysql.BIGINT(unsigned=True)),
    PrimaryKeyConstraint("position"),
    UniqueConstraint("origin", "at_origin", name="herdbook_came"),
    **TABLE_OPTIONS,
)
"""The sealed entries by position, without gaps. `sealed_at` is in microseconds since 1970, UTC.

`at_origin` is the position in the changelog of the node that an entry came from; it is NULL for
what was written here."""

sealer = Table(
    f"{SYSTEM_PREFIX}sealer",
    system_metadata,
    Column("only", mysql.TINYINT(unsigned=True), nullable=False, autoincrement=False),
    Column("holder", mysql.VARCHAR(64), nullable=False, server_default=""),
    Column("beat", mysql.BIGINT(unsigned=True), nullable=False, server_default="0"),
    Column("position", mysql.BIGINT(unsigned=True), nullable=False, server_default="0"),
    Column("horizon", mysql.BIGINT(unsigned=True), nullable=False, server_default="0"),
    Column("written", mysql.BIGINT(unsigned=True), nullable=False, server_default="0"),
    PrimaryKeyConstraint("only"),
    **TABLE_OPTIONS,
)
"""One row, whose key is 1: the lease of the sealer, the last position it gave, and the horizon:
the highest position that was pruned. `beat` counts the signs of life of the holder. `written` is
the last position of what was written here, and did not come from a sibling."""

consumers = Table(
    f"{SYSTEM_PREFIX}consumer",
    system_metadata,
    Column("name", mysql.VARCHAR(64), nullable=False),
    Column("position", mysql.BIGINT(unsigned=True), nullable=False),
    Column("registered_at", mysql.BIGINT(unsigned=True), nullable=False),
    Column("seen_at", mysql.BIGINT(unsigned=True), nullable=False),
    PrimaryKeyConstraint("name"),
    **TABLE_OPTIONS,
)
"""Who needs the changelog above `position`; times in microseconds since 1970, UTC."""


vectors = Table(
    f"{SYSTEM_PREFIX}vector",
    system_metadata,
    Column("origin", mysql.INTEGER(unsigned=True), nullable=False, autoincrement=False),
    Column("position", mysql.BIGINT(unsigned=True), nullable=False),
    PrimaryKeyConstraint("origin"),
    **TABLE_OPTIONS,
)
"""Up to which position of each other origin's changelog everything is here."""

pruned = Table(
    f"{SYSTEM_PREFIX}pruned",
    system_metadata,
    Column("origin", mysql.INTEGER(unsigned=True), nullable=False, autoincrement=False),
    Column("position", mysql.BIGINT(unsigned=True), nullable=False),
    PrimaryKeyConstraint("origin"),
    **TABLE_OPTIONS,
)
"""The highest position of each origin's changelog that is here no more, or never was: who lacks it
needs a snapshot."""

journal = Table(
    f"{SYSTEM_PREFIX}journal",
    system_metadata,
    Column("number", mysql.BIGINT(unsigned=True), nullable=False, autoincrement=True),
    Column("noted_at", mysql.BIGINT(unsigned=True), nullable=False),
    Column("rule", mysql.VARCHAR(32), nullable=False),
    Column("table_name", mysql.VARCHAR(64), nullable=False),
    Column("row_key", mysql.VARBINARY(LONGEST_KEY), nullable=False),
    Column("life", mysql.INTEGER(unsigned=True), nullable=False),
    Column("sender", mysql.INTEGER(unsigned=True)),
    Column("content", mysql.LONGBLOB(), nullable=False),
    Column("restored_at", mysql.BIGINT(unsigned=True)),
    PrimaryKeyConstraint("number"),
    **TABLE_OPTIONS,
)
"""What lost a merge, and what was repaired: one row of a table each. `content` holds the values,
their versions and what stands in their place, in MessagePack; `sender` is the origin of the node
whose delta brought it about. Times are in microseconds since 1970, UTC."""

held_rows = Table(
    f"{SYSTEM_PREFIX}held",
    system_metadata,
    Column("place", mysql.BINARY(32), nullable=False),
    Column("table_name", mysql.VARCHAR(64), nullable=False),
    Column("reason", mysql.VARCHAR(32), nullable=False),
    Column("text", mysql.VARCHAR(2_000), nullable=False),
    Column("content", mysql.LONGBLOB(), nullable=False),
    Column("held_at", mysql.BIGINT(unsigned=True), nullable=False),
    PrimaryKeyConstraint("place"),
    UniqueConstraint("reason", "place", name=f"{SYSTEM_PREFIX}held_for"),
    **TABLE_OPTIONS,
)
"""What came from siblings and cannot be written here yet, a row each. `place` is a digest of table
and key; `content` holds the row, key included, in MessagePack."""

pieces = Table(
    f"{SYSTEM_PREFIX}piece",
    system_metadata,
    Column("part_of", mysql.VARCHAR(16), nullable=False),
    Column("id", mysql.VARBINARY(32), nullable=False),
    Column("number", mysql.INTEGER(unsigned=True), nullable=False, autoincrement=False),
    Column("content", mysql.LONGBLOB(), nullable=False),
    PrimaryKeyConstraint("part_of", "id", "number"),
    **TABLE_OPTIONS,
)
"""Contents of the two tables above that are longer than a statement may be, in pieces; `content` is
empty there. `id` is the place of what is held, or the number in the journal in eight bytes."""

waits = Table(
    f"{SYSTEM_PREFIX}wait",
    system_metadata,
    Column("parent", mysql.BINARY(32), nullable=False),
    Column("place", mysql.BINARY(32), nullable=False),
    PrimaryKeyConstraint("parent", "place"),
    UniqueConstraint("place", "parent", name=f"{SYSTEM_PREFIX}waiting"),
    **TABLE_OPTIONS,
)
"""For what held rows wait that wait for their parents: the digests of both."""

siblings = Table(
    f"{SYSTEM_PREFIX}sibling",
    system_metadata,
    Column("origin", mysql.INTEGER(unsigned=True), nullable=False, autoincrement=False),
    Column("name", mysql.VARCHAR(64), nullable=False),
    Column("state", mysql.ENUM("active", "retired"), nullable=False, server_default="active"),
    Column("acknowledged", mysql.BLOB(), nullable=False),
    Column("met_at", mysql.BIGINT(unsigned=True), nullable=False),
    Column("seen_at", mysql.BIGINT(unsigned=True), nullable=False),
    PrimaryKeyConstraint("origin"),
    **TABLE_OPTIONS,
)
"""The other nodes that were ever met, by origin. `acknowledged` is the vector that was last heard
of each, in MessagePack."""


def is_system_table(name: str) -> bool:
    """Whether a table belongs to Herdbook and not to the record classes."""
    return name.startswith(SYSTEM_PREFIX)
