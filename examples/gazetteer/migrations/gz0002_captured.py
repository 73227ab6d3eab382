"""Countries and cities are captured.

Revision gz0002, after gz0001.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "gz0002"
down_revision = "gz0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one revision up."""
    _create_city_graveyard()
    _create_country_graveyard()
    _index_graveyards()
    _capture_country()
    _capture_city()


def downgrade() -> None:
    """Go one revision back."""
    op.release("city")
    op.release("country")
    # This deletes data.
    op.drop_table("herdbook_dead_country")
    # This deletes data.
    op.drop_table("herdbook_dead_city")


def _create_city_graveyard() -> None:
    """Where deleted cities lie."""
    op.create_table(
        "herdbook_dead_city",
        sa.Column("id", sa.BINARY(length=16), nullable=False),
        sa.Column("country_id", sa.BINARY(length=16), nullable=True),
        sa.Column("name", mysql.VARCHAR(length=200), nullable=True),
        sa.Column("geoname", mysql.INTEGER(unsigned=True), nullable=True),
        sa.Column("population", mysql.BIGINT(unsigned=True), nullable=True),
        sa.Column("latitude", mysql.DECIMAL(precision=9, scale=6), nullable=True),
        sa.Column("longitude", mysql.DECIMAL(precision=9, scale=6), nullable=True),
        sa.Column("timezone", mysql.VARCHAR(length=64), nullable=True),
        sa.Column("region_code", mysql.VARCHAR(length=20), nullable=True),
        sa.Column("alternate_names", mysql.JSON(), nullable=True),
        sa.Column("herdbook_life", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("herdbook_stamp", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("herdbook_origin", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("herdbook_clock", mysql.BLOB(), nullable=True),
        sa.Column("herdbook_died", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("herdbook_writer", mysql.VARCHAR(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        mysql_collate="utf8mb4_bin",
        mysql_default_charset="utf8mb4",
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
    )


def _create_country_graveyard() -> None:
    """Where deleted countries lie."""
    op.create_table(
        "herdbook_dead_country",
        sa.Column("id", sa.BINARY(length=16), nullable=False),
        sa.Column("code", mysql.VARCHAR(length=2), nullable=True),
        sa.Column("code3", mysql.VARCHAR(length=3), nullable=True),
        sa.Column("number", mysql.SMALLINT(unsigned=True), nullable=True),
        sa.Column("name", mysql.VARCHAR(length=120), nullable=True),
        sa.Column("continent", mysql.ENUM("AF", "AN", "AS", "EU", "NA", "OC", "SA"), nullable=True),
        sa.Column("capital", mysql.VARCHAR(length=120), nullable=True),
        sa.Column("area_km2", mysql.INTEGER(unsigned=True), nullable=True),
        sa.Column("population", mysql.BIGINT(unsigned=True), nullable=True),
        sa.Column("currency", mysql.VARCHAR(length=3), nullable=True),
        sa.Column("currency_name", mysql.VARCHAR(length=40), nullable=True),
        sa.Column("top_level_domain", mysql.VARCHAR(length=10), nullable=True),
        sa.Column("phone_prefix", mysql.VARCHAR(length=40), nullable=True),
        sa.Column("postal_code_pattern", mysql.VARCHAR(length=400), nullable=True),
        sa.Column("languages", mysql.JSON(), nullable=True),
        sa.Column("neighbours", mysql.JSON(), nullable=True),
        sa.Column("herdbook_life", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("herdbook_stamp", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("herdbook_origin", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column("herdbook_clock", mysql.BLOB(), nullable=True),
        sa.Column("herdbook_died", mysql.BIGINT(unsigned=True), nullable=False),
        sa.Column("herdbook_writer", mysql.VARCHAR(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        mysql_collate="utf8mb4_bin",
        mysql_default_charset="utf8mb4",
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
    )


def _index_graveyards() -> None:
    """Deleted rows are listed by the moment of their death."""
    op.create_index("ix_died", "herdbook_dead_city", ["herdbook_died"], unique=False)
    op.create_index("ix_died", "herdbook_dead_country", ["herdbook_died"], unique=False)


def _capture_country() -> None:
    """Countries and what becomes of their cities."""
    # Changes of its rows go into the changelog from here on: write data below, not above.
    op.capture(
        "country",
        key=[["id", "binary"]],
        columns=[
            [1, "id", "plain"],
            [2, "code", "bytes"],
            [3, "code3", "bytes"],
            [4, "number", "plain"],
            [5, "name", "bytes"],
            [6, "continent", "plain"],
            [7, "capital", "bytes"],
            [8, "area_km2", "plain"],
            [9, "population", "plain"],
            [10, "currency", "bytes"],
            [11, "currency_name", "bytes"],
            [12, "top_level_domain", "bytes"],
            [13, "phone_prefix", "bytes"],
            [14, "postal_code_pattern", "bytes"],
            [15, "languages", "bytes"],
            [16, "neighbours", "bytes"],
        ],
        children=[
            ["city", ["country_id"], ["id"], "cascade"],
        ],
        last_number=16,
    )


def _capture_city() -> None:
    """Cities."""
    # Changes of its rows go into the changelog from here on: write data below, not above.
    op.capture(
        "city",
        key=[["id", "binary"]],
        columns=[
            [1, "id", "plain"],
            [2, "country_id", "plain"],
            [3, "name", "bytes"],
            [4, "geoname", "plain"],
            [5, "population", "plain"],
            [6, "latitude", "plain"],
            [7, "longitude", "plain"],
            [8, "timezone", "bytes"],
            [9, "region_code", "bytes"],
            [10, "alternate_names", "bytes"],
        ],
        last_number=10,
    )
