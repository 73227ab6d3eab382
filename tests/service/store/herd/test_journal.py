"""What lost is told, and one call writes it back: an ordinary write, which siblings get."""

from __future__ import annotations

import re
from typing import Any

import pytest

from schema.capture.triggers import PRINCIPAL
from service.errors import Conflict, JournalRefused, ParametersRefused, ValuesRefused
from service.herd.port import Sibling
from service.store.herd.siblings import note
from tests.service.methods.calls import places
from tests.service.store.herd.asides import api, call, entries, refused, the_entry
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.test_applying import family, same
from tests.service.store.herd.test_applying_order import HORSE
from tests.service.store.herd.test_applying_repairs import apart
from tests.service.store.tools import ask, raw_connection

LOADER = "token:loader@192.0.2.7"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def later_write(one: Member, other: Member) -> tuple[Member, dict[str, Any]]:
    """Both name a ranch, `late` wins."""
    apart(
        one, other,
        ["UPDATE ranch SET name = 'early' WHERE number = 1"],
        ["UPDATE ranch SET name = 'late' WHERE number = 1"],
    )  # fmt: skip
    return the_entry(one, other)


def test_an_entry_tells_what_lost_to_what_where_and_when(one: Member, other: Member) -> None:
    """Both values, both stamps with their nodes, the rule in words, and who brought it."""
    holder, entry = later_write(one, other)
    (value,) = entry.pop("values")
    assert MOMENT.fullmatch(entry.pop("noted_at"))
    assert entry.pop("number") == 1
    assert "neither had seen" in entry.pop("because")
    stranger = (other if holder is one else one).origin()
    assert entry == {
        "rule": "later write", "record": "ranch", "key": {"number": 1}, "life": 1,
        "sender": {"origin": stranger, "node": None}, "restored_at": None,
    }  # fmt: skip
    assert (value["field"], value["lost"], value["kept"]) == ("name", "early", "late")
    assert value["lost_at"]["origin"] == one.origin()
    assert value["kept_at"]["origin"] == other.origin()
    assert MOMENT.fullmatch(value["lost_at"]["at"])
    assert value["lost_at"]["at"] < value["kept_at"]["at"]


def test_an_entry_tells_who_wrote_what_lost_and_what_stands(one: Member, other: Member) -> None:
    """As the changelogs of the two nodes name them, whichever of them notes it."""
    family(one)
    quiet(one, other)
    for member, name, writer in ((one, "early", LOADER), (other, "late", "api:unix")):
        with raw_connection(member.url) as connection:
            ask(connection, f"SET {PRINCIPAL} = '{writer}'")
            ask(connection, f"UPDATE ranch SET name = '{name}' WHERE number = 1")
    quiet(one, other)
    _holder, entry = the_entry(one, other)
    (value,) = entry["values"]
    assert (value["lost"], value["lost_by"]) == ("early", LOADER)
    assert (value["kept"], value["kept_by"]) == ("late", "api:unix")


def test_who_wrote_what_was_taken_along_is_told_as_far_as_it_was_news(
    one: Member, other: Member
) -> None:
    """Of a change that the other node had not seen; of what both had long had nothing is told."""
    apart(
        one, other,
        ["UPDATE horse SET chip = 99 WHERE number = 2"],
        ["DELETE FROM horse WHERE number = 2"],
    )  # fmt: skip
    _holder, entry = the_entry(one, other)
    by = {value["field"]: value["lost_by"] for value in entry["values"]}
    assert by.pop("chip").startswith("sql:")
    assert set(by.values()) <= {None}


def test_nodes_are_told_by_their_names(one: Member, other: Member) -> None:
    """Of this node, and of siblings that were met."""
    holder, entry = later_write(one, other)
    sender = entry["sender"]["origin"]
    holder.do(lambda tx: note(tx, [Sibling(sender, "berlin", {})]))
    (told,) = entries(holder)
    assert told["sender"]["node"] == "berlin"
    (value,) = told["values"]
    assert {value["lost_at"]["node"], value["kept_at"]["node"]} == {"here", "berlin"}


