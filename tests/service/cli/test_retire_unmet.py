"""`herdbook herd retire` of a node that this one has never met, on real servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.port import Sibling
from service.herd.retirement import NOBODY, Retired
from service.store.herd.siblings import note, retired
from service.store.own_node import keep
from tests.service.cli.conftest import Ran
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read

Herdbook = Callable[..., Ran]

CATALOGUE = with_family(RANCH)
OWN, SHED = 7, 9
MOMENTS = "SELECT met_at, seen_at FROM herdbook_sibling"


@pytest.fixture
def url(database: str) -> str:
    """The database of barn, which knows shed by the record that shed keeps of itself."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    read(database, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    for name, origin in (("shed", SHED), ("barn", OWN)):
        read(database, f"UPDATE herdbook_node SET origin = {origin}, record = NULL")
        in_transaction(database, CATALOGUE, lambda tx, name=name: keep(tx, name))  # type: ignore[misc]
    return database


def refused(url: str) -> Retired:
    """Who is let in no more."""
    return in_transaction(url, CATALOGUE, retired)


def test_a_node_is_refused_before_it_was_ever_met(herdbook: Herdbook, url: str) -> None:
    """Somebody has its key, and could come here first. Taken back, it is as unknown as before."""
    place = ("--database", url)
    assert herdbook("herd", "retire", "shed", *place).code == 4
    assert refused(url) == NOBODY
    ran = herdbook("herd", "retire", "shed", *place, "--yes", "--json")
    assert (ran.code, ran.document()["was"]) == (0, "never met")
    assert refused(url) == Retired(frozenset({SHED}), frozenset({"shed"}))
    again = herdbook("herd", "retire", "shed", *place, "--yes", "--json")
    assert again.document()["was"] == "retired"
    assert read(url, MOMENTS) == [(0, 0)]
    assert herdbook("herd", "readmit", "shed", *place, "--yes").code == 0
    assert refused(url) == NOBODY
    assert read(url, MOMENTS) == []


def test_who_was_met_since_is_waited_for_when_he_is_taken_back(
    herdbook: Herdbook, url: str
) -> None:
    """Over a link without certificates he may have come all the same."""
    place = ("--database", url)
    herdbook("herd", "retire", "shed", *place, "--yes")
    in_transaction(url, CATALOGUE, lambda tx: note(tx, [Sibling(SHED, "shed", {SHED: 3})]))
    assert all(moment > 0 for moment in read(url, MOMENTS)[0])
    assert herdbook("herd", "readmit", "shed", *place, "--yes").code == 0
    assert read(url, "SELECT origin, state FROM herdbook_sibling") == [(SHED, "active")]


STATE = "SELECT state FROM herdbook_herd_node WHERE name = 'shed'"
NOTED = "SELECT COUNT(*) FROM herdbook_inbox"


def test_the_record_of_who_is_retired_says_so(herdbook: Herdbook, url: str) -> None:
    """And goes to the other nodes, as it is captured. Taken back, it says the contrary."""
    place = ("--database", url)
    [(before,)] = read(url, NOTED)
    ran = herdbook("herd", "retire", "shed", *place, "--yes", "--json")
    assert ran.document()["everywhere"] is True
    assert read(url, STATE) == [("retired",)]
    assert read(url, NOTED) == [(before + 1,)]
    ran = herdbook("herd", "readmit", "shed", *place, "--yes")
    assert "refuse it until the same is done on each of them" in ran.err
    assert read(url, STATE) == [("active",)]
    assert read(url, NOTED) == [(before + 2,)]


def test_who_is_retired_is_so_under_every_origin(herdbook: Herdbook, url: str) -> None:
    """Or the certificate would count on; a former origin by itself is retired here only."""
    place = ("--database", url)
    met = [Sibling(8, "shed", {}), Sibling(6, "shed", {}), Sibling(5, "fold", {})]
    in_transaction(url, CATALOGUE, lambda tx: note(tx, met))
    ran = herdbook("herd", "retire", "8", *place, "--yes", "--json")
    assert (ran.document()["everywhere"], ran.document()["others"]) == (False, [6])
    assert read(url, STATE) == [("active",)]
    assert refused(url) == Retired(frozenset({8}), frozenset())
    ran = herdbook("herd", "retire", str(SHED), *place, "--yes", "--json")
    assert ran.document()["everywhere"] is True
    assert refused(url) == Retired(frozenset({6, 8, SHED}), frozenset({"shed"}))


def test_what_is_left_of_who_was_renamed_is_told_though_his_record_is_told(
    herdbook: Herdbook, url: str
) -> None:
    """The record has one of his origins and another name: under the former his certificate counts.

    An origin that went with the record is none that is left.
    """
    met = [Sibling(SHED, "shed", {}), Sibling(8, "shed", {}), Sibling(6, "fold", {})]
    in_transaction(url, CATALOGUE, lambda tx: note(tx, met))
    read(url, f"UPDATE herdbook_herd_node SET name = 'fold' WHERE origin = {SHED}")
    words = ("herd", "retire", str(SHED), "--database", url, "--yes")
    ran = herdbook(*words, "--json")
    assert (ran.document()["everywhere"], ran.document()["others"]) == (True, [8])
    assert refused(url) == Retired(frozenset({6, SHED}), frozenset({"fold"}))
    assert "origin 8 of shed is not retired" in herdbook(*words).err
    herdbook("herd", "retire", "8", "--database", url, "--yes")
    assert herdbook(*words, "--json").document()["others"] == []


def test_a_record_that_was_written_over_says_it_again_and_one_that_is_gone_cannot(
    herdbook: Herdbook, url: str
) -> None:
    """Who joins goes by the record; without it a node is refused only once it was met."""
    words = ("herd", "retire", "shed", "--database", url, "--yes", "--json")
    herdbook(*words)
    read(url, "UPDATE herdbook_herd_node SET state = 'active' WHERE name = 'shed'")
    assert herdbook(*words).document()["everywhere"] is True
    assert read(url, STATE) == [("retired",)]
    read(url, "DELETE FROM herdbook_herd_node WHERE name = 'shed'")
    read(url, "DELETE FROM herdbook_sibling")
    assert herdbook(*words).error()["code"] == "sibling_unknown"
    in_transaction(url, CATALOGUE, lambda tx: note(tx, [Sibling(SHED, "shed", {})]))
    assert herdbook(*words).document()["everywhere"] is False
    assert refused(url) == Retired(frozenset({SHED}), frozenset({"shed"}))


def test_a_node_does_not_retire_itself(herdbook: Herdbook, url: str) -> None:
    """Its own record is no sibling's."""
    ran = herdbook("herd", "retire", "barn", "--database", url, "--yes")
    assert ran.code == 1
    assert "no sibling is called barn" in ran.err
    assert f"Known here: shed ({SHED})" in ran.err
