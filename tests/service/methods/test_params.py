"""Parameters find their places, by name and by position, one record or many."""

from __future__ import annotations

from typing import Any

import pytest

from records.base import Record
from records.catalogue import catalogue_of
from records.fields import Integer, Text
from service.errors import ParametersRefused, ValuesRefused
from service.methods.api import build_registry
from service.methods.subjects import MOST_RECORDS
from tests.service.methods.calls import Api, Statements, places
from tests.service.methods.memory import Remembering, remembering
from tests.service.methods.samples import CATALOGUE

ROW = {"code": "BE", "title": "Bern"}
JSON_ROW = dict(ROW)


class Folder(Record):
    """A record with a field that has the name of an option."""

    number = Integer(primary=True)
    record = Text(length=5)
    fields = Text(length=5, default="")


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({"code": "BE", "title": "Bern"}, JSON_ROW),
        ({"record": ROW}, JSON_ROW),
        ({"records": [ROW, ROW]}, [JSON_ROW, JSON_ROW]),
        ({"records": []}, []),
        ([ROW], JSON_ROW),
        ([[ROW]], [JSON_ROW]),
        ([[]], []),
    ],
)
def test_create_takes_one_record_or_many_in_every_form(params: Any, answer: Any) -> None:
    """The answer has the form of the question."""
    api, _store = remembering()
    assert api.call("region.create", params) == answer


@pytest.mark.parametrize(
    ("params", "keys", "many"),
    [
        ({"code": "BE"}, [("BE",)], False),
        ({"record": "BE"}, [("BE",)], False),
        ({"record": {"code": "BE"}}, [("BE",)], False),
        (["BE"], [("BE",)], False),
        ([{"code": "BE"}], [("BE",)], False),
        ([["BE", {"code": "ZH"}]], [("BE",), ("ZH",)], True),
        ({"records": ["BE", "ZH"]}, [("BE",), ("ZH",)], True),
        ({"records": []}, [], True),
    ],
)
def test_get_takes_one_key_or_many_in_every_form(params: Any, keys: Any, many: bool) -> None:
    """Bare keys and objects may be mixed."""
    api, store = remembering([ROW] * len(keys))
    assert api.call("region.get", params) == ([ROW] * len(keys) if many else ROW)
    assert store.asked[2] == keys


@pytest.mark.parametrize("params", [{"code": "BE", "fields": ["title"]}, ["BE", ["title"]]])
def test_get_takes_fields_beside_the_key(params: Any) -> None:
    """Only they are asked of the store and answered."""
    api, store = remembering([{"title": "Bern"}])
    assert api.call("region.get", params) == {"title": "Bern"}
    assert store.asked[3] == ("title",)


