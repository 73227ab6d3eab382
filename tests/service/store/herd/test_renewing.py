"""Restored backups and copies: a node draws a new origin, repeats nothing and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from schema.origin import follow_origin
from service.database_url import DatabaseUrl
from service.herd.port import Sibling
from service.server import PrivateServer
from service.store.herd import siblings
from service.store.herd.renewing import draw
from tests.service.store.herd.herds import Member, node_beside
from tests.service.store.herd.test_applying import family
from tests.service.store.herd.test_snapshots import note, prune, rows, tell

NEW = 4_000_000_000


def as_url(member: Member) -> str:
    """The database as migrations name it."""
    return DatabaseUrl.parse(member.url).as_sqlalchemy()


@pytest.fixture
def blank(server: PrivateServer, database: str) -> Iterator[Member]:
    """A database that is to become a copy of another one."""
    with node_beside(server, database, "copy") as blank:
        yield blank


def copied(one: Member, blank: Member) -> Member:
    """The same as one, with its origin, as a backup has it."""
    source, target = (DatabaseUrl.parse(each.url).database for each in (one, blank))
    tables = [
        name
        for (name,) in one.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() "
            "AND table_name <> 'herdbook_capture'"
        )
    ]
    statements = ["SET foreign_key_checks = 0"]
    for table in tables:
        columns = ", ".join(
            f"`{name}`"
            for (name,) in one.rows(
                "SELECT column_name FROM information_schema.columns "
                f"WHERE table_schema = DATABASE() AND table_name = '{table}'"
            )
        )
        statements += [
            f"DELETE FROM {target}.{table}",
            f"INSERT INTO {target}.{table} ({columns}) SELECT {columns} FROM {source}.{table}",
        ]
    statements.append("UPDATE herdbook_node SET former = 1")

    def work(tx: object) -> None:
        for statement in statements:
            tx.execute(statement)  # type: ignore[attr-defined]

    blank.do(work)
    # Its triggers are made as they are where the data directory is copied.
    assert follow_origin(as_url(blank), 10)
    return blank


@pytest.fixture
def third(server: PrivateServer, database: str) -> Iterator[Member]:
    """One more node, of the same herd."""
    with node_beside(server, database, "third") as third:
        yield third


def renew(member: Member, new: int = NEW, doubtful: float = 0.0) -> None:
    """A new origin is drawn, and the triggers follow."""
    former = member.origin()
    member.seal()
    assert member.do(lambda tx: draw(tx, former, new, doubtful))
    assert follow_origin(as_url(member), 10)
    assert not follow_origin(as_url(member), 10)


def meet(one: Member, other: Member) -> None:
    """Both tell each other all, and what they have, some times over."""
    for number in range(1, 4):
        tell(one, other, number)
        tell(other, one, number)
        for member, peer in ((one, other), (other, one)):
            known = Sibling(peer.origin(), "peer", peer.vector())
            member.do(partial(siblings.note, siblings=(known,)))
            member.seal()


def names(member: Member) -> list[tuple[int, str]]:
    """The ranches."""
    return member.rows("SELECT number, name FROM ranch ORDER BY number")


def test_a_restored_backup_loses_nothing_and_brings_nothing_back(
    one: Member, other: Member, blank: Member
) -> None:
    """What was written after the backup comes back from the sibling, with its deaths."""
    one.sql("INSERT INTO ranch (number, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    tell(one, other)
    note(one, other, other.vector())
    one.sql("UPDATE ranch SET name = 'in the backup, not told' WHERE number = 3")
    one.seal()
    backup = copied(one, blank)
    one.sql(
        "INSERT INTO ranch (number, name) VALUES (4, 'after the backup')",
        "DELETE FROM ranch WHERE number = 1",
        "UPDATE ranch SET name = 'changed' WHERE number = 2",
    )
    tell(one, other)
    backup.sql(
        "INSERT INTO ranch (number, name) VALUES (5, 'after the restore')",
        "UPDATE ranch SET name = 'again' WHERE number = 3",
    )
    renew(backup)
    backup.sql("INSERT INTO ranch (number, name) VALUES (6, 'as another')")
    meet(backup, other)
    assert names(backup) == [
        (2, "changed"),
        (3, "again"),
        (4, "after the backup"),
        (5, "after the restore"),
        (6, "as another"),
    ]
    assert rows(backup) == rows(other)
    changed = backup.rows(
        "SELECT row_key, kind FROM herdbook_changelog WHERE origin = 4000000000 ORDER BY `position`"
    )
    assert {(b"5", "insert"), (b"3", "update"), (b"6", "insert")} == set(changed)


def test_a_copy_and_its_original_both_go_on(one: Member, other: Member, blank: Member) -> None:
    """Both wrote since; positions that both gave mean two things, until one has a new origin."""
    family(one)
    tell(one, other)
    note(one, other, other.vector())
    twin = copied(one, blank)
    one.sql("INSERT INTO ranch (number, name) VALUES (100, 'original')")
    twin.sql(
        "INSERT INTO ranch (number, name) VALUES (200, 'copy')",
        "INSERT INTO ranch (number, name) VALUES (201, 'copy')",
    )
    tell(one, other)
    renew(twin)
    meet(twin, other)
    meet(one, other)
    meet(twin, other)
    assert rows(one) == rows(other) == rows(twin)
    assert [number for number, _name in names(one) if number >= 100] == [100, 200, 201]


def test_what_a_copy_wrote_travels_though_nobody_else_wrote(
    one: Member, other: Member, blank: Member
) -> None:
    """Siblings tell that they know no more of the former origin; no delta is needed for that."""
    family(one)
    tell(one, other)
    note(one, other, other.vector())
    twin = copied(one, blank)
    twin.sql("INSERT INTO ranch (number, name) VALUES (200, 'copy')")
    renew(twin)
    assert (200, "copy") not in names(other)
    meet(twin, other)
    assert rows(other) == rows(twin)
    assert (200, "copy") in names(other)


def test_a_backup_from_before_the_horizon_is_brought_up_by_a_snapshot(
    one: Member, other: Member, blank: Member
) -> None:
    """Rows that died since and were forgotten stay away; what it wrote itself is kept."""
    one.sql("INSERT INTO ranch (number, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    tell(one, other)
    note(one, other, other.vector())
    backup = copied(one, blank)
    one.sql("DELETE FROM ranch WHERE number = 1", "UPDATE ranch SET name = 'x' WHERE number = 2")
    tell(one, other)
    assert prune(other) > 0
    backup.sql("INSERT INTO ranch (number, name) VALUES (5, 'after the restore')")
    renew(backup)
    meet(backup, other)
    assert rows(backup) == rows(other)
    assert names(backup) == [(2, "x"), (3, "c"), (5, "after the restore")]


def test_until_triggers_follow_the_sealer_puts_the_origin_right(one: Member) -> None:
    """A kill between the two steps loses nothing, and gives no position twice."""
    one.sql("INSERT INTO ranch (number) VALUES (1)")
    one.seal()
    former = one.origin()
    assert one.do(lambda tx: draw(tx, former, NEW))
    assert not one.do(lambda tx: draw(tx, former, NEW + 1))
    one.sql("INSERT INTO ranch (number) VALUES (2)")
    one.seal()
    origins = [origin for (origin,) in one.rows("SELECT origin FROM herdbook_changelog")]
    assert origins == [NEW, NEW]
    assert one.vector() == {former: 0, NEW: 2}
    assert follow_origin(as_url(one), 10)
    one.sql("INSERT INTO ranch (number) VALUES (3)")
    assert one.rows("SELECT origin FROM herdbook_inbox") == [(NEW,)]


def test_rows_of_the_former_origin_do_not_die_by_a_snapshot_of_who_never_heard_of_them(
    one: Member, other: Member, third: Member
) -> None:
    """What siblings had acknowledged under it is still known to be above the sender's vector."""
    one.sql("INSERT INTO ranch (number, name) VALUES (1, 'a'), (2, 'b')")
    tell(one, other)
    note(one, other, other.vector())
    renew(one)
    third.sql("INSERT INTO ranch (number, name) VALUES (7, 'x'), (8, 'y')")
    prune(third)
    tell(third, one)
    tell(one, third)
    tell(one, other, 2)
    for member in (one, other, third):
        assert names(member) == [(1, "a"), (2, "b"), (7, "x"), (8, "y")]


