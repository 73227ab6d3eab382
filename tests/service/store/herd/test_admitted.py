"""Whom a database says to let in: read with whatever else a node is told of itself."""

from __future__ import annotations

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.port import Origin, Sibling
from service.herd.retirement import NOBODY, Retired
from service.store.herd.paced_peers import PacedPeers
from service.store.herd.retiring import heed, readmit_here
from service.store.herd.siblings import note
from service.store.herd.stored import standing_and_unheeded, standing_of
from service.store.own_node import keep
from tests.service.herd.blocks import networks
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read

CATALOGUE = with_family(RANCH)
OTHER = Sibling(5, "fold", {})
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


SAY = "UPDATE herdbook_herd_node SET state = '{1}' WHERE name = '{0}'"
SHED = Retired(frozenset({9}), frozenset({"shed"}))


def heeded(url: str) -> tuple[tuple[int, str], ...]:
    """Who is retired here since, because his record says so."""
    return in_transaction(url, CATALOGUE, heed)


def test_who_is_retired_by_his_record_is_refused_at_once_and_for_good(url: str) -> None:
    """Whatever his record says later: he may have written it himself."""
    assert standing(url).retired == NOBODY
    assert heeded(url) == ()
    read(url, SAY.format("shed", "retired"))
    assert standing(url).retired == SHED
    assert in_transaction(url, CATALOGUE, standing_and_unheeded)[1] == ((9, "shed"),)
    assert heeded(url) == ((9, "shed"),)
    assert in_transaction(url, CATALOGUE, standing_and_unheeded)[1] == ()
    read(url, SAY.format("shed", "active"))
    assert heeded(url) == ()
    assert standing(url).retired == SHED
    read(url, "DELETE FROM herdbook_herd_node WHERE name = 'shed'")
    assert standing(url).retired == SHED


@pytest.mark.parametrize("state", ["joining", "active", "draining"])
def test_in_any_other_state_nobody_is_refused(url: str, state: str) -> None:
    """It is for people to read."""
    read(url, SAY.format("shed", state))
    assert (standing(url).retired, heeded(url)) == (NOBODY, ())


def test_who_was_renamed_is_refused_under_both_names(url: str) -> None:
    """Both of its certificates may count, and it can draw another origin."""
    in_transaction(url, CATALOGUE, lambda tx: note(tx, [Sibling(9, "stall", {})]))
    read(url, SAY.format("shed", "retired"))
    both = Retired(frozenset({9}), frozenset({"shed", "stall"}))
    assert standing(url).retired == both
    assert heeded(url) == ((9, "shed"),)
    assert standing(url).retired == both


def test_who_is_retired_by_his_record_is_so_under_every_origin(url: str) -> None:
    """Under which he was met."""
    in_transaction(url, CATALOGUE, lambda tx: note(tx, [Sibling(8, "shed", {}), OTHER]))
    read(url, SAY.format("shed", "retired"))
    both = Retired(frozenset({8, 9}), frozenset({"shed"}))
    assert standing(url).retired == both
    assert heeded(url) == ((8, "shed"), (9, "shed"))
    assert standing(url).retired == both


def test_a_node_does_not_refuse_itself(url: str) -> None:
    """Its own record says what others think of it; also under its former origin."""
    read(url, SAY.format("barn", "retired"))
    assert (standing(url).retired, heeded(url)) == (NOBODY, ())
    read(url, "UPDATE herdbook_node SET origin = 70")
    assert (standing(url).retired, heeded(url)) == (NOBODY, ())


def test_who_is_taken_back_under_a_former_origin_is_not_retired_again(url: str) -> None:
    """His record has another origin by now; that one stays refused until it is taken back too."""
    in_transaction(url, CATALOGUE, lambda tx: note(tx, [Sibling(8, "shed", {})]))
    read(url, SAY.format("shed", "retired"))
    assert heeded(url) == ((8, "shed"), (9, "shed"))
    in_transaction(url, CATALOGUE, lambda tx: readmit_here(tx, 8))
    assert heeded(url) == ()
    assert standing(url).retired == Retired(frozenset({9}), frozenset())


def test_who_is_taken_back_is_not_retired_again(url: str) -> None:
    """Though his record had said so."""
    read(url, SAY.format("shed", "retired"))
    heeded(url)
    in_transaction(url, CATALOGUE, lambda tx: readmit_here(tx, 9))
    assert (standing(url).retired, heeded(url)) == (NOBODY, ())


def test_many_ranges_are_not_read_again_at_once(url: str) -> None:
    """What took a second is good for twenty; what took none is read each time."""
    moments = iter([0.0, 1.0, 19.0, 20.0, 20.04, 20.04, 20.04])
    paced = PacedPeers(lambda: next(moments))

    def known() -> list[str]:
        return sorted(in_transaction(url, CATALOGUE, paced.read))

    give(url, "barn", "barn")
    assert known() == ["barn"]
    give(url, "shed", "shed")
    assert known() == ["barn"]
    assert known() == ["barn", "shed"]
    read(url, "DELETE FROM herdbook_herd_range")
    assert known() == []


def test_a_catalogue_without_nodes_has_none(url: str) -> None:
    """Nothing is asked of tables that may not be there."""
    read(url, "DROP TABLE herdbook_herd_range")
    told = in_transaction(url, RANCH, standing_of)
    assert (told.peers, told.retired) == ({}, NOBODY)
