"""Records are read and written through their methods, on both servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from service.errors import Conflict, NotFound, ValuesRefused
from tests.service.methods.calls import Api, places, serving

FARM = "00000000-0000-0000-0000-000000000001"
NOWHERE = "00000000-0000-0000-0000-00000000ffff"


@pytest.fixture
def api(database: str) -> Iterator[Api]:
    """The methods of the samples; two regions and a farm are there."""
    with serving(database) as served:
        for code, title in (("BE", "Bern"), ("ZH", "Zürich")):
            served.call("region.create", {"code": code, "title": title})
        served.call("farm.create", {"id": FARM, "region_code": "BE", "name": "Hof"})
        yield served


def test_a_record_is_created_with_its_defaults_and_read_back(api: Api) -> None:
    """The answer to create is what get gives later."""
    created = api.call("farm.create", {"region_code": "ZH", "name": "Gut"})
    assert uuid.UUID(created["id"]).version == 7
    assert created | {"region_code": "ZH", "name": "Gut"} == created
    assert api.call("farm.get", [created["id"]]) == created
    assert api.call("farm.get", {"id": created["id"], "fields": ["name"]}) == {"name": "Gut"}


def test_many_records_are_created_together_or_not_at_all(api: Api) -> None:
    """One bad record keeps all out, and every bad one is told with its index."""
    good = {"region_code": "BE", "name": "x"}
    bad: list[Any] = [
        good,
        {"region_code": "BE", "name": "x" * 21},
        "farm",
        good | {"id": FARM},
        {"region_code": "XX", "name": "x"},
        {"nmae": "x", "region_code": None},
        good,
    ]
    error = api.refused("farm.create", {"records": bad})
    assert isinstance(error, ValuesRefused)
    found = places(error)
    assert [index for index, _pointer, _code in found] == [1, 2, 3, 4, 5, 5, 5]
    assert found[0] == (1, "/name", "value.too_long")
    assert found[1] == (2, "", "value.wrong_type")
    assert sorted(found[4:]) == [
        (5, "/name", "value.required"),
        (5, "/nmae", "field.unknown"),
        (5, "/region_code", "value.null"),
    ]
    assert api.call("farm.count") == 1
    assert len(api.call("farm.create", [[good, good]])) == 2
    assert api.call("farm.count") == 3


def test_a_single_record_that_is_refused_is_told_without_an_index(api: Api) -> None:
    """There is nothing to count."""
    error = api.refused("farm.create", {"region_code": "XX", "name": "x"})
    assert isinstance(error, Conflict)
    assert [index for index, _pointer, _code in places(error)] == [None]


def test_get_answers_in_order_with_null_for_what_is_not_there(api: Api) -> None:
    """A single missing record is an error instead."""
    found = api.call("region.get", [["ZH", "XX", "BE", "ZH"]])
    assert [None if row is None else row["code"] for row in found] == ["ZH", None, "BE", "ZH"]
    error = api.refused("region.get", ["XX"])
    assert isinstance(error, NotFound)
    assert places(error) == [(None, "", "record.not_found")]
    assert "XX" in error.message
    error = api.refused("region.get", [["BE", "toolong", 7]])
    assert isinstance(error, ValuesRefused)
    assert [index for index, _pointer, _code in places(error)] == [1, 2]


def test_update_writes_only_what_is_sent(api: Api) -> None:
    """The whole record comes back; the other fields are as they were."""
    assert api.call("farm.update", {"id": FARM, "name": "Neu"}) == {
        "id": FARM,
        "region_code": "BE",
        "name": "Neu",
    }
    assert api.call("farm.update", {"id": FARM})["name"] == "Neu"
    assert api.call("farm.get", [FARM])["region_code"] == "BE"


def test_update_tells_every_record_that_is_missing_or_wrong(api: Api) -> None:
    """Missing records, missing keys, keys given twice and bad values, all at once."""
    changes = [
        {"id": FARM, "name": "a"},
        {"id": NOWHERE, "name": "b"},
        {"name": "c"},
        {"id": FARM, "name": "d"},
        {"id": NOWHERE[:-1] + "e", "name": 5},
    ]
    error = api.refused("farm.update", {"records": changes})
    assert isinstance(error, ValuesRefused)
    assert set(places(error)) >= {
        (1, "", "record.not_found"),
        (2, "/id", "value.required"),
        (3, "", "record.repeated"),
        (4, "/name", "value.wrong_type"),
    }
    assert api.call("farm.get", [FARM])["name"] == "Hof"
    error = api.refused("farm.update", {"id": NOWHERE, "name": "x"})
    assert isinstance(error, NotFound)
    assert places(error) == [(None, "", "record.not_found")]


def test_upsert_changes_what_is_there_and_creates_what_is_not(api: Api) -> None:
    """New records get their defaults, records that are there keep what was not sent."""
    found = api.call(
        "farm.upsert",
        [
            [
                {"id": FARM, "name": "Neu"},
                {"id": NOWHERE, "region_code": "ZH", "name": "Da"},
                {"region_code": "ZH", "name": "Ohne"},
            ]
        ],
    )
    assert found[0] == {"id": FARM, "region_code": "BE", "name": "Neu"}
    assert found[1] == {"id": NOWHERE, "region_code": "ZH", "name": "Da"}
    assert api.call("farm.get", [found[2]["id"]]) == found[2]
    assert api.call("farm.count") == 3
    error = api.refused("farm.upsert", [[{"id": FARM}, {"name": "x"}, {"id": FARM}, 7]])
    assert places(error) == [
        (1, "/region_code", "value.required"),
        (2, "", "record.repeated"),
        (3, "", "value.wrong_type"),
    ]


def test_delete_counts_what_it_deleted_and_refuses_what_is_not_there(api: Api) -> None:
    """A key named twice counts once; one missing record keeps all."""
    api.call("farm.create", {"id": NOWHERE, "region_code": "BE", "name": "x"})
    error = api.refused("farm.delete", [[FARM, NOWHERE[:-1] + "e", NOWHERE]])
    assert isinstance(error, NotFound)
    assert places(error) == [(1, "", "record.not_found")]
    assert api.call("farm.delete", [[FARM, NOWHERE, FARM]]) == {"deleted": 2}
    assert api.call("farm.count") == 0


def test_a_list_is_walked_by_its_cursor(api: Api) -> None:
    """The last page has none; fields and filter stay as they were asked."""
    rows = [{"number": number, "name": "ab"[number % 2]} for number in range(1, 8)]
    api.call("animal.create", {"records": rows})
    params: dict[str, Any] = {"where": ["number", ">", 1], "order": ["name", "-number"]}
    params |= {"limit": 4, "fields": ["number"]}
    first = api.call("animal.list", params)
    assert [row["number"] for row in first["records"]] == [6, 4, 2, 7]
    assert first["records"][0] == {"number": 6}
    last = api.call("animal.list", params | {"next": first["next"]})
    assert last == {"records": [{"number": 5}, {"number": 3}], "next": None}
    assert len(api.call("animal.list", [None, None, 7])["records"]) == 7
    assert api.call("animal.list", [None, None, 7])["next"] is None
    assert api.call("animal.count", [["name", "=", "a"]]) == 3


def test_reading_takes_one_statement(api: Api) -> None:
    """However many records are asked for."""
    api.call("animal.create", {"records": [{"number": number} for number in range(1, 101)]})
    for method, params in (
        ("animal.get", [list(range(1, 101))]),
        ("animal.list", {"limit": 100, "order": "farm.region.title"}),
        ("animal.count", {"where": ["farm.name", "=", "Hof"]}),
        ("farm.animals.list", {"of": FARM}),
    ):
        api.call(method, params)
        selects = [sent for sent in api.statements.sent if sent.startswith("SELECT")]
        assert len(selects) == (
            2 if api.call(method, params) == {"records": [], "next": None} else 1
        )
