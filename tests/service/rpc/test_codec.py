"""Strict JSON: what is refused says where, and nothing the parser meets becomes a crash."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rpc import codec
from service.rpc.refusals import JsonRefused, NestingTooDeep, Unencodable

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
# Many of the characters that mean something to JSON, so that strings look like structure.
TEXT = st.text(st.sampled_from('[]{}:",\\/aé🐄\n\x00') | st.characters(exclude_categories=["Cs"]))
DOCUMENTS = st.recursive(
    SCALARS | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=30
)


def reasons(body: bytes) -> list[tuple[str, str]]:
    """Code and message of each reason for which a text is refused."""
    with pytest.raises(JsonRefused) as caught:
        codec.decode(body, 10)
    return [(failure.code, failure.message) for failure in caught.value.failures]


def depth(value: object) -> int:
    """How deep a value nests, written the naive way."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(DOCUMENTS)
def test_what_is_encoded_is_decoded_again(value: object) -> None:
    """A value survives the way out and in, whatever its strings look like."""
    assert codec.decode(codec.encode(value), 100) == value


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
def test_the_depth_is_counted_exactly(value: object, ascii_only: bool, indent: int | None) -> None:
    """A text as deep as the limit is read and one level more is not, however it is written."""
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert codec.decode(body, depth(value)) == value
    if depth(value) > 0:
        with pytest.raises(NestingTooDeep):
            codec.decode(body, depth(value) - 1)


@given(DOCUMENTS, TEXT.filter("other".__ne__))
def test_a_duplicate_member_is_found_anywhere(value: object, name: str) -> None:
    """No member is lost silently because another one has its name."""
    key, inner = json.dumps(name), json.dumps(value)
    body = f'[{inner}, {{"other": {inner}, {key}: {inner}, {key}: 1}}]'.encode()
    with pytest.raises(JsonRefused, match="two members of the same name"):
        codec.decode(body, 100)


@given(st.binary(max_size=200) | TEXT.map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Whatever is sent, the outcome is a value or a refusal; what is read, json reads the same."""
    try:
        value = codec.decode(body, 20)
    except (JsonRefused, NestingTooDeep):
        return
    assert value == json.loads(body)


def test_a_syntax_error_says_where() -> None:
    """The client learns the byte at which the text stops being JSON."""
    [(code, message)] = reasons(b'{"a": 1,}')
    assert code == "json.malformed"
    assert "byte 8" in message


def test_wrong_utf8_says_where_in_the_body() -> None:
    """The place is that in the body and not that inside one string."""
    [(code, message)] = reasons(b'["abc", "\xff"]')
    assert code == "json.encoding"
    assert "byte 9" in message


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000])
def test_a_number_out_of_range_is_refused_as_such(number: str) -> None:
    """A number that cannot be kept as sent is refused and never rounded to infinity."""
    [(code, _message)] = reasons(f"[{number}]".encode())
    assert code == "json.number"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_deep_nesting_is_refused_even_where_the_limit_is_out_of_reach(opening: bytes) -> None:
    """A limit set beyond the parser's stack still ends in a clean error."""
    with pytest.raises(NestingTooDeep):
        codec.decode(opening * 100_000, sys.maxsize)


@pytest.mark.parametrize(
    "value",
    [object(), {"a": [object()]}, {(1, 2): 3}, "\ud800", {"\udfff": 1}, 10**5000, 1j],
    ids=[
        "an object",
        "deep inside",
        "a tuple as name",
        "a surrogate",
        "a surrogate as name",
        "a huge integer",
        "a complex number",
    ],
)
def test_what_has_no_json_form_is_unencodable(value: object) -> None:
    """One exception stands for all that can go wrong on the way out."""
    with pytest.raises(Unencodable):
        codec.encode(value)


def test_endless_values_are_unencodable() -> None:
    """A value that holds itself ends in the same exception and not in a crash."""
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(Unencodable):
        codec.encode(endless)


def test_output_is_compact_utf8() -> None:
    """Answers carry no white space and no escapes that are not needed."""
    assert codec.encode({"a": ["é🐄", 1.5, None]}) == '{"a":["é🐄",1.5,null]}'.encode()