def test_what_was_written_under_the_former_origin_and_loses_is_in_the_journal(
    one: Member, other: Member, third: Member
) -> None:
    """Also where it had been acknowledged by a sibling, which is not the one that wins."""
    one.sql("INSERT INTO ranch (number, name) VALUES (1, 'a')")
    tell(one, third)
    one.sql("UPDATE ranch SET name = 'lost' WHERE number = 1")
    tell(one, other)
    note(one, other, other.vector())
    renew(one)
    third.sql("UPDATE ranch SET name = 'wins' WHERE number = 1")
    tell(third, one)
    assert names(one) == [(1, "wins")]
    assert one.rows("SELECT rule FROM herdbook_journal") == [("later write",)]


def test_a_copy_tells_again_what_a_third_node_took_for_the_originals(
    one: Member, other: Member, blank: Member
) -> None:
    """Both wrote under the same positions: the third acknowledged what it never had."""
    one.sql("INSERT INTO ranch (number, name) VALUES (1, 'a')")
    tell(one, other)
    note(one, other, other.vector())
    copy = copied(one, blank)
    one.sql("INSERT INTO ranch (number, name) VALUES (2, 'of the original')")
    copy.sql("INSERT INTO ranch (number, name) VALUES (3, 'of the copy')")
    tell(one, other, 2)
    copy.seal()
    note(copy, other, other.vector())
    renew(copy, doubtful=3_600.0)
    meet(copy, other)
    tell(other, one, 2)
    every = [(1, "a"), (2, "of the original"), (3, "of the copy")]
    assert names(copy) == names(other) == names(one) == every
    assert copy.rows("SELECT * FROM herdbook_journal") == []
