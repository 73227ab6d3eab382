"""The words of `herdbook call` mean exactly what they say."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cli.arguments import checked_json, parse_arguments, parse_params

_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: "=" not in name and not name.endswith(":")
)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


def _word(name: str, value: Any, *, as_text: bool) -> str:
    """How a user writes a value."""
    if as_text and isinstance(value, str):
        return f"{name}={'@' if value.startswith('@') else ''}{value}"
    return f"{name}:={json.dumps(value)}"


@given(st.dictionaries(_names, _values, min_size=1, max_size=4), st.booleans())
def test_named_arguments_become_the_object_they_say(values: dict[str, Any], as_text: bool) -> None:
    """Any names and values come back from the parameters as they went in."""
    words = [_word(name, value, as_text=as_text) for name, value in values.items()]
    assert json.loads(parse_arguments(words) or "") == values


@given(st.lists(_values, min_size=1, max_size=4), st.booleans())
def test_positional_arguments_become_the_list_they_say(values: list[Any], as_text: bool) -> None:
    """Any values come back in their order."""
    words = [_word("", value, as_text=as_text) for value in values]
    assert json.loads(parse_arguments(words) or "") == values


@given(st.lists(st.text(max_size=12).filter(lambda word: "=@" not in word), max_size=4))
def test_any_words_are_parsed_or_refused(words: list[str]) -> None:
    """Whatever is typed makes valid JSON or a usage error, nothing else."""
    try:
        text = parse_arguments(words)
    except click.UsageError:
        return
    assert text is None or isinstance(json.loads(text), dict | list)


@given(_values)
def test_json_is_passed_on_unchanged(value: Any) -> None:
    """Checking JSON does not rewrite it."""
    for text in (json.dumps(value), json.dumps(value, indent=3), f" {json.dumps(value)}\n"):
        assert checked_json(text, "here") is text


@pytest.mark.parametrize("text", ["[1", "", "01", "[1]]", "'a'", "Infinity", "{a:1}", "[1,]"])
def test_json_that_is_none_is_refused_with_the_place(text: str) -> None:
    """The message says what it was looking at."""
    with pytest.raises(click.UsageError, match="--params is not valid JSON"):
        parse_params(text)
