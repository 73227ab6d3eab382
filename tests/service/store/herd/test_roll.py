"""Who is in the herd and where, as a node's database tells it."""

from __future__ import annotations

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.topology import Member, Roll
from service.store.herd.roll import roll
from service.store.own_node import keep
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read

CATALOGUE = with_family(RANCH)
URL = "herdbook+tcp://10.0.0.7:8653"
SAY = "UPDATE herdbook_herd_node SET {0} WHERE name = '{1}'"
NOTED = "SELECT COUNT(*) FROM herdbook_inbox"


@pytest.fixture
def url(database: str) -> str:
    """The database of barn, which knows of shed too."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    for name, origin in (("shed", 9), ("barn", 7)):
        read(database, f"UPDATE herdbook_node SET origin = {origin}, record = NULL")
        kept(database, name)
    return database


def kept(url: str, name: str, link: str | None = None) -> None:
    """A node writes its own record."""
    in_transaction(url, CATALOGUE, lambda tx: keep(tx, name, url=link))


def known(url: str) -> tuple[Member, Member, str | None]:
    """Barn, shed, and which of them this is."""
    found: Roll = in_transaction(url, CATALOGUE, roll)
    barn, shed = sorted(found.members, key=lambda each: each.origin or 0)
    own = {barn.id: "barn", shed.id: "shed"}.get(found.own or "")
    return barn._replace(id=""), shed._replace(id=""), own


def test_what_records_tell_is_read(url: str) -> None:
    """Of a record that tells nothing more a node of no site, that nobody can dial."""
    assert known(url) == (Member("", 7), Member("", 9), "barn")
    read(url, SAY.format("site = 'north', weight = 3, state = 'draining'", "shed"))
    read(url, SAY.format(f'urls = \'["https://shed/", "{URL}"]\'', "shed"))
    shed = Member("", 9, "north", 3, "draining", "tcp:10.0.0.7:8653")
    assert known(url) == (Member("", 7), shed, "barn")
    read(url, "UPDATE herdbook_node SET record = NULL")
    assert known(url)[2] is None


def test_a_node_writes_where_it_takes_links(url: str) -> None:
    """Beside what people have said, in the place of what it said before; once."""
    read(url, SAY.format('urls = \'["https://barn/", "herdbook+tcp://old:1"]\'', "barn"))
    kept(url, "barn", URL)
    [(before,)] = read(url, NOTED)
    kept(url, "barn", URL)
    kept(url, "barn")
    assert read(url, NOTED) == [(before,)]
    assert known(url)[0].address == "tcp:10.0.0.7:8653"
    [(urls,)] = read(url, "SELECT urls FROM herdbook_herd_node WHERE name = 'barn'")
    assert "https://barn/" in urls
    assert "old" not in urls


def test_a_record_that_is_new_tells_it_too(url: str) -> None:
    """Where somebody has deleted it, for instance."""
    read(url, "DELETE FROM herdbook_herd_node WHERE name = 'barn'")
    kept(url, "barn", URL)
    assert known(url)[0].address == "tcp:10.0.0.7:8653"


def test_a_catalogue_without_nodes_has_no_roll(url: str) -> None:
    """Nothing is asked of tables that may not be there."""
    assert in_transaction(url, RANCH, roll) == Roll()
