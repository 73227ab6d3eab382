"""The two schema numbers.

Revision hb0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "hb0001"
down_revision = None
branch_labels = ("herdbook",)
depends_on = None


def upgrade() -> None:
    """Go one revision up."""
    op.create_table(
        "herdbook_schema",
        sa.Column("only", mysql.TINYINT(unsigned=True), autoincrement=False, nullable=False),
        sa.Column("number", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("oldest_code", mysql.INTEGER(unsigned=True), nullable=False),
        sa.PrimaryKeyConstraint("only"),
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    op.execute("INSERT INTO herdbook_schema (`only`, `number`, oldest_code) VALUES (1, 1, 1)")


def downgrade() -> None:
    """Go one revision back."""
    op.drop_table("herdbook_schema")