def test_a_value_that_lost_to_a_later_write_comes_back(one: Member, other: Member) -> None:
    """On both nodes, without another conflict; the entry says that it was restored."""
    holder, entry = later_write(one, other)
    answer = call(holder, "journal.restore", number=entry["number"])
    assert answer["outcome"] == "updated"
    assert answer["record"] == {"number": 1, "name": "early", "brand": "A"}
    assert answer["left"] == []
    quiet(one, other)
    same(one, other)
    assert other.rows("SELECT name FROM ranch WHERE number = 1") == [("early",)]
    _holder, told = the_entry(one, other)
    assert told["restored_at"] == answer["restored_at"]


def test_a_second_restore_is_refused_unless_it_is_wanted(one: Member, other: Member) -> None:
    """Nothing is written; `again` writes it once more."""
    holder, _entry = later_write(one, other)
    call(holder, "journal.restore", number=1)
    holder.sql("UPDATE ranch SET name = 'since' WHERE number = 1")
    error = refused(holder, "journal.restore", number=1)
    assert isinstance(error, JournalRefused)
    assert places(error) == [(None, "/again", "entry.restored")]
    assert holder.rows("SELECT name FROM ranch WHERE number = 1") == [("since",)]
    assert call(holder, "journal.restore", number=1, again=True)["record"]["name"] == "early"


def test_what_cannot_be_written_leaves_the_entry_as_it_is(one: Member, other: Member) -> None:
    """The failure points to where another value can be given."""
    apart(
        one, other,
        ["INSERT INTO stable (number, ranch_number, sign) VALUES (5, 1, 'same')"],
        ["INSERT INTO stable (number, ranch_number, sign) VALUES (6, 1, 'same')"],
    )  # fmt: skip
    holder, entry = the_entry(one, other)
    assert (entry["rule"], entry["key"]) == ("unique", {"number": 6})
    error = refused(holder, "journal.restore", number=1)
    assert isinstance(error, Conflict)
    assert places(error) == [(None, "/values/sign", "unique.taken")]
    assert entries(holder)[0]["restored_at"] is None
    answer = call(holder, "journal.restore", number=1, values={"sign": "free"})
    assert answer["record"]["sign"] == "free"
    quiet(one, other)
    same(one, other)


def test_a_record_that_was_taken_along_is_made_again(one: Member, other: Member) -> None:
    """With all its values, as soon as its parent lives; every node gets it."""
    rules = apart(
        one, other,
        ["DELETE FROM horse WHERE number = 2", "DELETE FROM horse WHERE number = 1"],
        [HORSE + "(3, 1, NULL, 1, 13)"],
    )  # fmt: skip
    assert rules == {"taken along"}
    holder = next(member for member in (one, other) if entries(member))
    number = entries(holder)[0]["number"]
    error = refused(holder, "journal.restore", number=number)
    assert places(error) == [(None, "/values/mother_number", "reference.missing")]
    answer = call(holder, "journal.restore", number=number, values={"mother_number": None})
    assert answer["outcome"] == "created"
    assert answer["record"]["chip"] == 13
    quiet(one, other)
    same(one, other)
    for member in (one, other):
        found = member.rows("SELECT number, chip, mother_number FROM horse")
        assert found == [(3, 13, None)]


