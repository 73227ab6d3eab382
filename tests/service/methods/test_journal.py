"""`journal.*`: how entries are told, and what is asked to be written back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from records.errors import Failure
from service.errors import Conflict, JournalRefused
from service.herd import journal
from service.methods.api import build_registry
from service.methods.journal_json import CONFLICTS, RULES
from service.methods.journal_port import JournalQuery
from service.methods.raw_values import RawRow
from tests.service.methods.calls import Api, Statements, places
from tests.service.methods.herds import MemoryHerd, noted, put_aside
from tests.service.methods.memory import Remembering
from tests.service.methods.samples import ANIMAL, CATALOGUE, REGION

ANIMAL_ROW = RawRow("animal", ("number",), (7,))


def told_by(herd: MemoryHerd) -> Api:
    """An API on a herd in memory."""
    store: Any = Remembering()
    return Api(build_registry(CATALOGUE, store, herd=herd.ports()), Statements())


def test_an_entry_is_told_whole() -> None:
    """The values by field, moments in RFC 3339, nodes with their names."""
    assert told_by(MemoryHerd()).call("journal.show", {"number": 1}) == {
        "number": 1,
        "noted_at": "1970-01-01T00:00:03.000000Z",
        "rule": "later write",
        "because": RULES["later write"],
        "record": "region",
        "key": {"code": "BE"},
        "life": 1,
        "sender": {"origin": 2, "node": "berlin"},
        "restored_at": None,
        "values": [
            {
                "field": "title",
                "lost": "Bern",
                "lost_at": {"at": "1970-01-01T00:00:01.000000Z", "origin": 1, "node": "hamburg"},
                "lost_by": "token:loader@192.0.2.7",
                "kept": "Berne",
                "kept_at": {"at": "1970-01-01T00:00:02.000000Z", "origin": 2, "node": "berlin"},
                "kept_by": None,
            }
        ],
    }


def test_every_rule_there_is_has_its_words() -> None:
    """A rule that is added is one that is explained."""
    rules = {
        value for name, value in vars(journal).items() if name.isupper() and isinstance(value, str)
    }
    assert rules == RULES.keys()
    assert all(text.endswith(".") for text in RULES.values())
    assert RULES.keys() > CONFLICTS


@pytest.mark.parametrize(
    ("column", "raw", "told"),
    [
        ("weight", Decimal("1.50"), "1.50"),
        ("born", "2026-01-31 12:00:00.000000", "2026-01-31T12:00:00.000000Z"),
        ("marks", "blue,red", ["red", "blue"]),
        ("flags", 5, 5),
        ("flags", b"\x05", 5),
        ("alive", 0, False),
        ("token", b"\0" * 8, "AAAAAAAAAAA="),
        ("extra", '{"a": [1]}', {"a": [1]}),
        ("large", 2**63, str(2**63)),
        ("day", "0000-00-00", "0000-00-00"),
        ("name", None, None),
        ("gone", b"\xff", "/w=="),
        ("gone", 2**60, str(2**60)),
        ("gone", Decimal("2.0"), "2.0"),
        ("gone", 1.5, 1.5),
    ],
)
def test_raw_values_are_told_as_their_fields_tell_them(column: str, raw: Any, told: Any) -> None:
    """What is none of the field, or of no field, is told as it is."""
    entry = noted(put_aside(column, raw), row=ANIMAL_ROW)
    answer = told_by(MemoryHerd(entries=(entry,))).call("journal.show", {"number": 1})
    (value,) = answer["values"]
    lost = set(value["lost"]) if column == "marks" else value["lost"]
    assert lost == (set(told) if column == "marks" else told)
    assert ("column" in value) == (column == "gone")
    assert (value["kept"], value["kept_at"]) == (None, None)


def test_a_row_of_no_class_is_told_by_its_table() -> None:
    """Also where the class has another key by now; a key of unknown parts is told as it is."""
    for row, key in (
        (RawRow("barn", ("id",), (b"\x01",)), {"id": "AQ=="}),
        (RawRow("region", ("name",), ("x",)), {"name": "x"}),
        (RawRow("region", (), (b"\x01\x02",)), {"1": "AQI="}),
    ):
        api = told_by(MemoryHerd(entries=(noted(row=row),)))
        entry = api.call("journal.show", {"number": 1})
        assert (entry["record"], entry["table"], entry["key"]) == (None, row.table, key)
        error = api.refused("journal.restore", {"number": 1})
        assert places(error) == [(None, "/number", "entry.no_class")]


def test_what_is_asked_reaches_the_store() -> None:
    """The table of the class, the rule, the moment to the microsecond, and where to go on."""
    herd = MemoryHerd(entries=tuple(noted(number=number) for number in (9, 8, 7)))
    api = told_by(herd)
    asked = {"record": "region", "rule": "unique", "since": "1970-01-01T00:00:01.000002Z"}
    page = api.call("journal.list", asked | {"limit": 2})
    assert herd.asked == JournalQuery("region", "unique", 1_000_002, None, 2)
    assert [entry["number"] for entry in page["entries"]] == [9, 8]
    page = api.call("journal.list", asked | {"limit": 2, "next": page["next"]})
    assert herd.asked.below == 8
    assert (len(page["entries"]), page["next"]) == (1, None)


def test_values_of_the_call_stand_in_place_of_those_that_lost() -> None:
    """Plain, as their fields have them; the key has a place of its own."""
    values = (put_aside("name", "Ada"), put_aside("weight", Decimal("2.00")))
    herd = MemoryHerd(entries=(noted(*values, put_aside("gone", 1), row=ANIMAL_ROW),))
    api = told_by(herd)
    params = {"number": 1, "values": {"weight": "3.5", "number": 8}, "again": True}
    answer = api.call("journal.restore", params)
    wanted = herd.asked
    assert (wanted.record, wanted.was, wanted.key) == (ANIMAL, (7,), (8,))
    assert wanted.values == {"name": "Ada", "weight": Decimal("3.50")}
    assert wanted.again
    assert (answer["left"], answer["record"]["name"]) == (["gone"], "Ada")
    assert answer["restored_at"] == "1970-01-01T00:00:04.000000Z"


def test_what_lost_and_is_no_value_any_more_has_to_be_given() -> None:
    """A date without a day, and null where it may not be: told at once, with where to put it."""
    broken = noted(put_aside("day", "2026-02-00"), row=ANIMAL_ROW)
    null = noted(put_aside("title", None), number=2)
    api = told_by(MemoryHerd(entries=(broken, null)))
    error = api.refused("journal.restore", {"number": 1})
    assert places(error) == [(None, "/values/day", "value.bad_format")]
    error = api.refused("journal.restore", {"number": 2})
    assert places(error) == [(None, "/values/title", "value.null")]
    answer = api.call("journal.restore", {"number": 2, "values": {"title": "Bern"}})
    assert answer["record"] == {"code": "BE", "title": "Bern"}


def test_failures_of_the_record_point_into_values() -> None:
    """Whether the call gave these values or not: that is where others go."""
    herd = MemoryHerd(error=Conflict([Failure("unique.taken", "taken", "/title", 0)]))
    error = told_by(herd).refused("journal.restore", {"number": 1})
    assert places(error) == [(None, "/values/title", "unique.taken")]
    assert "`values`" in error.advice
    herd.error = JournalRefused([Failure("entry.restored", "restored already", "/again")])
    error = told_by(herd).refused("journal.restore", {"number": 1})
    assert places(error) == [(None, "/again", "entry.restored")]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"fields": []}, "/fields"),
        ({"fields": "title"}, "/fields"),
        ({"fields": [["title"]]}, "/fields/0"),
        ({"fields": ["code"]}, "/fields/0"),
        ({"values": []}, "/values"),
        ({"values": {"titel": 1}}, "/values/titel"),
        ({"again": 1}, "/again"),
    ],
)
def test_what_is_wrong_in_the_call_is_told_with_its_place(
    params: dict[str, Any], pointer: str
) -> None:
    """Nothing is asked of the store then."""
    herd = MemoryHerd()
    error = told_by(herd).refused("journal.restore", {"number": 1} | params)
    assert [place for _index, place, _code in places(error)] == [pointer]
    assert herd.asked is None


def test_the_record_is_answered_in_the_form_of_its_class() -> None:
    """Whole, as from any write."""
    answer = told_by(MemoryHerd()).call("journal.restore", {"number": 1})
    assert answer == {
        "number": 1,
        "outcome": "updated",
        "record": {"code": "BE", "title": "Bern"},
        "left": [],
        "restored_at": "1970-01-01T00:00:04.000000Z",
    }
    assert list(REGION.fields) == list(answer["record"])
