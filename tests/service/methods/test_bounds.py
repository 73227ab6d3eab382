"""What is wrong a million times costs no more than what is wrong a few times."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import pytest

from service.methods import listing
from service.methods.paths import find_path
from tests.service.methods.calls import Api, places
from tests.service.methods.memory import remembering

FEW, MOST_LOOKED_AT = 10, 1_001


class Counter:
    """A function that counts how often it is called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.calls = 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call it once more."""
        self.calls += 1
        return self._function(*arguments, **named)


@pytest.fixture
def suggestions(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Counts how often a near name is looked for."""
    counter = Counter(difflib.get_close_matches)
    monkeypatch.setattr(difflib, "get_close_matches", counter)
    return counter


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Counts how often a field is looked up."""
    counter = Counter(find_path)
    monkeypatch.setattr(listing, "find_path", counter)
    return counter


@pytest.fixture
def api() -> Api:
    """The methods on a store that remembers."""
    return remembering([])[0]


def many(times: int, thing: object) -> list[Any]:
    """The same thing again and again."""
    return [thing] * times


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("animal.list", {"fields": many(20, "nmae")}),
        ("animal.get", {"record": 1, "fields": many(20, "nmae")}),
        ("animal.list", {"where": ["and", *many(900, ["nmae", "=", 1])]}),
        ("animal.list", {"where": ["or", *many(900, ["name", "starts_wiht", "a"])]}),
        ("animal.list", {f"were{number}": 1 for number in range(90)}),
        ("farm.create", {"records": many(50, {f"nmae{at}": 1 for at in range(20)})}),
        ("farm.update", {"records": many(50, {f"nmae{at}": 1 for at in range(20)})}),
        ("farm.upsert", {"records": many(50, {f"nmae{at}": 1 for at in range(20)}), "x": 1}),
        ("farm.delete", {"records": many(50, {"idd": 1})}),
        ("farm.animals.add", {"of": "x", "records": many(50, {"nmae": 1})}),
        ("farm.animals.remove", {"of": "x", "records": many(50, {"nmbr": 1})}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_near_names_are_looked_for_a_few_times_in_a_call(
    api: Api, suggestions: Counter, method: str, params: dict[str, Any]
) -> None:
    """Every mistake is told; the first ones with what was meant."""
    error = api.refused(method, params)
    assert suggestions.calls == FEW
    assert len(error.failures) >= 20
    suggested = ["did you mean" in failure.message for failure in error.failures]
    assert sum(suggested) <= FEW


@pytest.mark.parametrize(("names", "failures"), [(20, 22), (90, 1)])
def test_names_that_may_be_fields_or_options_are_looked_for_a_few_times(
    api: Api, suggestions: Counter, names: int, failures: int
) -> None:
    """Among both; where there are more than any record has, that is all there is to say."""
    error = api.refused("farm.create", {f"nmae{at}": 1 for at in range(names)})
    assert len(error.failures) == failures
    assert suggestions.calls <= 2 * FEW


@pytest.mark.parametrize(
    "records", [many(50, {f"nmae{at}": 1 for at in range(20)}), many(50, {"nmae": 1})]
)
def test_only_the_first_mistakes_of_a_call_are_told_what_was_meant(
    api: Api, records: list[Any]
) -> None:
    """However they lie in its records."""
    error = api.refused("farm.create", {"records": records})
    unknown = [failure for failure in error.failures if failure.code == "field.unknown"]
    told = ["did you mean name?" in failure.message for failure in unknown]
    assert told == [True] * FEW + [False] * (len(unknown) - FEW)


@pytest.mark.parametrize("method", ["animal.list", "animal.get"])
def test_more_field_names_than_there_are_fields_are_not_looked_at(
    api: Api, suggestions: Counter, method: str
) -> None:
    """A list of a million names is one mistake."""
    error = api.refused(method, {"fields": many(1_000_000, "nmae")} | subject(method))
    assert places(error) == [(None, "/fields", "value.too_long")]
    assert suggestions.calls == 0


def subject(method: str) -> dict[str, Any]:
    """What a method needs besides."""
    return {"record": 1} if method == "animal.get" else {}


@pytest.mark.parametrize(
    "where",
    [
        ["and", *many(50_000, ["nmae", "=", 1])],
        ["or", *many(50_000, ["name", "=", "a"])],
        ["or", *many(200, ["and", *many(200, ["name", "=", "a"])])],
        ["and", *many(50_000, ["number", "in", []])],
    ],
    ids=["unknown", "known", "nested", "empty"],
)
def test_conditions_beyond_the_limit_are_not_looked_at(
    api: Api, looked_up: Counter, where: Any
) -> None:
    """A thousand values are read; then it is clear that there are too many."""
    error = api.refused("animal.list", {"where": where})
    assert places(error)[-1] == (None, "/where", "where.too_large")
    assert looked_up.calls == MOST_LOOKED_AT


@pytest.mark.parametrize("part", [1, [], ["name"], ["not", 1, 2], ["name", "=", 1, 2]], ids=str)
def test_what_is_no_condition_counts_like_one(api: Api, part: object) -> None:
    """A million of them are not a million mistakes."""
    error = api.refused("animal.list", {"where": ["and", *many(1_000_000, part)]})
    assert len(error.failures) <= 2 * MOST_LOOKED_AT
    assert error.failures[-1].code == "where.too_large"
