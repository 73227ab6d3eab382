"""Children are listed, added and let go of through their parent, on both servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.errors import NotFound, ParametersRefused, ValuesRefused
from tests.service.methods.calls import Api, places, serving

ONE, TWO, NOWHERE = (f"00000000-0000-0000-0000-00000000000{digit}" for digit in "12f")


@pytest.fixture
def api(database: str) -> Iterator[Api]:
    """Two farms; the first has animals 1 to 3 and a stall, animal 4 has no farm."""
    with serving(database) as served:
        served.call("region.create", {"code": "BE", "title": "Bern"})
        for key in (ONE, TWO):
            served.call("farm.create", {"id": key, "region_code": "BE", "name": "Hof"})
        animals = [
            {"number": number, "farm_id": ONE, "weight": weight}
            for number, weight in ((1, "5"), (2, None), (3, "7"))
        ]
        served.call("animal.create", {"records": [*animals, {"number": 4}]})
        served.call("stall.create", {"farm_id": ONE, "place": 1})
        yield served


def numbers(api: Api, of: str, **params: Any) -> list[int]:
    """The animals of a farm, in order."""
    answer = api.call("farm.animals.list", {"of": of, **params})
    return [row["number"] for row in answer["records"]]


def test_children_are_listed_in_the_order_of_their_collection(api: Api) -> None:
    """Another order and a filter can be asked for; pages follow each other."""
    assert numbers(api, ONE) == [3, 1, 2]
    assert numbers(api, ONE, order="number", where=["weight", "is_null", False]) == [1, 3]
    assert numbers(api, TWO) == []
    first = api.call("farm.animals.list", {"of": ONE, "limit": 2, "fields": ["number"]})
    assert first["records"] == [{"number": 3}, {"number": 1}]
    rest = {"of": ONE, "limit": 2, "fields": ["number"], "next": first["next"]}
    assert api.call("farm.animals.list", rest) == {"records": [{"number": 2}], "next": None}


def test_children_are_listed_with_one_statement(api: Api) -> None:
    """The parent is looked for only where there are no children."""
    api.call("farm.animals.list", {"of": ONE})
    assert len([sent for sent in api.statements.sent if sent.startswith("SELECT")]) == 1


def test_the_children_of_no_parent_are_not_found(api: Api) -> None:
    """An empty list would say that the parent is there."""
    for method, params in (
        ("list", {}),
        ("add", {"record": 4}),
        ("remove", {"record": 4}),
        ("clear", {}),
    ):
        error = api.refused(f"farm.animals.{method}", {"of": NOWHERE, **params})
        assert isinstance(error, NotFound)
        assert (None, "/of", "record.not_found") in places(error)


@pytest.mark.parametrize(("params", "pointer"), [([NOWHERE], "/0"), ({"of": NOWHERE}, "/of")])
def test_a_parent_that_is_not_there_is_pointed_at_where_it_was_sent(
    api: Api, params: Any, pointer: str
) -> None:
    """By position or by name."""
    error = api.refused("farm.animals.list", params)
    assert places(error) == [(None, pointer, "record.not_found")]


def test_keys_move_children_and_objects_make_new_ones(api: Api) -> None:
    """Both in one call; the whole children come back in order."""
    added = api.call("farm.animals.add", [TWO, [{"number": 5, "name": "neu"}, 1, {"number": 4}]])
    assert [(row["number"], row["farm_id"]) for row in added] == [(5, TWO), (1, TWO), (4, TWO)]
    assert (added[0]["name"], added[1]["weight"]) == ("neu", "5.00")
    assert numbers(api, TWO, order="number") == [1, 4, 5]
    assert numbers(api, ONE) == [3, 2]
    assert api.call("farm.animals.add", {"of": ONE, "record": 4})["farm_id"] == ONE


def test_what_cannot_be_added_is_told_for_each_and_nothing_is_written(api: Api) -> None:
    """Missing children, bad values, another parent inside, a child named twice."""
    children = [
        4,
        99,
        {"number": 6, "name": 5},
        {"number": 7, "farm_id": ONE},
        4,
        "x",
        {"number": 8, "farm_id": TWO},
    ]
    error = api.refused("farm.animals.add", {"of": TWO, "records": children})
    assert isinstance(error, ValuesRefused)
    assert places(error) == [
        (1, "", "record.not_found"),
        (2, "/name", "value.wrong_type"),
        (3, "/farm_id", "reference.other_parent"),
        (4, "", "record.repeated"),
        (5, "", "value.bad_format"),
    ]
    assert numbers(api, TWO) == []


def test_a_child_whose_key_holds_its_parent_cannot_move(api: Api) -> None:
    """Its key would be another; where it is, it may be named."""
    key = {"farm_id": ONE, "place": 1}
    assert api.call("farm.stalls.add", {"of": ONE, "record": key})["place"] == 1
    error = api.refused("farm.stalls.add", {"of": TWO, "record": key})
    assert places(error) == [(None, "/farm_id", "reference.other_parent")]
    made = api.call("farm.stalls.add", {"of": TWO, "record": {"place": 9, "width": 2}})
    assert made == {"farm_id": TWO, "place": 9, "width": 2.0}


def test_removed_children_stay_without_a_parent_or_are_deleted(api: Api) -> None:
    """Whichever is asked for."""
    assert api.call("farm.animals.remove", {"of": ONE, "record": 1}) == {"removed": 1}
    assert api.call("animal.get", [1])["farm_id"] is None
    assert api.call("farm.animals.remove", [ONE, [2, 3], True]) == {"removed": 2}
    assert api.call("animal.get", [[1, 2, 3, 4]])[1:3] == [None, None]


def test_only_children_of_the_parent_can_be_removed(api: Api) -> None:
    """Others are named, and none is removed."""
    error = api.refused("farm.animals.remove", {"of": ONE, "records": [1, 4, 99]})
    assert isinstance(error, NotFound)
    assert places(error) == [(1, "", "record.not_found"), (2, "", "record.not_found")]
    assert numbers(api, ONE) == [3, 1, 2]


def test_children_that_need_a_parent_are_only_let_go_of_by_deleting(api: Api) -> None:
    """The message says so, before anything is asked of the database."""
    for method, params in (("clear", {}), ("remove", {"record": {"farm_id": ONE, "place": 1}})):
        error = api.refused(f"farm.stalls.{method}", {"of": ONE, **params})
        assert isinstance(error, ParametersRefused)
        assert places(error) == [(None, "/delete", "reference.required")]
        assert "delete=true" in error.message
    assert api.call("farm.stalls.clear", {"of": ONE, "delete": True}) == {"removed": 1}
    assert api.call("stall.count") == 0


def test_clear_lets_go_of_all_children(api: Api) -> None:
    """They stay, or are deleted where that is asked for."""
    assert api.call("farm.animals.clear", {"of": ONE}) == {"removed": 3}
    assert numbers(api, ONE) == []
    assert api.call("animal.count") == 4
    api.call("farm.animals.add", [TWO, [1, 2]])
    assert api.call("farm.animals.clear", {"of": TWO, "delete": True}) == {"removed": 2}
    assert api.call("animal.count") == 2
