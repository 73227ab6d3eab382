"""What capture and the changelog need.

Revision hb0002, after hb0001.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "hb0002"
down_revision = "hb0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one revision up."""
    _create_node()
    _create_capture()
    _create_inbox()
    _create_changelog()
    _create_sealer()
    _create_consumer()
    op.execute("UPDATE herdbook_schema SET `number` = 2, oldest_code = 1 WHERE `only` = 1")


def downgrade() -> None:
    """Go one revision back."""
    op.execute("UPDATE herdbook_schema SET `number` = 1, oldest_code = 1 WHERE `only` = 1")
    for name in ("consumer", "sealer", "changelog", "inbox", "capture", "node"):
        op.drop_table(f"herdbook_{name}")


def _create_node() -> None:
    """Which node this database belongs to: one row with the origin of what is written here."""
    op.create_table(
        "herdbook_node",
        sa.Column("only", mysql.TINYINT(unsigned=True), autoincrement=False, nullable=False),
        sa.Column("origin", mysql.INTEGER(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("only"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    # Any number but 0, another one on each node.
    op.execute(
        "INSERT INTO herdbook_node (`only`, origin) SELECT 1, "
        "1 + MOD(CAST(CONV(LEFT(SHA2(CONCAT(UUID(), RAND()), 256), 8), 16, 10) AS UNSIGNED), "
        "4294967295)"
    )


def _create_capture() -> None:
    """What is captured of each table."""
    op.create_table(
        "herdbook_capture",
        sa.Column("table_name", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("description", mysql.MEDIUMTEXT(), nullable=False),
        sa.Column("definer", mysql.VARCHAR(length=288), nullable=False),
        sa.Column("adopted", mysql.TINYINT(display_width=1), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("table_name"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_inbox() -> None:
    """Where triggers write their entries."""
    op.create_table(
        "herdbook_inbox",
        sa.Column("entry", mysql.BIGINT(unsigned=True), autoincrement=True, nullable=False),
        sa.Column("table_name", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("row_key", mysql.VARBINARY(length=3200), nullable=False),
        sa.Column("kind", mysql.ENUM("insert", "update", "delete"), nullable=False),
        sa.Column("fields", mysql.VARBINARY(length=2100), nullable=True),
        sa.Column("life", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("origin", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("stamp", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("writer", mysql.VARCHAR(length=120), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_changelog() -> None:
    """The sealed entries."""
    op.create_table(
        "herdbook_changelog",
        sa.Column("position", mysql.BIGINT(unsigned=True), autoincrement=False, nullable=False),
        sa.Column("entry", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("table_name", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("row_key", mysql.VARBINARY(length=3200), nullable=False),
        sa.Column("kind", mysql.ENUM("insert", "update", "delete"), nullable=False),
        sa.Column("fields", mysql.VARBINARY(length=2100), nullable=True),
        sa.Column("life", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("origin", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("stamp", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("writer", mysql.VARCHAR(length=120), nullable=False),
        sa.Column("sealed_at", mysql.BIGINT(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_sealer() -> None:
    """The lease of the sealer, in one row."""
    op.create_table(
        "herdbook_sealer",
        sa.Column("only", mysql.TINYINT(unsigned=True), autoincrement=False, nullable=False),
        sa.Column("holder", mysql.VARCHAR(length=64), server_default="", nullable=False),
        sa.Column("beat", mysql.BIGINT(unsigned=True), server_default="0", nullable=False),
        sa.Column("position", mysql.BIGINT(unsigned=True), server_default="0", nullable=False),
        sa.Column("horizon", mysql.BIGINT(unsigned=True), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("only"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    op.execute("INSERT INTO herdbook_sealer (`only`) VALUES (1)")


def _create_consumer() -> None:
    """Who needs the changelog, and from where."""
    op.create_table(
        "herdbook_consumer",
        sa.Column("name", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("position", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("registered_at", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("seen_at", mysql.BIGINT(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
