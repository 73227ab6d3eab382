"""What meets and cannot stand together is repaired, and both nodes come to the same."""

from __future__ import annotations

from service.store.herd.journal import numbered
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.test_applying import family, same
from tests.service.store.herd.test_applying_order import HORSE


def apart(one: Member, other: Member, here: list[str], there: list[str]) -> set[str]:
    """Both have the family, write apart, and come to rest; the rules in the journals."""
    family(one)
    quiet(one, other)
    one.sql(*here)
    other.sql(*there)
    quiet(one, other)
    same(one, other)
    rules = "SELECT DISTINCT rule FROM herdbook_journal"
    return {rule for member in (one, other) for (rule,) in member.rows(rules)}


def test_a_parent_that_is_held_on_to_lives_again(one: Member, other: Member) -> None:
    """`restrict`: with its values, whoever sees both."""
    rules = apart(
        one, other,
        ["DELETE FROM horse WHERE number = 2", "DELETE FROM horse", "DELETE FROM stable"],
        [HORSE + "(3, 1, NULL, NULL, 13)"],
    )  # fmt: skip
    assert rules == {"revived"}
    assert one.rows("SELECT number, sign, herdbook_life FROM stable") == [(1, "south", 3)]
    assert one.rows("SELECT number FROM horse") == [(3,)]


def test_a_child_dies_with_its_parent(one: Member, other: Member) -> None:
    """`cascade`: its values are in the journal."""
    rules = apart(
        one, other,
        ["DELETE FROM horse WHERE number = 2", "DELETE FROM horse WHERE number = 1"],
        [HORSE + "(3, 1, NULL, 1, 13)"],
    )  # fmt: skip
    assert rules == {"taken along"}
    assert one.rows("SELECT number FROM horse") == []
    assert one.rows("SELECT COUNT(*) FROM herdbook_dead_horse") == [(3,)]


def test_a_child_lets_go_of_its_parent(one: Member, other: Member) -> None:
    """`set_null`."""
    rules = apart(one, other, ["DELETE FROM ranch WHERE number = 2"], [
        HORSE + "(3, 1, 2, NULL, 13)",
    ])  # fmt: skip
    assert rules == {"let go"}
    assert one.rows("SELECT number, owner_number FROM horse") == [(1, None), (2, None), (3, None)]


def test_what_is_held_on_to_from_below_does_not_die_along(one: Member, other: Member) -> None:
    """A ranch is deleted with its stables; elsewhere a horse came into one of them."""
    rules = apart(
        one, other,
        ["DELETE FROM horse WHERE number = 2", "DELETE FROM horse",
         "DELETE FROM ranch WHERE number = 1"],
        ["INSERT INTO stable (number, ranch_number, sign) VALUES (2, 1, 'east')",
         HORSE + "(3, 2, NULL, NULL, 13)"],
    )  # fmt: skip
    assert rules == {"revived"}
    assert one.rows("SELECT number FROM stable ORDER BY 1") == [(2,)]
    assert one.rows("SELECT number FROM ranch ORDER BY 1") == [(1,), (2,)]


def test_of_two_claims_the_later_gives_way(one: Member, other: Member) -> None:
    """It becomes NULL, gets an ending, or the row is withdrawn."""
    rules = apart(
        one, other,
        ["INSERT INTO ranch (number, brand) VALUES (5, 'same')",
         "INSERT INTO stable (number, ranch_number, sign) VALUES (5, 1, 'same')",
         HORSE + "(5, 1, NULL, NULL, 55)"],
        ["INSERT INTO ranch (number, brand) VALUES (6, 'same')",
         "INSERT INTO stable (number, ranch_number, sign) VALUES (6, 1, 'same')",
         HORSE + "(6, 1, NULL, NULL, 55)"],
    )  # fmt: skip
    assert rules == {"unique", "withdrawn"}
    brands = {brand for (brand,) in one.rows("SELECT brand FROM ranch WHERE number > 4")}
    assert brands == {"same", None}
    signs = sorted(sign for (sign,) in one.rows("SELECT sign FROM stable WHERE number > 4"))
    assert signs[0] == "same"
    assert signs[1].startswith("same~")
    assert one.rows("SELECT COUNT(*) FROM horse WHERE number > 4") == [(1,)]


def test_claims_are_compared_as_the_column_does(one: Member, other: Member) -> None:
    """Spellings that its collation takes for the same are one claim, spaces at the end too."""
    for member in (one, other):
        member.sql("ALTER TABLE stable MODIFY sign VARCHAR(20) COLLATE utf8mb4_unicode_ci NOT NULL")
    rules = apart(
        one, other,
        ["INSERT INTO stable (number, ranch_number, sign) VALUES (5, 1, 'Große ')"],
        ["INSERT INTO stable (number, ranch_number, sign) VALUES (6, 1, 'GROSSE')"],
    )  # fmt: skip
    assert rules == {"unique"}
    assert one.rows("SELECT COUNT(DISTINCT sign) FROM stable WHERE number > 4") == [(2,)]


def test_two_writes_of_a_column_leave_the_earlier_in_the_journal(
    one: Member, other: Member
) -> None:
    """Of other columns both stand."""
    rules = apart(
        one, other,
        ["UPDATE ranch SET name = 'early', brand = 'E' WHERE number = 1"],
        ["UPDATE ranch SET name = 'late' WHERE number = 1"],
    )  # fmt: skip
    assert rules == {"later write"}
    assert one.rows("SELECT name, brand FROM ranch WHERE number = 1") == [("late", "E")]


def test_a_delete_wins_over_updates(one: Member, other: Member) -> None:
    """What was written is in the journal."""
    rules = apart(
        one, other,
        ["DELETE FROM horse WHERE number = 2"], ["UPDATE horse SET name = 'q' WHERE number = 2"],
    )  # fmt: skip
    assert rules == {"other life"}
    assert one.rows("SELECT number FROM horse") == [(1,)]


def test_the_journal_tells_both_values_and_both_versions(one: Member, other: Member) -> None:
    """Whose write stands, whose does not, and what it was; the latest entry first."""
    apart(
        one, other,
        ["UPDATE ranch SET name = 'early', brand = NULL WHERE number = 1",
         "UPDATE ranch SET brand = 'gone' WHERE number = 2"],
        ["UPDATE ranch SET name = 'late', brand = 'A2' WHERE number = 1",
         "DELETE FROM ranch WHERE number = 2"],
    )  # fmt: skip
    noted = [
        entry
        for member in (one, other)
        for entry in member.do(lambda tx: numbered(tx, range(1, 10)))
    ]
    by_key = {(entry.rule, entry.row_key): entry for entry in noted}
    lost = by_key["later write", b"1"]
    assert (lost.table, lost.life, lost.restored_at) == ("ranch", 1, None)
    assert [(loss.value, loss.version.origin, loss.kept, loss.kept_version.origin)
            for loss in lost.losses] == [
        ("early", one.origin(), "late", other.origin()),
        (None, one.origin(), "A2", other.origin()),
    ]  # fmt: skip
    assert all(loss.version < loss.kept_version for loss in lost.losses)
    assert [loss.value for loss in by_key["other life", b"2"].losses] == ["gone"]
    for member in (one, other):
        numbers = [entry.number for entry in member.do(lambda tx: numbered(tx, range(1, 10)))]
        assert numbers == sorted(numbers, reverse=True)
