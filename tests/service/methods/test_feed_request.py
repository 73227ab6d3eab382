"""What readers of the feed may ask, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import ParametersRefused
from service.methods.feed import FeedMethods
from service.methods.feed_request import READING, SUBSCRIPTION, FeedRequest, read_request
from service.methods.params import Signature, bind
from service.methods.registry import Registry
from tests.service.methods.calls import finished
from tests.service.methods.samples import CATALOGUE

MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"from": -1}, "/from", "position.malformed"),
    ({"from": "0"}, "/from", "position.malformed"),
    ({"from": "NOW"}, "/from", "position.malformed"),
    ({"from": 1.0}, "/from", "position.malformed"),
    ({"from": True}, "/from", "position.malformed"),
    ({"from": 2**63}, "/from", "position.malformed"),
    ({"from": [0]}, "/from", "position.malformed"),
    ({"limit": 0}, "/limit", "limit.invalid"),
    ({"limit": 1001}, "/limit", "limit.invalid"),
    ({"limit": "5"}, "/limit", "limit.invalid"),
    ({"limit": True}, "/limit", "limit.invalid"),
    ({"limit": 5.0}, "/limit", "limit.invalid"),
    ({"rows": 1}, "/rows", "value.wrong_type"),
    ({"rows": "true"}, "/rows", "value.wrong_type"),
    ({"wait_seconds": -0.1}, "/wait_seconds", "wait.invalid"),
    ({"wait_seconds": 25.1}, "/wait_seconds", "wait.invalid"),
    ({"wait_seconds": float("nan")}, "/wait_seconds", "wait.invalid"),
    ({"wait_seconds": "5"}, "/wait_seconds", "wait.invalid"),
    ({"wait_seconds": True}, "/wait_seconds", "wait.invalid"),
    ({"wait_seconds": 10**400}, "/wait_seconds", "wait.invalid"),
    ({"records": "farm"}, "/records", "value.wrong_type"),
    ({"records": []}, "/records", "value.wrong_type"),
    ({"records": ["farm", "form"]}, "/records/1", "record.unknown"),
    ({"records": ["farm", None]}, "/records/1", "record.unknown"),
    ({"records": ["farm", ["farm"]]}, "/records/1", "record.unknown"),
    ({"where": ["name", "=", "x"]}, "/where", "where.malformed"),
    ({"where": "farm"}, "/where", "where.malformed"),
    ({"where": {"form": ["name", "=", "x"]}}, "/where/form", "record.unknown"),
    ({"where": {"farm": {}}}, "/where/farm", "where.malformed"),
    ({"where": {"farm": None}}, "/where/farm", "where.malformed"),
    ({"where": {"farm": ["nmae", "=", "x"]}}, "/where/farm/0", "field.unknown"),
    ({"where": {"farm": ["name", "==", "x"]}}, "/where/farm/1", "operator.unknown"),
    ({"where": {"farm": ["name", "=", 1]}}, "/where/farm/2", "value.wrong_type"),
    ({"where": {"farm": ["region.title", "=", "x"]}}, "/where/farm/0", "where.other_record"),
    ({"where": {"farm": ["region", "=", "x"]}}, "/where/farm/0", "field.unknown"),
    ({"where": {"animal": ["extra", "=", 1]}}, "/where/animal/1", "operator.not_possible"),
    (
        {"records": ["stall"], "where": {"farm": ["name", "=", "x"]}},
        "/where/farm",
        "where.not_wanted",
    ),
    ({"consumer": ""}, "/consumer", "consumer.malformed"),
    ({"consumer": 5}, "/consumer", "consumer.malformed"),
    ({"consumer": "a b"}, "/consumer", "consumer.malformed"),
    ({"consumer": "x" * 65}, "/consumer", "consumer.malformed"),
    ({"consumer": "é"}, "/consumer", "consumer.malformed"),
    ({"consumer": "a\n"}, "/consumer", "consumer.malformed"),
    ({"form": 0}, "/form", "params.unknown"),
    ({"timeout": 5}, "/timeout", "params.unknown"),
]


def asked(params: Any) -> FeedRequest:
    """What these parameters ask for."""
    return read_request(CATALOGUE, bind(Signature(READING), params))


def failures(params: Any) -> list[tuple[str, str]]:
    """Pointer and code of all that is wrong."""
    with pytest.raises(ParametersRefused) as refused:
        asked(params)
    return [(failure.pointer, failure.code) for failure in refused.value.failures]


@pytest.mark.parametrize(("params", "pointer", "code"), MISTAKES)
def test_a_mistake_is_told_with_its_place(params: dict[str, Any], pointer: str, code: str) -> None:
    """That one, and no other."""
    assert failures(params) == [(pointer, code)]


def test_all_mistakes_are_told_at_once() -> None:
    """One for each parameter that there is."""
    params = {
        "from": "then",
        "limit": 0,
        "records": ["form"],
        "where": {"cow": [], "farm": ["and", ["nmae", "=", 1], ["name", "==", 1]]},
        "rows": 0,
        "wait_seconds": 99,
        "consumer": "?",
        "wiat": 1,
    }
    assert {pointer for pointer, _code in failures(params)} == {
        *("/from", "/limit", "/records/0", "/where/cow"),
        *("/where/farm/1/0", "/where/farm/2/1"),
        *("/rows", "/wait_seconds", "/consumer", "/wiat"),
    }


def test_a_thousand_unknown_classes_are_refused_with_few_words() -> None:
    """The answer stays small."""
    many = [f"class{number}" for number in range(5_000)]
    assert len(failures({"records": many})) == 100
    assert len(failures({"where": {name: [] for name in many}})) <= 110


def test_what_is_absent_has_its_usual_value() -> None:
    """Everything from the beginning, a hundred at a time, at once; null means the same."""
    usual = asked(None)
    assert (usual.start, usual.limit, usual.wait_seconds, usual.consumer) == (0, 100, 0.0, None)
    assert (usual.wanted.records, dict(usual.wanted.where), usual.wanted.rows) == (None, {}, True)
    assert asked({parameter.name: None for parameter in READING}) == usual


def test_what_is_given_counts() -> None:
    """By name and by position."""
    request = asked({"from": "now", "limit": 7, "records": ["farm", "farm"], "rows": False})
    assert (request.start, request.limit, request.wanted.rows) == (None, 7, False)
    assert request.wanted.records == frozenset({"farm"})
    assert asked(["now", ["farm"], None, False, 7]) == request
    assert asked({"wait_seconds": 25, "consumer": "a.b_c:d-9"}).wait_seconds == 25.0


def test_a_subscription_takes_what_a_reading_takes_but_the_wait() -> None:
    """It waits anyway."""
    assert {parameter.name for parameter in READING} - {"wait_seconds"} == {
        parameter.name for parameter in SUBSCRIPTION
    }


@pytest.mark.parametrize("method", ["feed.register", "feed.acknowledge", "feed.forget"])
@pytest.mark.parametrize("name", [None, "", 5, "a b"])
def test_a_consumer_must_have_a_name(method: str, name: Any) -> None:
    """And a position that is one; the store is not even asked."""
    registry = Registry(FeedMethods(CATALOGUE, object()).methods())  # type: ignore[arg-type]
    other = {"feed.register": {"from": -1}, "feed.acknowledge": {"position": -1}}.get(method, {})
    with pytest.raises(ParametersRefused) as refused:
        finished(registry.respond(method, {"consumer": name, **other}))
    assert {failure.pointer for failure in refused.value.failures} == {
        "/consumer",
        *(f"/{parameter}" for parameter in other),
    }


def test_every_method_has_an_example_that_is_not_refused() -> None:
    """What the help shows can be copied."""
    registry = Registry(FeedMethods(CATALOGUE, object()).methods())  # type: ignore[arg-type]
    for method in registry:
        assert bind(method.signature, method.example).problems.failures == []
        assert method.summary.endswith(".")
    asked(registry.find("feed.read").example)


def test_which_classes_there_are_is_told_to_who_names_none_of_them() -> None:
    """In `records` and in `where`."""
    asked_for: list[Any] = [{"records": ["nothing like it"]}, {"where": {"nothing like it": []}}]
    for params in asked_for:
        with pytest.raises(ParametersRefused) as refused:
            asked(params)
        (failure,) = refused.value.failures
        listed = ", ".join(sorted(CATALOGUE.records))
        assert failure.message == f"there is no record class nothing like it; there are {listed}"