def test_a_record_that_was_withdrawn_comes_back_under_another_value(
    one: Member, other: Member
) -> None:
    """It had a unique value that it cannot be without."""
    apart(
        one, other,
        [HORSE + "(5, 1, NULL, NULL, 55)"], [HORSE + "(6, 1, NULL, NULL, 55)"],
    )  # fmt: skip
    holder = next(member for member in (one, other) if entries(member))
    (entry,) = entries(holder)
    assert entry["rule"] == "withdrawn"
    error = refused(holder, "journal.restore", number=entry["number"])
    assert places(error) == [(None, "/values/chip", "unique.taken")]
    call(holder, "journal.restore", number=entry["number"], values={"chip": 56})
    quiet(one, other)
    same(one, other)
    chips = "SELECT number, chip FROM horse WHERE number > 4 ORDER BY 1"
    assert one.rows(chips) == [(5, 55), (6, 56)]


def test_what_was_written_to_a_deleted_record_brings_it_back(one: Member, other: Member) -> None:
    """The entry has one field; the graveyard has the others."""
    apart(
        one, other,
        ["DELETE FROM horse WHERE number = 2"], ["UPDATE horse SET name = 'q' WHERE number = 2"],
    )  # fmt: skip
    holder, entry = the_entry(one, other)
    assert [value["field"] for value in entry["values"]] == ["name"]
    answer = call(holder, "journal.restore", number=1)
    assert (answer["outcome"], answer["record"]["name"]) == ("created", "q")
    quiet(one, other)
    same(one, other)
    assert one.rows("SELECT number, name, chip FROM horse ORDER BY 1") == [
        (1, "x", 11), (2, "q", 12),
    ]  # fmt: skip


def test_a_reference_that_was_let_go_of_needs_its_parent(one: Member, other: Member) -> None:
    """The parent is gone; the call says so, and what it may be given instead."""
    apart(one, other, ["DELETE FROM ranch WHERE number = 2"], [HORSE + "(3, 1, 2, NULL, 13)"])
    holder = next(member for member in (one, other) if entries(member))
    number = entries(holder)[0]["number"]
    error = refused(holder, "journal.restore", number=number)
    assert places(error) == [(None, "/values/owner_number", "reference.missing")]
    answer = call(holder, "journal.restore", number=number, values={"owner_number": 1})
    assert answer["record"]["owner_number"] == 1


def test_a_deletion_is_not_written_back_as_values(one: Member, other: Member) -> None:
    """Of a parent that lives again the deletion was put aside: the call says how to repeat it."""
    apart(
        one, other,
        ["DELETE FROM horse WHERE number = 2", "DELETE FROM horse", "DELETE FROM stable"],
        [HORSE + "(3, 1, NULL, NULL, 13)"],
    )  # fmt: skip
    holder = next(member for member in (one, other) if entries(member))
    error = refused(holder, "journal.restore", number=1)
    assert places(error) == [(None, "/number", "entry.deletion")]
    assert "stable.delete" in error.message


def test_some_fields_come_back_and_others_stay(one: Member, other: Member) -> None:
    """`fields` names them; a field that did not lose is refused with what did."""
    apart(
        one, other,
        ["UPDATE ranch SET name = 'early', brand = 'E' WHERE number = 1"],
        ["UPDATE ranch SET name = 'late', brand = 'L' WHERE number = 1"],
    )  # fmt: skip
    holder, _entry = the_entry(one, other)
    error = refused(holder, "journal.restore", number=1, fields=["brnd"])
    assert isinstance(error, ParametersRefused)
    assert places(error) == [(None, "/fields/0", "field.unknown")]
    assert "did you mean brand?" in error.message
    answer = call(holder, "journal.restore", number=1, fields=["brand"])
    assert (answer["record"]["name"], answer["record"]["brand"]) == ("late", "E")


