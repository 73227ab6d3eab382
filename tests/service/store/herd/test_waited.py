"""All that is held is written, as far as it can be, on a connection beside the node's."""

from __future__ import annotations

import pytest

from service.database_url import DatabaseUrl
from service.store.herd import waited
from service.store.herd.waited import HeldWriter
from service.store.settings import SessionSettings
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.ranch import CATALOGUE


def writer(member: Member) -> HeldWriter:
    """A writer for a node's database."""
    return HeldWriter(DatabaseUrl.parse(member.url), SessionSettings(), CATALOGUE)


def test_children_are_written_with_parents_that_are_tried_after_them(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few rows are tried at once; what is still refused stays, and is counted."""
    monkeypatch.setattr(waited, "ROWS_AT_ONCE", 1)
    other.sql("ALTER TABLE ranch ADD CONSTRAINT short CHECK (CHAR_LENGTH(name) < 3)")
    signs = ", ".join(f"({number}, 1, 's{number}')" for number in range(10))
    one.sql(
        "INSERT INTO ranch (number, name) VALUES (1, 'long'), (2, 'longer')",
        f"INSERT INTO stable (number, ranch_number, sign) VALUES {signs}",
    )
    one.tell(other)
    other.sql(
        "ALTER TABLE ranch DROP CONSTRAINT short",
        "ALTER TABLE ranch ADD CONSTRAINT short CHECK (CHAR_LENGTH(name) < 5)",
    )
    with writer(other) as held:
        assert held.count() == 12
        assert sum(held.write()) == 11
        assert held.count() == 1
        assert list(held.write()) == [0]
    assert [each.row.key for each in other.held()] == [(2,)]
    other.sql("ALTER TABLE ranch DROP CONSTRAINT short")
    with writer(other) as held:
        assert sum(held.write()) == 1
    quiet(one, other)
    stables = "SELECT number, ranch_number, sign FROM stable ORDER BY number"
    assert other.rows(stables) == one.rows(stables)


def test_a_database_of_before_there_were_herds_holds_nothing(one: Member) -> None:
    """It has no table of what is held."""
    one.sql("DROP TABLE herdbook_held")
    with writer(one) as held:
        assert held.count() == 0
