"""Nodes and ranges among nodes of two releases: those of the older one have no such tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.server import PrivateServer
from service.store.herd.held import held_at
from service.store.herd.waited import HeldWriter
from service.store.settings import SessionSettings
from tests.service.store.herd.deltas import reader_at, sealed, whole
from tests.service.store.herd.herds import Member, node_beside, quiet
from tests.service.store.herd.ranch import CATALOGUE

BOTH = with_family(CATALOGUE)
INSERT = "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('{0}', 16), '{1}')"
GIVE = (
    "INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) VALUES "
    "(REPEAT('{0}', 16), REPEAT('{1}', 16), CONCAT(REPEAT('\\0', 10), X'FFFF0A00000068'), 'pool')"
)
SEEN = (
    "SELECT n.name, r.purpose FROM herdbook_herd_range AS r "
    "JOIN herdbook_herd_node AS n ON n.id = r.node_id"
)


def renew(member: Member) -> None:
    """The node gets the release that has the family."""
    create_tables(DatabaseUrl.parse(member.url).as_sqlalchemy(), BOTH)
    member.catalogue = BOTH
    member.known.forget()


@pytest.fixture
def third(server: PrivateServer, database: str) -> Iterator[Member]:
    """One more node, on the same server."""
    with node_beside(server, database, "third") as third:
        yield third


def test_a_node_of_the_release_before_holds_them_passes_them_on_and_writes_them_later(
    one: Member, other: Member, third: Member
) -> None:
    """The one in the middle is renewed last: who is beyond it has them all the same."""
    renew(one)
    renew(third)
    one.sql(INSERT.format("n", "barn"), GIVE.format("r", "n"))
    one.tell(other)
    assert sorted(each.row.place[0] for each in other.held()) == [
        "herdbook_herd_node", "herdbook_herd_range",
    ]  # fmt: skip
    sealed(other.url)
    third.apply(whole(reader_at(other.url, held_of=held_at).read(third.vector())))
    assert third.rows(SEEN) == [("barn", "pool")]
    renew(other)
    with HeldWriter(DatabaseUrl.parse(other.url), SessionSettings(), BOTH) as held:
        assert sum(held.write()) == 2
    quiet(one, other, third)
    assert other.rows(SEEN) == [("barn", "pool")]
    assert other.held() == []


def test_of_two_claims_to_a_name_the_earlier_keeps_it(one: Member, other: Member) -> None:
    """The other one gets an ending, the same everywhere; ranges of both stay with theirs."""
    renew(one)
    renew(other)
    one.sql(INSERT.format("n", "barn"), GIVE.format("r", "n"))
    other.sql(INSERT.format("m", "barn"), GIVE.format("s", "m"))
    quiet(one, other)
    (first, second) = one.rows("SELECT id, name FROM herdbook_herd_node ORDER BY name")
    assert first == (b"n" * 16, "barn")
    assert second[0] == b"m" * 16
    assert second[1].startswith("barn")
    assert second[1] != "barn"
    assert other.rows("SELECT id, name FROM herdbook_herd_node ORDER BY name") == [first, second]
    assert one.rows("SELECT id, node_id FROM herdbook_herd_range ORDER BY id") == [
        (b"r" * 16, b"n" * 16), (b"s" * 16, b"m" * 16),
    ]  # fmt: skip


def test_a_range_that_was_added_to_a_node_that_was_deleted_goes_too(
    one: Member, other: Member
) -> None:
    """And what was written is in the journal."""
    renew(one)
    renew(other)
    one.sql(INSERT.format("n", "barn"))
    quiet(one, other)
    one.sql("DELETE FROM herdbook_herd_node")
    other.sql(GIVE.format("r", "n"))
    quiet(one, other)
    assert [member.rows(SEEN) for member in (one, other)] == [[], []]
    assert "taken along" in {rule for (rule,) in other.rows("SELECT rule FROM herdbook_journal")}
