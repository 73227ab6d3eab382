"""`docs/operating.md`: its SQL does what it says on both servers."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from sqlalchemy import text

from records.catalogue import load_catalogue
from schema import direct
from schema.connection import connected
from service.database_url import DatabaseUrl
from service.privileges.needs import needed
from service.server import ServerKind

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
ID = "018f0000-0000-7000-8000-000000000001"


def test_ids_are_written_and_read_in_plain_sql_as_the_page_says(database: str) -> None:
    """The text of a UUID goes in, finds its row, and comes out again; so do the shorter forms."""
    url = DatabaseUrl.parse(database).as_sqlalchemy()
    direct.create_tables(url, load_catalogue("examples.gazetteer.records"))
    insert, update, select = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    with connected(url) as connection:
        for statement in (insert, update):
            assert connection.exec_driver_sql(statement).rowcount == 1
        assert connection.exec_driver_sql(select).all() == [(ID, "Herdland")]
        fresh = re.sub(r"'[0-9a-f-]{36}'", "UUID()", insert).replace("XA", "XB").replace("990", "1")
        connection.exec_driver_sql(fresh)
        found = connection.execute(text("SELECT id FROM country WHERE code = 'XB'")).scalar_one()
        assert str(uuid.UUID(bytes=found)) != ID
        if "MariaDB" not in str(connection.execute(text("SELECT VERSION()")).scalar_one()):
            query = text("SELECT BIN_TO_UUID(id) FROM country WHERE id = UUID_TO_BIN(:id)")
            assert connection.execute(query, {"id": ID}).scalars().all() == [ID]


def test_the_page_names_the_privileges_that_are_granted() -> None:
    """Those and no others, each in the row of what it is for."""
    table = PAGE.partition("| privilege | on | for |")[2].partition("\n\n")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    named = [re.findall(r"\b[A-Z]{4,}\b", row) for row in rows]
    needs = {need.privilege for kind in ServerKind for need in needed(kind, serve_only=False)}
    assert set().union(*named) == needs
    assert named[0] == ["SELECT", "INSERT", "UPDATE", "DELETE"]
