"""A cursor continues the list that gave it, and nothing else."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from service.errors import ParametersRefused
from service.methods.query import Query
from tests.service.methods.calls import places
from tests.service.methods.memory import remembering
from tests.service.methods.samples import ANIMAL
from tests.service.store.pools import every_value

SORTED = ["name", "-weight", "born", "-sort", "address", "chip", "flags"]


def cursor_of(row: dict[str, Any], **params: Any) -> str:
    """The cursor after a page that ends with this row."""
    api, _store = remembering([row, row])
    text = api.call("animal.list", {"limit": 1, **params})["next"]
    assert isinstance(text, str)
    return text


def query_of(**params: Any) -> Query:
    """What the store is asked."""
    api, store = remembering([])
    api.call("animal.list", params)
    query = store.asked[2]
    assert isinstance(query, Query)
    return query


def code_of(**params: Any) -> str:
    """Why a list is refused."""
    api, _store = remembering([])
    error = api.refused("animal.list", params)
    ((_index, pointer, code),) = places(error)
    assert pointer == "/next"
    return code


def packed(value: object) -> str:
    """A cursor made by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_cursor_holds_the_place_of_the_last_row_whatever_its_values() -> None:
    """Every kind of value comes back as it was, NULLs too."""
    for row in every_value():
        text = cursor_of(row, order=SORTED)
        after = query_of(order=SORTED, next=text).after
        assert after == (*(row[name.lstrip("-")] for name in SORTED), row["number"])


def test_only_the_beginning_of_long_text_stands_in_a_cursor() -> None:
    """What the list is not sorted by is not sent around."""
    row = dict.fromkeys(ANIMAL.fields) | {"number": 1, "note": "n" * 60_000}
    text = cursor_of(row, order="note")
    assert len(text) < 1000
    assert query_of(order="note", next=text).after == ("n" * 255, 1)


def test_a_cursor_is_refused_by_any_other_list() -> None:
    """Filter, order, class and parent are bound."""
    row = dict.fromkeys(ANIMAL.fields) | {"number": 1}
    where = ["number", ">", 0]
    text = cursor_of(row, where=where, order="name")
    assert query_of(where=where, order=["name"], next=text, limit=7, fields=["day"]).after
    assert code_of(where=["number", ">", 1], order="name", next=text) == "cursor.foreign"
    assert code_of(order="name", next=text) == "cursor.foreign"
    assert code_of(where=where, order="-name", next=text) == "cursor.foreign"
    assert code_of(where=where, order=["name", "-number"], next=text) == "cursor.foreign"
    api, _store = remembering([])
    error = api.refused("stall.list", {"next": cursor_of(row)})
    assert places(error) == [(None, "/next", "cursor.foreign")]


def test_a_cursor_of_one_parents_children_is_refused_for_another_parent() -> None:
    """Each parent has a list of its own."""
    row = dict.fromkeys(ANIMAL.fields) | {"number": 1}
    api, _store = remembering([row, row])
    one, other = (f"00000000-0000-0000-0000-00000000000{digit}" for digit in "12")
    text = api.call("farm.animals.list", {"of": one, "limit": 1})["next"]
    api.call("farm.animals.list", {"of": one, "limit": 1, "next": text})
    error = api.refused("farm.animals.list", {"of": other, "limit": 1, "next": text})
    assert places(error) == [(None, "/next", "cursor.foreign")]


def test_a_tampered_cursor_is_refused_or_means_another_place_of_the_same_list() -> None:
    """No change of a cursor leads to anything but a clear refusal or a valid place."""
    row = dict.fromkeys(ANIMAL.fields) | {"number": 7, "name": "ä"}
    text = cursor_of(row, order="name")
    changed = [text[:at] + sign + text[at + 1 :] for at in range(len(text)) for sign in "A_z"]
    assert {outcome_of(cursor) for cursor in changed} <= {
        *("cursor.invalid", "cursor.foreign", "a place in the list")
    }


def outcome_of(cursor: str) -> str:
    """What a changed cursor leads to."""
    api, store = remembering([])
    try:
        api.call("animal.list", {"order": "name", "next": cursor})
    except ParametersRefused as error:
        return error.failures[0].code
    return "a place in the list" if len(store.asked[2].after) == 2 else "nowhere"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "not a cursor",
        "ä",
        "A" * 70_000,
        packed([]),
        packed([1, 2]),
        packed({"a": 1, "b": 2, "c": 3}),
        packed("abc"),
        packed(7),
        base64.urlsafe_b64encode(b"[" * 60_000).decode()[:60_000],
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Whatever the text, the answer says what to do."""
    assert code_of(next=text) == "cursor.invalid"


@pytest.mark.parametrize("text", [7, ["x"], {"a": 1}, True])
def test_a_cursor_is_text(text: Any) -> None:
    """Nothing else is looked into."""
    assert code_of(next=text) == "value.wrong_type"


@pytest.mark.parametrize("values", [[], [1, 2], ["x"], [None], [[1]], None, {"0": 1}, [2**70]])
def test_values_in_a_cursor_must_fit_the_order(values: Any) -> None:
    """A forged cursor with the right digest is checked like any value."""
    row = dict.fromkeys(ANIMAL.fields) | {"number": 1}
    text = cursor_of(row)
    form, digest, _values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert code_of(next=packed([form, digest, values])) == "cursor.invalid"
