"""What a client writes for `where`, `order` and their like is checked wholly, with places."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import ParametersRefused
from tests.service.methods.calls import places
from tests.service.methods.memory import remembering


def mistakes(**params: Any) -> list[tuple[str, str]]:
    """Pointer and code of everything that is wrong with a list of animals."""
    api, _store = remembering([])
    error = api.refused("animal.list", params)
    assert isinstance(error, ParametersRefused)
    return [(pointer, code) for _index, pointer, code in places(error)]


def message(**params: Any) -> str:
    """What is said first of a list of animals."""
    api, _store = remembering([])
    return api.refused("animal.list", params).message


def nested(levels: int) -> Any:
    """A condition below so many levels, itself one of them."""
    where: Any = ["number", "=", 1]
    for _level in range(levels - 1):
        where = ["not", where]
    return where


@pytest.mark.parametrize(
    ("where", "pointer", "code"),
    [
        ("name", "/where", "where.malformed"),
        ({"name": "x"}, "/where", "where.malformed"),
        ([], "/where", "where.malformed"),
        (["and"], "/where", "where.malformed"),
        (["name", "="], "/where", "where.malformed"),
        (["name", "=", 1, 2], "/where", "where.malformed"),
        (["not", ["name", "=", "a"], ["name", "=", "b"]], "/where", "where.malformed"),
        (["and", ["number", "=", 1], 7], "/where/2", "where.malformed"),
        (["nmae", "=", "x"], "/where/0", "field.unknown"),
        ([["name"], "=", "x"], "/where/0", "value.wrong_type"),
        (["farm", "=", "x"], "/where/0", "field.unknown"),
        (["farm.animals", "=", "x"], "/where/0", "field.unknown"),
        (["barn.name", "=", "x"], "/where/0", "reference.unknown"),
        (["farm.region.titel", "=", "x"], "/where/0", "field.unknown"),
        (["mother." * 6 + "name", "=", "x"], "/where/0", "field.too_far"),
        (["x" * 1000, "=", "x"], "/where/0", "field.unknown"),
        (["name", "~", "x"], "/where/1", "operator.unknown"),
        (["name", None, "x"], "/where/1", "operator.unknown"),
        (["extra", "<", 1], "/where/1", "operator.not_possible"),
        (["marks", "<", ["red"]], "/where/1", "operator.not_possible"),
        (["alive", ">", False], "/where/1", "operator.not_possible"),
        (["number", "like", "1%"], "/where/1", "operator.not_possible"),
        (["address", "contains", "10.0.0.1"], "/where/1", "operator.not_possible"),
        (["number", "=", "x"], "/where/2", "value.bad_format"),
        (["number", "<", None], "/where/2", "value.null"),
        (["number", "in", 1], "/where/2", "value.wrong_type"),
        (["number", "in", [1, "x"]], "/where/2", "value.bad_format"),
        (["number", "in", [1] * 1001], "/where/2", "where.too_large"),
        (["name", "is_null", 1], "/where/2", "value.wrong_type"),
        (["name", "like", 1], "/where/2", "value.wrong_type"),
        (["name", "starts_with", "\ud800"], "/where/2", "value.not_unicode"),
        (["address", "within", "10.0.0.1"], "/where/2", "value.bad_format"),
        (["address", "within", "10.0.0.1/8"], "/where/2", "value.host_bits"),
        (["block", "contains", "10.0.0"], "/where/2", "value.bad_format"),
        (["large", "=", -1], "/where/2", "value.out_of_range"),
    ],
)
def test_a_mistake_in_a_condition_is_told_with_its_place(
    where: Any, pointer: str, code: str
) -> None:
    """The pointer leads to the part that is wrong."""
    assert (pointer, code) in mistakes(where=where)


def test_every_mistake_is_told_at_once() -> None:
    """Parameters, conditions, order, limit, fields and cursor are all checked in one go."""
    found = mistakes(
        where=["or", ["nam", "=", 1], ["and", ["weight", "<", "x"], ["extra", "=", 1]]],
        order=["x", "-marks", "name", "-name"],
        limit=0,
        fields=["name", "nmae"],
        nextt="x",
    )
    assert found == [
        ("/nextt", "params.unknown"),
        ("/where/1/0", "field.unknown"),
        ("/where/2/1/2", "value.bad_format"),
        ("/where/2/2/1", "operator.not_possible"),
        ("/order/0", "field.unknown"),
        ("/order/1", "order.not_possible"),
        ("/order/3", "order.repeated"),
        ("/fields/1", "field.unknown"),
        ("/limit", "limit.invalid"),
    ]


def test_messages_say_what_would_be_right() -> None:
    """A near name is suggested, and the operators that the field has are listed."""
    assert "did you mean name?" in message(where=["nmae", "=", "x"])
    assert "farm_id" in message(where=["farm", "=", "x"])
    assert "=, !=, is_null" in message(where=["marks", "<", ["red"]])
    assert "did you mean starts_with?" in message(where=["name", "start_with", "x"])
    assert "farm, mother" in message(where=["barn.name", "=", "x"])


def test_conditions_have_limits_of_depth_and_size() -> None:
    """Twenty levels and a thousand values pass, one more does not."""
    api, _store = remembering([])
    api.call("animal.list", {"where": nested(20)})
    assert [code for _pointer, code in mistakes(where=nested(21))] == ["where.too_deep"]
    api.call("animal.list", {"where": ["number", "in", [1] * 1000]})
    halves = ["or", ["number", "in", [1] * 500], ["number", "in", [1] * 501]]
    assert mistakes(where=halves) == [("/where", "where.too_large")]


def test_a_list_reaches_over_a_limited_number_of_parents() -> None:
    """Each parent is a join; ten may be in one list."""
    steps = ["mother", "mother.mother", "mother.mother.mother", "mother.mother.mother.mother"]
    conditions = [[f"{step}.{field}.name", "=", "a"] for step in steps for field in ("farm",)]
    regions = [[f"{step}.farm.region.title", "=", "a"] for step in steps[:3]]
    assert mistakes(where=["and", *conditions, *regions]) == [("", "where.too_many_parents")]


def test_a_field_may_be_called_like_a_connective() -> None:
    """`["and", "=", 1]` compares a field, which this record does not have."""
    assert mistakes(where=["and", "=", 1]) == [("/where/0", "field.unknown")]


@pytest.mark.parametrize("limit", [0, 1001, -1, "5", 1.5, True, [5]])
def test_a_limit_is_a_whole_number_from_1_to_1000(limit: Any) -> None:
    """Nothing is clipped or guessed."""
    assert mistakes(limit=limit) == [("/limit", "limit.invalid")]


@pytest.mark.parametrize("fields", [[], "name", {"name": 1}])
def test_fields_are_a_list_that_is_not_empty(fields: Any) -> None:
    """An empty answer is never what was meant."""
    assert mistakes(fields=fields) == [("/fields", "value.wrong_type")]


@pytest.mark.parametrize("order", [7, {"name": 1}, ["name"] * 9])
def test_an_order_is_a_field_or_a_short_list(order: Any) -> None:
    """At most eight fields."""
    assert mistakes(order=order) == [("/order", "order.malformed")]


def test_a_list_given_by_position_is_pointed_into_by_position() -> None:
    """Pointers follow the form in which the parameters were sent."""
    api, _store = remembering([])
    error = api.refused("animal.list", [["nmae", "=", "x"], ["x"], 0])
    assert [pointer for _index, pointer, _code in places(error)] == ["/0/0", "/1/0", "/2"]