def test_a_composite_key_is_an_object_or_a_list_of_its_parts() -> None:
    """A list of such keys is told from a single one by its place."""
    farm = "00000000-0000-0000-0000-000000000001"
    api, store = remembering([None, None])
    api.call("stall.get", {"records": [{"farm_id": farm, "place": 1}, [farm, 2]]})
    assert [key[1] for key in store.asked[2]] == [1, 2]


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("region.get", {"code": "BE", "feilds": []}, [("/feilds", "params.unknown")]),
        ("region.get", {"record": "BE", "records": []}, [("/record", "params.conflicting")]),
        ("region.get", {"record": "BE", "code": "BE"}, [("/code", "params.conflicting")]),
        ("region.get", {"record": "BE", "cod": "BE"}, [("/cod", "params.unknown")]),
        ("region.get", {"records": "BE"}, [("/records", "value.wrong_type")]),
        ("region.get", [], [("/record", "params.missing")]),
        ("region.get", ["BE", ["code"], 7], [("/2", "params.too_many")]),
        ("region.count", ["x", "y"], [("/1", "params.too_many"), ("/0", "where.malformed")]),
        ("region.farms.list", {}, [("/of", "params.missing")]),
        ("region.farms.list", {"of": 7}, [("/of", "value.wrong_type")]),
        (
            "region.farms.list",
            [{"cod": 1}],
            [("/0/cod", "field.unknown"), ("/0/code", "value.required")],
        ),
        ("region.farms.clear", {"of": "BE", "delete": 1}, [("/delete", "value.wrong_type")]),
        ("region.farms.clear", {"of": "BE"}, [("/delete", "reference.required")]),
        ("region.farms.add", {"of": "BE"}, [("/record", "params.missing")]),
        ("schema.describe", {"record": "regoin"}, [("/record", "record.unknown")]),
        ("schema.describe", {"record": ["region"]}, [("/record", "record.unknown")]),
        ("system.methodHelp", {"name": 7}, [("/name", "value.wrong_type")]),
        ("system.methodHelp", [], [("/name", "params.missing")]),
        ("system.listMethods", [1], [("/0", "params.too_many")]),
    ],
)
def test_wrong_parameters_are_told_with_their_places(
    method: str, params: Any, expected: list[tuple[str, str]]
) -> None:
    """Unknown, missing, too many, of the wrong shape."""
    api, _store = remembering([])
    error = api.refused(method, params)
    assert isinstance(error, ParametersRefused)
    assert [(pointer, code) for _index, pointer, code in places(error)] == expected


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("schema.describe", {"record": "nothing like it"}),
        ("journal.list", {"record": "nothing like it"}),
        ("held.list", {"record": "nothing like it"}),
    ],
)
def test_which_classes_there_are_is_told_where_none_is_near(
    method: str, params: dict[str, Any]
) -> None:
    """A near one is suggested instead."""
    api, _store = remembering()
    (failure,) = api.refused(method, params).failures
    listed = ", ".join(sorted(CATALOGUE.records))
    assert failure.message == f"there is no record class nothing like it; there are {listed}"
    near = api.refused("schema.describe", {"record": "regoin"}).failures[0].message
    assert near == "there is no record class regoin; did you mean region?"


def test_wrong_parameters_and_wrong_values_are_told_together() -> None:
    """Then every pointer leads into the parameters."""
    api, _store = remembering()
    params = {"of": 7, "records": [{"name": 5, "id": "x", "nmae": ""}, "y"]}
    error = api.refused("region.farms.add", params)
    assert isinstance(error, ParametersRefused)
    assert sorted(places(error), key=str) == [
        (None, "/of", "value.wrong_type"),
        (None, "/records/0/id", "value.bad_format"),
        (None, "/records/0/name", "value.wrong_type"),
        (None, "/records/0/nmae", "field.unknown"),
        (None, "/records/1", "value.bad_format"),
    ]


def test_an_unknown_field_of_a_flat_record_is_a_wrong_value() -> None:
    """As it is in every other form."""
    api, _store = remembering()
    for params in ({"code": "BE", "titel": "x"}, {"record": {"code": "BE", "titel": "x"}}):
        error = api.refused("region.create", params)
        assert isinstance(error, ValuesRefused)
        assert places(error) == [
            (None, "/titel", "field.unknown"),
            (None, "/title", "value.required"),
        ]
        assert "did you mean title?" in error.message


def test_a_field_called_like_an_option_needs_the_wrapped_form() -> None:
    """The option wins by name; inside `record` the field is reached."""
    store: Any = Remembering()
    api = Api(build_registry(catalogue_of([Folder]), store), Statements())
    whole = {"number": 1, "record": "a", "fields": "b"}
    assert api.call("folder.create", {"record": whole}) == whole
    error = api.refused("folder.create", {"number": 1, "record": "a"})
    assert places(error)[0] == (None, "/number", "params.conflicting")


def test_a_call_takes_a_limited_number_of_records() -> None:
    """One more than the limit is refused as a whole."""
    api, store = remembering([None] * MOST_RECORDS)
    api.call("animal.get", {"records": list(range(MOST_RECORDS))})
    store.asked = ()
    error = api.refused("animal.get", {"records": list(range(MOST_RECORDS + 1))})
    assert places(error) == [(None, "/records", "params.too_many_records")]
    assert store.asked == ()


def test_thousands_of_unknown_names_are_refused_quickly_and_briefly() -> None:
    """Looking for what was meant ends at a hundred names."""
    api, _store = remembering([])
    error = api.refused("animal.list", {f"name{number}": 1 for number in range(50_000)})
    assert len(error.failures) == 100
