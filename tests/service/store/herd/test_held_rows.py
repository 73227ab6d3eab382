"""What is held is told, tried again and dropped, by calls."""

from __future__ import annotations

import pytest

from service.database_url import DatabaseUrl
from service.errors import HeldRefused, ParametersRefused
from service.store.herd.waited import HeldWriter
from tests.service.methods.calls import places
from tests.service.store.herd.asides import api, call, entries, refused
from tests.service.store.herd.herds import SESSION, Member, quiet
from tests.service.store.herd.pairs import sums
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.herd.test_applying import family, same
from tests.service.store.herd.test_applying_order import HORSE

SHORT = "ALTER TABLE ranch ADD CONSTRAINT short CHECK (CHAR_LENGTH(name) < 3)"
LIFTED = "ALTER TABLE ranch DROP CONSTRAINT short"


def some_held(one: Member, other: Member) -> None:
    """Two of three ranches are refused at `other`, and a stable waits for one of them."""
    other.sql(SHORT)
    one.sql(
        "INSERT INTO ranch (number, name, brand) VALUES (1, 'ok', 'A'), (2, 'long', 'B'), "
        "(3, 'long', 'C')",
        "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 2, 's'), (2, 1, 't')",
    )
    one.tell(other)


def test_what_is_held_is_told_with_why_and_what(one: Member, other: Member) -> None:
    """Record, key, reason in a word and in words, what waits, and its values."""
    some_held(one, other)
    held = call(other, "held.list")["held"]
    told = {(each["record"], each["key"]["number"], each["reason"]) for each in held}
    assert told == {("ranch", 2, "refused"), ("ranch", 3, "refused"), ("stable", 1, "parent")}
    ranch = next(each for each in held if each["key"] == {"number": 2})
    assert (ranch["waits"], ranch["life"]) == ("record", 1)
    assert "held.retry" in ranch["because"]
    assert "CHECK" in ranch["text"]
    values = {value["field"]: value["value"] for value in ranch["values"]}
    assert values == {"number": 2, "name": "long", "brand": "B"}
    assert {value["at"]["origin"] for value in ranch["values"]} == {one.origin()}
    assert call(one, "held.list") == {"held": [], "next": None}


def test_pages_of_what_is_held_follow_each_other(one: Member, other: Member) -> None:
    """The eldest first, of a class or a reason, and bound to what was asked."""
    some_held(one, other)
    with api(other) as methods:
        whole = methods.call("held.list")["held"]
        assert [each["held_at"] for each in whole] == sorted(each["held_at"] for each in whole)
        first = methods.call("held.list", {"limit": 2})
        rest = methods.call("held.list", {"limit": 2, "next": first["next"]})
        assert first["held"] + rest["held"] == whole
        assert rest["next"] is None
        assert len(methods.call("held.list", {"record": "ranch"})["held"]) == 2
        (stable,) = methods.call("held.list", {"reason": "parent"})["held"]
        assert stable["record"] == "stable"
        error = methods.refused("held.list", {"record": "ranch", "next": first["next"]})
        assert places(error) == [(None, "/next", "cursor.foreign")]


def test_a_retry_writes_what_can_be_written_and_tells_what_cannot(
    one: Member, other: Member
) -> None:
    """First all is refused again; once the cause is gone, two rounds write all."""
    some_held(one, other)
    answer = call(other, "held.retry")
    assert (answer["tried"], answer["written"], answer["next"]) == (3, 0, None)
    assert {each["reason"] for each in answer["held"]} == {"refused", "parent"}
    other.sql(LIFTED)
    answer = call(other, "held.retry", reason="refused")
    assert (answer["tried"], answer["written"], answer["held"]) == (2, 2, [])
    assert call(other, "held.retry")["written"] == 1
    assert call(other, "held.list")["held"] == []
    quiet(one, other)
    same(one, other)


def test_retries_go_on_from_one_to_the_next(one: Member, other: Member) -> None:
    """One row a call; the cursor leads through all, also when each one is written and gone."""
    some_held(one, other)
    other.sql(LIFTED)
    tried, position = 0, None
    for _call in range(5):
        answer = call(other, "held.retry", limit=1, reason="refused", next=position)
        tried, position = tried + answer["tried"], answer["next"]
        if position is None:
            break
    assert (tried, position) == (2, None)
    assert other.rows("SELECT COUNT(*) FROM ranch") == [(3,)]