def test_pages_follow_each_other_and_are_about_what_was_asked(one: Member, other: Member) -> None:
    """By class, rule and time; the newest first; a cursor is bound to its list."""
    family(one)
    quiet(one, other)
    for turn in range(3):
        one.sql(f"UPDATE ranch SET name = 'a{turn}' WHERE number IN (1, 2)")
        other.sql(f"UPDATE ranch SET name = 'b{turn}' WHERE number IN (1, 2)")
        quiet(one, other)
    holder = next(member for member in (one, other) if entries(member))
    with api(holder) as methods:
        whole = methods.call("journal.list")["entries"]
        numbers = [entry["number"] for entry in whole]
        assert numbers == sorted(numbers, reverse=True)
        first = methods.call("journal.list", {"limit": 4})
        rest = methods.call("journal.list", {"limit": 4, "next": first["next"]})
        assert first["entries"] + rest["entries"] == whole
        assert (len(first["entries"]), rest["next"]) == (4, None)
        assert methods.call("journal.list", {"record": "horse"})["entries"] == []
        assert methods.call("journal.list", {"rule": "unique"})["entries"] == []
        assert methods.call("journal.list", {"since": "2999-01-01T00:00:00Z"})["entries"] == []
        since = whole[2]["noted_at"]
        found = methods.call("journal.list", {"since": since, "record": "ranch"})["entries"]
        assert found == [entry for entry in whole if entry["noted_at"] >= since]
        error = methods.refused("journal.list", {"rule": "unique", "next": first["next"]})
        assert places(error) == [(None, "/next", "cursor.foreign")]
        assert methods.call("journal.show", {"number": numbers[0]}) == whole[0]


def test_large_entries_make_a_page_shorter(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never shorter than one, and nothing is left out."""
    monkeypatch.setattr("service.store.herd.pages.fitting.__defaults__", (10,))
    family(one)
    quiet(one, other)
    one.sql("UPDATE ranch SET name = 'early'")
    other.sql("UPDATE ranch SET name = 'late'")
    quiet(one, other)
    holder = next(member for member in (one, other) if entries(member))
    page = call(holder, "journal.list")
    assert len(page["entries"]) == 1
    following = call(holder, "journal.list", next=page["next"])
    assert len(following["entries"]) == 1
    assert following["next"] is None


def test_what_the_class_has_no_more_is_told_and_left(one: Member, other: Member) -> None:
    """By its name while it is captured, by its number when even that is gone."""
    holder, _entry = later_write(one, other)
    holder.sql("ALTER TABLE ranch RENAME COLUMN name TO title")
    holder.sql(
        "UPDATE herdbook_capture SET description = REPLACE(description, '\"name\"', '\"title\"') "
        "WHERE table_name = 'ranch'"
    )
    (value,) = entries(holder)[0]["values"]
    assert (value["column"], value["lost"]) == ("title", "early")
    holder.sql(
        "UPDATE herdbook_capture SET description = REPLACE(description, "
        "'[2, \"title\", \"bytes\"], ', '') WHERE table_name = 'ranch'"
    )
    (value,) = entries(holder)[0]["values"]
    assert (value["column"], value["lost"]) == ("2", "early")
    error = refused(holder, "journal.restore", number=1)
    assert places(error) == [(None, "/number", "entry.nothing")]


def test_an_entry_that_is_not_there_is_refused(one: Member) -> None:
    """Shown or restored; a number that is none is a mistake in the call."""
    for method in ("journal.show", "journal.restore"):
        assert places(refused(one, method, number=7)) == [(None, "/number", "entry.unknown")]
        error = refused(one, method, number="x")
        assert isinstance(error, ParametersRefused)
    error = refused(one, "journal.list", since="yesterday", rule="none", record="cow", limit=0)
    assert {pointer for _index, pointer, _code in places(error)} == {
        "/since", "/rule", "/record", "/limit",
    }  # fmt: skip


def test_values_are_checked_as_in_any_call(one: Member, other: Member) -> None:
    """Of the wrong type, too long, or of no field."""
    holder, _entry = later_write(one, other)
    error = refused(holder, "journal.restore", number=1, values={"name": "x" * 41, "nmae": 1})
    assert isinstance(error, ParametersRefused | ValuesRefused)
    assert places(error) == [
        (None, "/values/name", "value.too_long"), (None, "/values/nmae", "field.unknown"),
    ]  # fmt: skip
