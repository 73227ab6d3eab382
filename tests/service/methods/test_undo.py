"""`list_deleted` and `restore`: what they ask of the store, and how its answers are told."""

from __future__ import annotations

from typing import Any

import pytest

from records.errors import Failure
from schema.capture.columns import DIED, WRITER
from service.errors import Conflict, ParametersRefused
from service.methods.undo_port import Restored, graveyard
from tests.service.methods.calls import places
from tests.service.methods.memory import remembering
from tests.service.methods.samples import REGION

BERN: dict[str, Any] = {"code": "BE", "title": "Bern"}
ZURICH: dict[str, Any] = {"code": "ZH", "title": "Zürich"}


def dead(row: dict[str, Any], died: int) -> dict[str, Any]:
    """A row of the graveyard."""
    return row | {DIED: died, WRITER: "api:unix"}


def test_the_deleted_are_told_with_when_and_by_whom() -> None:
    """Each as it was, in the order of the store's answer."""
    api, store = remembering([dead(BERN, 1_500_000), dead(ZURICH, 0)])
    assert api.call("region.list_deleted") == {
        "records": [
            {
                "record": BERN,
                "deleted_at": "1970-01-01T00:00:01.500000Z",
                "deleted_by": "api:unix",
            },
            {
                "record": ZURICH,
                "deleted_at": "1970-01-01T00:00:00.000000Z",
                "deleted_by": "api:unix",
            },
        ],
        "next": None,
    }
    name, record, query = store.asked
    assert (name, record) == ("list_deleted", REGION)
    assert [(sort.path.name, sort.descending) for sort in query.order] == [
        (DIED, True),
        ("code", True),
    ]
    assert query.limit == 51


def test_pages_follow_each_other() -> None:
    """The cursor holds the place by death and key; it is bound to the condition."""
    where = ["title", "!=", "x"]
    api, store = remembering([dead(BERN, 9), dead(ZURICH, 5)])
    page = api.call("region.list_deleted", {"limit": 1, "where": where})
    assert [one["record"] for one in page["records"]] == [BERN]
    api.call("region.list_deleted", {"limit": 1, "where": where, "next": page["next"]})
    assert store.asked[2].after == (9, "BE")
    error = api.refused("region.list_deleted", {"limit": 1, "next": page["next"]})
    assert places(error) == [(None, "/next", "cursor.foreign")]
    error = api.refused("region.list", {"next": page["next"]})
    assert places(error) == [(None, "/next", "cursor.foreign")]


@pytest.mark.parametrize(
    ("method", "where", "code"),
    [
        ("region.list_deleted", ["name", "=", "x"], "field.unknown"),
        ("region.list_deleted", [DIED, "=", 1], "field.unknown"),
        ("farm.list_deleted", ["region.title", "=", "x"], "reference.unknown"),
    ],
)
def test_conditions_are_about_the_records_own_fields(
    method: str, where: list[Any], code: str
) -> None:
    """No field of a parent, which may be dead itself, and none of the graveyard's own."""
    error = remembering()[0].refused(method, {"where": where})
    assert isinstance(error, ParametersRefused)
    assert places(error) == [(None, "/where/0", code)]


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("region.title", "; use region_code"),
        ("region", "; use region_code"),
        ("barn.name", ", only farm's own"),
    ],
)
def test_a_path_to_a_parent_is_refused_as_what_it_is(path: str, advice: str) -> None:
    """The parent is known among the living, so nobody says that there is no such reference."""
    error = remembering()[0].refused("farm.list_deleted", {"where": [path, "=", "x"]})
    (failure,) = error.failures
    assert failure.message == (
        f"{path}: fields of parents cannot be asked for among deleted records{advice}"
    )


def test_fields_are_chosen_as_in_other_lists() -> None:
    """Only those are read and told, with when and by whom; pages follow each other as before."""
    api, store = remembering(
        [dead({"title": "B", "code": "BB"}, 9), dead({"title": "Z", "code": "ZZ"}, 5)]
    )
    asked = {"fields": ["title"], "limit": 1}
    page = api.call("region.list_deleted", asked)
    assert page["records"] == [
        {
            "record": {"title": "B"},
            "deleted_at": "1970-01-01T00:00:00.000009Z",
            "deleted_by": "api:unix",
        }
    ]
    assert {path.name for path in store.asked[2].select} == {"title", "code", DIED, WRITER}
    api.call("region.list_deleted", asked | {"next": page["next"]})
    assert store.asked[2].after == (9, "BB")


@pytest.mark.parametrize("field", ["name", DIED, "farms", "region.title"])
def test_fields_that_are_none_of_the_records_own_are_refused(field: str) -> None:
    """The graveyard's own are not among them."""
    error = remembering()[0].refused("region.list_deleted", {"fields": ["code", field]})
    assert places(error) == [(None, "/fields/1", "field.unknown")]


def test_one_is_restored() -> None:
    """Given bare, flat or as an object; the whole record comes back, no counts unasked."""
    for params in ({"code": "BE"}, {"record": "BE"}, ["BE"], {"record": {"code": "BE"}}):
        api, store = remembering(Restored([BERN], {}))
        assert api.call("region.restore", params) == {"record": BERN}
        assert store.asked == ("restore", REGION, [("BE",)], False, [])


def test_many_are_restored_with_their_children() -> None:
    """In the order of the call, and counted by class."""
    api, store = remembering(Restored([ZURICH, BERN], {"farm": 3}))
    answer = api.call("region.restore", {"records": ["ZH", "BE"], "children": True})
    assert answer == {"records": [ZURICH, BERN], "children": {"farm": 3}}
    assert store.asked == ("restore", REGION, [("ZH",), ("BE",)], True, [])


def test_what_is_wrong_in_the_call_is_told_at_once() -> None:
    """A key of the wrong form, one that stands there twice, and an option that is none."""
    api, _store = remembering(Restored([], {}))
    error = api.refused("region.restore", {"records": ["BE", "long", "BE"], "children": 1})
    assert set(places(error)) == {
        (None, "/children", "value.wrong_type"),
        (None, "/records/1", "value.too_long"),
        (None, "/records/2", "record.repeated"),
    }
    error = api.refused("region.restore", {"records": ["BE", "BE"]})
    assert places(error) == [(1, "", "record.repeated")]


def test_failures_of_the_store_are_told_as_the_client_counts() -> None:
    """With an index in a list, without one for a single record."""
    api, store = remembering()
    store.error = Conflict([Failure("record.alive", "not deleted", "", 0)])
    assert places(api.refused("region.restore", {"records": ["BE"]})) == [(0, "", "record.alive")]
    assert places(api.refused("region.restore", {"code": "BE"})) == [(None, "", "record.alive")]


def test_the_deleted_may_lack_what_records_must_have() -> None:
    """Those that were deleted before a field was added are told with null, as the schema says."""
    api, _store = remembering([dead({"code": "BE", "title": None}, 0)])
    answer = api.call("region.list_deleted")
    assert answer["records"][0]["record"] == {"code": "BE", "title": None}
    result = api.registry.find("region.list_deleted").result
    fields = result["properties"]["records"]["items"]["properties"]["record"]["properties"]
    assert {"type": "null"} in fields["title"]["anyOf"]
    assert fields["code"]["type"] == "string"


def test_a_graveyard_is_like_a_class_of_records() -> None:
    """The same fields, and two more; no references."""
    found = graveyard(REGION)
    assert found.table == "herdbook_dead_region"
    assert list(found.fields) == ["code", "title", DIED, WRITER]
    assert not found.references
    assert not found.collections