def test_one_row_is_tried_by_its_key_or_its_id(one: Member, other: Member) -> None:
    """The others are left alone."""
    some_held(one, other)
    other.sql(LIFTED)
    assert call(other, "held.retry", record="ranch", key=2)["written"] == 1
    (left,) = call(other, "held.list", record="ranch")["held"]
    assert left["key"] == {"number": 3}
    assert call(other, "held.retry", id=left["id"])["written"] == 1
    error = refused(other, "held.retry", id=left["id"])
    assert isinstance(error, HeldRefused)
    assert places(error) == [(None, "/id", "held.unknown")]


def test_what_is_dropped_is_in_the_journal_and_can_be_restored(one: Member, other: Member) -> None:
    """With its values; written back later, it is on both nodes."""
    some_held(one, other)
    number = call(other, "held.drop", record="ranch", key={"number": 2})["entry"]
    assert [each["key"] for each in call(other, "held.list", record="ranch")["held"]] == [
        {"number": 3}
    ]
    entry = call(other, "journal.show", number=number)
    assert (entry["rule"], entry["key"], entry["sender"]) == ("dropped", {"number": 2}, None)
    lost = {value["field"]: (value["lost"], value["kept"]) for value in entry["values"]}
    assert lost == {"number": (2, None), "name": ("long", None), "brand": ("B", None)}
    assert all(value["kept_at"] is None for value in entry["values"])
    answer = call(other, "journal.restore", number=number, values={"name": "ok"})
    assert (answer["outcome"], answer["record"]["brand"]) == ("created", "B")
    call(other, "held.retry")
    quiet(one, other)
    assert other.rows("SELECT number FROM stable ORDER BY 1") == [(1,), (2,)]
    assert one.rows("SELECT name FROM ranch WHERE number = 2") == [("ok",)]
    assert sums(one.url, CATALOGUE, "ranch") == sums(other.url, CATALOGUE, "ranch")
    assert call(other, "held.retry", reason="dropped")["written"] == 1
    assert call(other, "held.list", reason="dropped")["held"] == []
    assert sums(one.url, CATALOGUE, "ranch") == sums(other.url, CATALOGUE, "ranch")


def test_nodes_stay_equal_where_something_is_dropped(one: Member, other: Member) -> None:
    """What their vectors say they have they pass on, and that is what is compared."""
    some_held(one, other)
    call(other, "held.drop", record="ranch", key=2)
    quiet(one, other)
    assert other.rows("SELECT number FROM ranch") == [(1,)]
    told, theirs = (
        {row.place: row.state for row in member.delta({}).rows} for member in (one, other)
    )
    assert told == theirs
    for table in ("ranch", "stable"):
        assert sums(one.url, CATALOGUE, table) == sums(other.url, CATALOGUE, table)


def test_what_is_dropped_is_neither_shown_nor_tried_unless_it_is_named(
    one: Member, other: Member
) -> None:
    """Not where all is tried, nor after a migration; and it can be dropped once only."""
    some_held(one, other)
    for key in (2, 3):
        call(other, "held.drop", record="ranch", key=key)
    error = refused(other, "held.drop", record="ranch", key=2)
    assert places(error) == [(None, "/key", "held.unknown")]
    assert "it was dropped before" in error.message
    assert {each["record"] for each in call(other, "held.list")["held"]} == {"stable"}
    shown = call(other, "held.list", reason="dropped")["held"]
    assert {each["key"]["number"] for each in shown} == {2, 3}
    assert {each["text"] for each in shown} != {""}
    assert call(other, "held.retry")["tried"] == 1
    with HeldWriter(DatabaseUrl.parse(other.url), SESSION, CATALOGUE) as writer:
        assert (writer.count(), sum(writer.write())) == (1, 0)
    answer = call(other, "held.retry", record="ranch", key=2)
    assert (answer["written"], answer["held"][0]["reason"]) == (0, "refused")
    other.sql(LIFTED)
    assert call(other, "held.retry", reason="dropped")["written"] == 1
    assert call(other, "held.retry", reason="refused")["written"] == 1
    assert call(other, "held.retry")["written"] == 1
    quiet(one, other)
    same(one, other)


def test_a_dropped_row_is_tried_again_when_a_sibling_changes_it(one: Member, other: Member) -> None:
    """What is told twice is no change."""
    some_held(one, other)
    call(other, "held.drop", record="ranch", key=2)
    other.sql(LIFTED)
    other.apply(one.delta({}))
    assert other.rows("SELECT number FROM ranch ORDER BY 1") == [(1,), (3,)]
    one.sql("UPDATE ranch SET brand = 'X' WHERE number = 2")
    one.tell(other)
    assert call(other, "held.list", reason="dropped")["held"] == []
    quiet(one, other)
    same(one, other)


