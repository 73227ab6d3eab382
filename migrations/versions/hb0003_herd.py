"""What a herd needs: where entries came from, the vector, the journal, what is held, who was met.

Revision hb0003, after hb0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "hb0003"
down_revision = "hb0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one revision up."""
    op.add_column("herdbook_node", sa.Column("former", mysql.INTEGER(unsigned=True)))
    op.add_column("herdbook_inbox", sa.Column("at_origin", mysql.BIGINT(unsigned=True)))
    op.add_column(
        "herdbook_inbox",
        sa.Column("applied", mysql.TINYINT(unsigned=True), server_default="0", nullable=False),
    )
    op.add_column("herdbook_changelog", sa.Column("at_origin", mysql.BIGINT(unsigned=True)))
    op.create_unique_constraint("herdbook_came", "herdbook_changelog", ["origin", "at_origin"])
    op.add_column(
        "herdbook_sealer",
        sa.Column("written", mysql.BIGINT(unsigned=True), server_default="0", nullable=False),
    )
    # Until now everything was written here.
    op.execute("UPDATE herdbook_sealer SET written = `position` WHERE `only` = 1")
    _create_vector()
    _create_pruned()
    _create_journal()
    _create_held()
    _create_wait()
    _create_piece()
    _create_sibling()
    op.execute("UPDATE herdbook_schema SET `number` = 3, oldest_code = 3 WHERE `only` = 1")


def downgrade() -> None:
    """Go one revision back."""
    op.execute("UPDATE herdbook_schema SET `number` = 2, oldest_code = 1 WHERE `only` = 1")
    for name in ("sibling", "piece", "wait", "held", "journal", "pruned", "vector"):
        op.drop_table(f"herdbook_{name}")
    op.drop_column("herdbook_sealer", "written")
    op.drop_constraint("herdbook_came", "herdbook_changelog", type_="unique")
    op.drop_column("herdbook_changelog", "at_origin")
    op.drop_column("herdbook_inbox", "applied")
    op.drop_column("herdbook_inbox", "at_origin")
    op.drop_column("herdbook_node", "former")


def _create_vector() -> None:
    """What is here of other origins."""
    op.create_table(
        "herdbook_vector",
        sa.Column("origin", mysql.INTEGER(unsigned=True), autoincrement=False, nullable=False),
        sa.Column("position", mysql.BIGINT(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("origin"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_pruned() -> None:
    """What is here no more of each origin; until now all of it was written here."""
    op.create_table(
        "herdbook_pruned",
        sa.Column("origin", mysql.INTEGER(unsigned=True), autoincrement=False, nullable=False),
        sa.Column("position", mysql.BIGINT(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("origin"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    op.execute(
        "INSERT INTO herdbook_pruned (origin, `position`) SELECT node.origin, sealer.horizon "
        "FROM herdbook_node AS node JOIN herdbook_sealer AS sealer ON sealer.`only` = node.`only` "
        "WHERE sealer.horizon > 0"
    )


def _create_journal() -> None:
    """What lost, and what was repaired."""
    op.create_table(
        "herdbook_journal",
        sa.Column("number", mysql.BIGINT(unsigned=True), autoincrement=True, nullable=False),
        sa.Column("noted_at", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("rule", mysql.VARCHAR(length=32), nullable=False),
        sa.Column("table_name", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("row_key", mysql.VARBINARY(length=3200), nullable=False),
        sa.Column("life", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("sender", mysql.INTEGER(unsigned=True), nullable=True),
        sa.Column("content", mysql.LONGBLOB(), nullable=False),
        sa.Column("restored_at", mysql.BIGINT(unsigned=True), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_held() -> None:
    """What waits."""
    op.create_table(
        "herdbook_held",
        sa.Column("place", mysql.BINARY(length=32), nullable=False),
        sa.Column("table_name", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("reason", mysql.VARCHAR(length=32), nullable=False),
        sa.Column("text", mysql.VARCHAR(length=2000), nullable=False),
        sa.Column("content", mysql.LONGBLOB(), nullable=False),
        sa.Column("held_at", mysql.BIGINT(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("reason", "place", name="herdbook_held_for"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_wait() -> None:
    """For what held rows wait."""
    op.create_table(
        "herdbook_wait",
        sa.Column("parent", mysql.BINARY(length=32), nullable=False),
        sa.Column("place", mysql.BINARY(length=32), nullable=False),
        sa.PrimaryKeyConstraint("parent", "place"),
        sa.UniqueConstraint("place", "parent", name="herdbook_waiting"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_piece() -> None:
    """Contents of both that are longer than a statement may be."""
    op.create_table(
        "herdbook_piece",
        sa.Column("part_of", mysql.VARCHAR(length=16), nullable=False),
        sa.Column("id", mysql.VARBINARY(length=32), nullable=False),
        sa.Column("number", mysql.INTEGER(unsigned=True), autoincrement=False, nullable=False),
        sa.Column("content", mysql.LONGBLOB(), nullable=False),
        sa.PrimaryKeyConstraint("part_of", "id", "number"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_sibling() -> None:
    """The nodes that were met."""
    op.create_table(
        "herdbook_sibling",
        sa.Column("origin", mysql.INTEGER(unsigned=True), autoincrement=False, nullable=False),
        sa.Column("name", mysql.VARCHAR(length=64), nullable=False),
        sa.Column(
            "state", mysql.ENUM("active", "retired"), server_default="active", nullable=False
        ),
        sa.Column("acknowledged", mysql.BLOB(), nullable=False),
        sa.Column("met_at", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("seen_at", mysql.BIGINT(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("origin"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
