"""The nodes of the herd and their ranges, as records that are captured like any other.

Revision hb0004, after hb0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "hb0004"
down_revision = "hb0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one revision up."""
    op.add_column("herdbook_node", sa.Column("record", sa.BINARY(length=16)))
    _create_node()
    _create_range()
    _create_node_graveyard()
    _create_range_graveyard()
    _create_indexes()
    _capture_node()
    _capture_range()
    op.execute("UPDATE herdbook_schema SET `number` = 4, oldest_code = 3 WHERE `only` = 1")


def downgrade() -> None:
    """Go one revision back."""
    op.execute("UPDATE herdbook_schema SET `number` = 3, oldest_code = 3 WHERE `only` = 1")
    op.release("herdbook_herd_range")
    op.release("herdbook_herd_node")
    # This deletes what the herd knows of its nodes and their ranges.
    op.drop_table("herdbook_herd_range")
    op.drop_table("herdbook_herd_node")
    op.drop_table("herdbook_dead_herdbook_herd_range")
    op.drop_table("herdbook_dead_herdbook_herd_node")
    op.drop_column("herdbook_node", "record")


def _create_node() -> None:
    """The nodes."""
    op.create_table(
        "herdbook_herd_node",
        sa.Column("id", sa.BINARY(length=16), nullable=False),
        sa.Column("name", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("origin", mysql.INTEGER(unsigned=True), nullable=True),
        sa.Column("site", mysql.VARCHAR(length=64), nullable=True),
        sa.Column("urls", mysql.JSON(), nullable=True),
        sa.Column("fingerprint", mysql.VARCHAR(length=128), nullable=True),
        sa.Column("weight", mysql.INTEGER(unsigned=True), server_default="1", nullable=False),
        sa.Column(
            "state",
            mysql.ENUM("joining", "active", "draining", "retired"),
            server_default="active",
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_herdbook_herd_node_name"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_range() -> None:
    """Their ranges. Deletions are carried out by a trigger, as everywhere."""
    op.create_table(
        "herdbook_herd_range",
        sa.Column("id", sa.BINARY(length=16), nullable=False),
        sa.Column("node_id", sa.BINARY(length=16), nullable=False),
        sa.Column("cidr", sa.BINARY(length=17), nullable=False),
        sa.Column("purpose", mysql.ENUM("serves", "peers", "pool", "admin"), nullable=False),
        sa.Column("note", mysql.VARCHAR(length=400), nullable=True),
        sa.Column("claim", sa.BINARY(length=12), nullable=True),
        sa.ForeignKeyConstraint(
            ["node_id"],
            ["herdbook_herd_node.id"],
            name="fk_herdbook_herd_range_node_id",
            ondelete="NO ACTION",
        ),
        sa.PrimaryKeyConstraint("id"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_node_graveyard() -> None:
    """Where deleted nodes lie."""
    op.create_table(
        "herdbook_dead_herdbook_herd_node",
        sa.Column("id", sa.BINARY(length=16), nullable=False),
        sa.Column("name", mysql.VARCHAR(length=64), nullable=True),
        sa.Column("origin", mysql.INTEGER(unsigned=True), nullable=True),
        sa.Column("site", mysql.VARCHAR(length=64), nullable=True),
        sa.Column("urls", mysql.JSON(), nullable=True),
        sa.Column("fingerprint", mysql.VARCHAR(length=128), nullable=True),
        sa.Column("weight", mysql.INTEGER(unsigned=True), nullable=True),
        sa.Column("state", mysql.ENUM("joining", "active", "draining", "retired"), nullable=True),
        *_columns_of_the_dead(),
        sa.PrimaryKeyConstraint("id"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_range_graveyard() -> None:
    """Where deleted ranges lie."""
    op.create_table(
        "herdbook_dead_herdbook_herd_range",
        sa.Column("id", sa.BINARY(length=16), nullable=False),
        sa.Column("node_id", sa.BINARY(length=16), nullable=True),
        sa.Column("cidr", sa.BINARY(length=17), nullable=True),
        sa.Column("purpose", mysql.ENUM("serves", "peers", "pool", "admin"), nullable=True),
        sa.Column("note", mysql.VARCHAR(length=400), nullable=True),
        sa.Column("claim", sa.BINARY(length=12), nullable=True),
        *_columns_of_the_dead(),
        sa.PrimaryKeyConstraint("id"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _columns_of_the_dead() -> list[sa.schema.SchemaItem]:
    """What a graveyard says of a row's life and death."""
    return [
        sa.Column("herdbook_life", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("herdbook_stamp", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("herdbook_origin", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("herdbook_clock", sa.BLOB(), nullable=True),
        sa.Column("herdbook_died", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("herdbook_writer", mysql.VARCHAR(length=120), nullable=False),
    ]


def _create_indexes() -> None:
    """What is searched and sorted by."""
    op.create_index("ix_died", "herdbook_dead_herdbook_herd_node", ["herdbook_died"])
    op.create_index("ix_died", "herdbook_dead_herdbook_herd_range", ["herdbook_died"])
    op.create_index("ix_herdbook_herd_range_node_id", "herdbook_herd_range", ["node_id"])
    op.create_index(
        "ix_herdbook_herd_range_purpose_cidr", "herdbook_herd_range", ["purpose", "cidr"]
    )
    op.create_index("ix_herdbook_herd_range_cidr", "herdbook_herd_range", ["cidr"])


def _capture_node() -> None:
    """From here on changes of nodes are noted."""
    op.capture(
        "herdbook_herd_node",
        key=[["id", "binary"]],
        columns=[
            [1, "id", "plain"],
            [2, "name", "bytes"],
            [3, "origin", "plain"],
            [4, "site", "bytes"],
            [5, "urls", "bytes"],
            [6, "fingerprint", "bytes"],
            [7, "weight", "plain"],
            [8, "state", "plain"],
        ],
        children=[["herdbook_herd_range", ["node_id"], ["id"], "cascade"]],
        last_number=8,
    )


def _capture_range() -> None:
    """From here on changes of ranges are noted."""
    op.capture(
        "herdbook_herd_range",
        key=[["id", "binary"]],
        columns=[
            [1, "id", "plain"],
            [2, "node_id", "plain"],
            [3, "cidr", "plain"],
            [4, "purpose", "plain"],
            [5, "note", "bytes"],
            [6, "claim", "bytes"],
        ],
        last_number=6,
    )