def test_held_fields_that_are_dropped_tell_what_stands(one: Member, other: Member) -> None:
    """The row keeps what it has, and the journal says so."""
    family(one)
    quiet(one, other)
    other.sql(SHORT)
    one.sql("UPDATE ranch SET name = 'long' WHERE number = 2")
    one.tell(other)
    (held,) = call(other, "held.list")["held"]
    call(other, "held.drop", id=held["id"])
    (entry,) = entries(other)
    (value,) = [each for each in entry["values"] if each["field"] == "name"]
    assert (value["lost"], value["kept"]) == ("long", "b")
    assert value["kept_at"]["origin"] == one.origin()


def test_a_dropped_deletion_is_told_as_one(one: Member, other: Member) -> None:
    """It is not written back as values: the call to repeat it is named."""
    family(one)
    quiet(one, other)
    other.sql(
        "CREATE TRIGGER keep BEFORE DELETE ON horse FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no!'"
    )
    one.sql("DELETE FROM horse WHERE number = 2")
    one.tell(other)
    (held,) = call(other, "held.list")["held"]
    assert (held["waits"], held["life"]) == ("deletion", 2)
    number = call(other, "held.drop", id=held["id"])["entry"]
    error = refused(other, "journal.restore", number=number)
    assert places(error) == [(None, "/number", "entry.deletion")]
    assert "horse.delete" in error.message


def test_what_is_written_over_a_dropped_deletion_stays_here(one: Member, other: Member) -> None:
    """The deletion counts more, also though nobody carries it out here; nodes stay equal."""
    family(one)
    quiet(one, other)
    other.sql(
        "CREATE TRIGGER keep BEFORE DELETE ON horse FOR EACH ROW "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no!'"
    )
    one.sql("DELETE FROM horse WHERE number = 2")
    one.tell(other)
    (held,) = call(other, "held.list")["held"]
    call(other, "held.drop", id=held["id"])
    other.sql("UPDATE horse SET name = 'kept' WHERE number = 2")
    quiet(one, other)
    assert one.rows("SELECT name FROM horse WHERE number = 2") == []
    assert other.rows("SELECT name FROM horse WHERE number = 2") == [("kept",)]
    assert sums(one.url, CATALOGUE, "horse") == sums(other.url, CATALOGUE, "horse")
    other.sql("DROP TRIGGER keep")
    assert call(other, "held.retry", id=held["id"])["written"] == 1
    assert [entry["rule"] for entry in entries(other)] == ["other life", "dropped"]
    quiet(one, other)
    same(one, other)


def test_what_no_class_has_is_told_by_its_table_and_dropped_by_its_id(
    one: Member, other: Member
) -> None:
    """Its columns have numbers there, and its entry can be read but not written back."""
    family(one)
    one.sql(HORSE + "(3, 1, NULL, NULL, 33)")
    other.sql(
        "DROP TABLE horse", "DROP TABLE herdbook_dead_horse",
        "DELETE FROM herdbook_capture WHERE table_name = 'horse'",
    )  # fmt: skip
    one.tell(other)
    held = call(other, "held.list", reason="schema")["held"]
    assert {(each["record"], each["table"]) for each in held} == {(None, "horse")}
    row = next(each for each in held if each["key"] == {"1": 3})
    assert {value["column"]: value["value"] for value in row["values"]}["5"] == 33
    number = call(other, "held.drop", id=row["id"])["entry"]
    entry = call(other, "journal.show", number=number)
    assert (entry["record"], entry["table"]) == (None, "horse")
    error = refused(other, "journal.restore", number=number)
    assert places(error) == [(None, "/number", "entry.no_class")]


@pytest.mark.parametrize(
    ("params", "pointers"),
    [
        ({}, {"/record", "/key"}),
        ({"record": "ranch"}, {"/key"}),
        ({"record": "cow", "key": 1}, {"/record"}),
        ({"record": "ranch", "key": "x"}, {"/key"}),
        ({"id": "x"}, {"/id"}),
        ({"id": "0" * 64, "record": "ranch"}, {"/id"}),
    ],
)
def test_a_row_must_be_named_in_one_way(
    one: Member, params: dict[str, object], pointers: set[str]
) -> None:
    """By class and key, or by id; whatever is wrong is told with its place."""
    error = refused(one, "held.drop", **params)
    assert isinstance(error, ParametersRefused)
    assert {pointer for _index, pointer, _code in places(error)} == pointers
