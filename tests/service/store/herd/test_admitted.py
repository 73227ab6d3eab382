"""Whom a database says to let in: read with whatever else a node is told of itself."""

from __future__ import annotations

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.peers import networks
from service.herd.port import Origin
from service.store.herd.stored import standing_of
from service.store.own_node import keep
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read

CATALOGUE = with_family(RANCH)
BLOCKS = {
    "barn": ("00" * 10 + "FFFF0A010000", 112),
    "shed": ("00" * 10 + "FFFF0A020300", 128),
    "fd": ("FD" + "00" * 15, 8),
    "all": ("00" * 16, 0),
}
GIVE = (
    "INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) SELECT "
    "RANDOM_BYTES(16), id, CONCAT(X'{0}', CHAR({1})), '{2}' FROM herdbook_herd_node "
    "WHERE name = '{3}'"
)


@pytest.fixture
def url(database: str) -> str:
    """The database of barn, which knows of shed too."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    for name, origin in (("shed", 9), ("barn", 7)):
        read(database, f"UPDATE herdbook_node SET origin = {origin}, record = NULL")
        in_transaction(database, CATALOGUE, lambda tx, name=name: keep(tx, name))  # type: ignore[misc]
    return database


def standing(url: str) -> Origin:
    """What the node is told of itself."""
    return in_transaction(url, CATALOGUE, standing_of)


def give(url: str, block: str, name: str, purpose: str = "peers") -> None:
    """A range for a node, by SQL."""
    packed, length = BLOCKS[block]
    rand = "UNHEX(REPLACE(UUID(), '-', ''))"
    read(url, GIVE.format(packed, length, purpose, name).replace("RANDOM_BYTES(16)", rand))


def test_the_peers_ranges_of_each_node_are_read(url: str) -> None:
    """By its name; what it has for other purposes is no matter."""
    assert standing(url).peers == {}
    give(url, "barn", "barn")
    give(url, "fd", "barn")
    give(url, "shed", "shed")
    give(url, "all", "shed", purpose="serves")
    assert standing(url).peers == {
        "barn": networks(["10.1.0.0/16", "fd00::/8"]),
        "shed": networks(["10.2.3.0/32"]),
    }
    read(url, "DELETE FROM herdbook_herd_range WHERE purpose = 'peers'")
    assert standing(url).peers == {}


def test_every_address_of_ipv6_is_a_block_too(url: str) -> None:
    """`::/0` holds no address of IPv4."""
    give(url, "all", "shed")
    assert standing(url).peers == {"shed": networks(["::/0"])}


def test_a_catalogue_without_nodes_has_none(url: str) -> None:
    """Nothing is asked of tables that may not be there."""
    read(url, "DROP TABLE herdbook_herd_range")
    assert in_transaction(url, RANCH, standing_of).peers == {}
