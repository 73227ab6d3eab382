"""Countries and cities.

Revision gz0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "gz0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one revision up."""
    _create_country()
    _create_city()
    _create_indexes()


def downgrade() -> None:
    """Go one revision back."""
    # This deletes data.
    op.drop_table("city")
    # This deletes data.
    op.drop_table("country")


def _create_country() -> None:
    """The table of countries."""
    op.create_table(
        "country",
        sa.Column("id", sa.BINARY(length=16), nullable=False),
        sa.Column("code", mysql.VARCHAR(length=2), nullable=False),
        sa.Column("code3", mysql.VARCHAR(length=3), nullable=False),
        sa.Column("number", mysql.SMALLINT(unsigned=True), nullable=False),
        sa.Column("name", mysql.VARCHAR(length=120), nullable=False),
        sa.Column(
            "continent", mysql.ENUM("AF", "AN", "AS", "EU", "NA", "OC", "SA"), nullable=False
        ),
        sa.Column("capital", mysql.VARCHAR(length=120), nullable=True),
        sa.Column("area_km2", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column(
            "population",
            mysql.BIGINT(unsigned=True),
            server_default="0",
            nullable=False,
        ),
        sa.Column("currency", mysql.VARCHAR(length=3), nullable=True),
        sa.Column("currency_name", mysql.VARCHAR(length=40), nullable=True),
        sa.Column("top_level_domain", mysql.VARCHAR(length=10), nullable=True),
        sa.Column("phone_prefix", mysql.VARCHAR(length=40), nullable=True),
        sa.Column("postal_code_pattern", mysql.VARCHAR(length=400), nullable=True),
        sa.Column("languages", mysql.JSON(), nullable=False),
        sa.Column("neighbours", mysql.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_country_code"),
        sa.UniqueConstraint("code3", name="uq_country_code3"),
        mysql_collate="utf8mb4_bin",
        mysql_default_charset="utf8mb4",
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
    )


def _create_city() -> None:
    """The table of cities, with the reference to their countries."""
    op.create_table(
        "city",
        sa.Column("id", sa.BINARY(length=16), nullable=False),
        sa.Column("country_id", sa.BINARY(length=16), nullable=False),
        sa.Column("name", mysql.VARCHAR(length=200), nullable=False),
        sa.Column("geoname", mysql.INTEGER(unsigned=True), nullable=False),
        sa.Column(
            "population",
            mysql.BIGINT(unsigned=True),
            server_default="0",
            nullable=False,
        ),
        sa.Column("latitude", mysql.DECIMAL(precision=9, scale=6), nullable=False),
        sa.Column("longitude", mysql.DECIMAL(precision=9, scale=6), nullable=False),
        sa.Column("timezone", mysql.VARCHAR(length=64), nullable=False),
        sa.Column("region_code", mysql.VARCHAR(length=20), nullable=True),
        sa.Column("alternate_names", mysql.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["country_id"], ["country.id"], name="fk_city_country_id", ondelete="NO ACTION"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("geoname", name="uq_city_geoname"),
        mysql_collate="utf8mb4_bin",
        mysql_default_charset="utf8mb4",
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
    )


def _create_indexes() -> None:
    """What is searched and sorted by."""
    op.create_index("ix_country_name", "country", ["name"], unique=False)
    op.create_index("ix_city_country_id", "city", ["country_id"], unique=False)
    op.create_index("ix_city_name", "city", ["name"], unique=False)
    op.create_index("ix_city_population", "city", ["population"], unique=False)
