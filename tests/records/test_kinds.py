"""Kinds of values: what fits comes through whole, what does not fit is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.errors import ValueRefused
from records.kinds.base import Kind
from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.choices import EnumKind, SetKind
from records.kinds.numbers import BitsKind, DecimalKind, FloatKind, IntegerKind
from records.kinds.text import FixedTextKind, LongTextKind, TextKind
from records.kinds.times import DateTimeKind, TimeKind
from tests.records.refusals import REFUSED_BY_CHECK, REFUSED_FROM_JSON, Refusal
from tests.records.samples import KINDS, SAMPLES, Sample
from tests.records.strategies import STRATEGIES

LONGEST_MESSAGE = 300
"""Characters; a huge value is not repeated in the message about it."""


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_an_extreme_value_fits_and_has_the_expected_json_form(sample: Sample) -> None:
    """Every limit is itself allowed, and looks in JSON as documented."""
    plain = sample.kind.check(sample.value)
    shown = sample.kind.to_json(plain)
    if sample.json is not None:
        assert shown == sample.json
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_an_extreme_value_comes_back_from_json(sample: Sample) -> None:
    """What a client read it may send back, and it means the same."""
    plain = sample.kind.check(sample.value)
    assert sample.kind.from_json(sample.kind.to_json(plain)) == plain


@pytest.mark.parametrize("kind_and_values", STRATEGIES, ids=lambda pair: str(pair[0]))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_every_value_survives_json_text(
    data: st.DataObject, kind_and_values: tuple[Kind, st.SearchStrategy[Any]]
) -> None:
    """Any value goes to JSON text and back without losing a bit."""
    kind, values = kind_and_values
    plain = kind.check(data.draw(values))
    assert kind.check(plain) == plain
    assert kind.from_json(json.loads(json.dumps(kind.to_json(plain)))) == plain


@pytest.mark.parametrize("refusal", REFUSED_BY_CHECK, ids=str)
def test_a_value_beyond_its_kind_is_refused(refusal: Refusal) -> None:
    """A program that assigns what does not fit is told why."""
    with pytest.raises(ValueRefused) as caught:
        refusal.kind.check(refusal.value)
    assert caught.value.code == refusal.code
    assert refusal.says in caught.value.message
    assert len(caught.value.message) < LONGEST_MESSAGE


@pytest.mark.parametrize("refusal", REFUSED_FROM_JSON, ids=str)
def test_a_json_value_beyond_its_kind_is_refused(refusal: Refusal) -> None:
    """A client that sends what does not fit is told why."""
    with pytest.raises(ValueRefused) as caught:
        refusal.kind.from_json(refusal.value)
    assert caught.value.code == refusal.code
    assert refusal.says in caught.value.message
    assert len(caught.value.message) < LONGEST_MESSAGE


@pytest.mark.parametrize("kind", [kind for kind, _values in STRATEGIES], ids=str)
@given(value=st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
@settings(max_examples=25, deadline=None)
def test_whatever_json_holds_is_taken_or_refused(kind: Kind, value: Any) -> None:
    """No JSON value makes a kind fail in any other way than by refusing it."""
    try:
        plain = kind.from_json(value)
    except ValueRefused:
        return
    assert kind.from_json(kind.to_json(plain)) == plain


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31t12:00:00.5z", "2026-01-31T12:00:00.500000Z"),
        ("2026-01-31 12:00:00+02:00", "2026-01-31T10:00:00.000000Z"),
        ("20260131T12:00:00", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T12:00:00-00:30", "2026-01-31T12:30:00.000000Z"),
    ],
)
def test_moments_are_read_in_every_standard_spelling(text: str, moment: str) -> None:
    """Other zones, small letters, a space and the compact form are understood."""
    kind = DateTimeKind()
    assert kind.to_json(kind.from_json(text)) == moment


@pytest.mark.parametrize(
    ("text", "shown"),
    [("1e2", "100.00"), (".5", "0.50"), ("+7.", "7.00"), ("-0", "0.00"), (3, "3.00")],
)
def test_decimals_are_read_in_every_spelling(text: object, shown: str) -> None:
    """Exponents and left-out zeros are fine as long as nothing is rounded."""
    kind = DecimalKind(5, 2)
    assert kind.to_json(kind.from_json(text)) == shown


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (IntegerKind(7), "bits must be one of 8, 16, 24, 32, 64, not 7"),
        (BitsKind(0), "length must be 1 to 64 bits, not 0"),
        (BitsKind(65), "length must be 1 to 64 bits, not 65"),
        (DecimalKind(66, 0), "precision must be 1 to 65 digits, not 66"),
        (DecimalKind(40, 31), "scale must be 0 to 30 and at most the precision, not 31"),
        (DecimalKind(3, 4), "scale must be 0 to 30 and at most the precision, not 4"),
        (TextKind(0), "length must be 1 to 16383 characters, not 0; leave length out"),
        (TextKind(16_384), "length must be 1 to 16383 characters, not 16384"),
        (TextKind(9, "latin1_bin"), "collation must be one of utf8mb4"),
        (FixedTextKind(256), "length must be 1 to 255 characters, not 256"),
        (LongTextKind("huge"), 'size must be "tiny", "", "medium" or "long", not \'huge\''),
        (LongTextKind("", "x"), "collation must be one of utf8mb4"),
        (BytesKind(65_533), "length must be 1 to 65532 bytes, not 65533"),
        (FixedBytesKind(0), "length must be 1 to 255 bytes, not 0"),
        (LongBytesKind("big"), "size must be"),
        (TimeKind(7), "precision must be 0 to 6 digits, not 7"),
        (DateTimeKind(-1), "precision must be 0 to 6 digits, not -1"),
        (EnumKind(()), "1 to 65535 values are needed, not 0"),
        (EnumKind(("a", "a")), "the values must differ from each other"),
        (EnumKind(("a ",)), "'a ' must be text, not empty, without trailing spaces"),
        (SetKind(tuple(map(str, range(65)))), "1 to 64 values are needed, not 65"),
        (SetKind(("a,b",)), "'a,b' must not hold a comma"),
    ],
    ids=str,
)
def test_a_kind_that_no_column_can_be_says_so(kind: Kind, says: str) -> None:
    """A wrong length or list in a declaration is named, with what would be right."""
    assert any(says in problem for problem in kind.problems())


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_kinds_in_use_have_no_problems(kind: Kind) -> None:
    """Every kind at its limits is a column that exists."""
    assert list(kind.problems()) == []


@pytest.mark.parametrize(
    ("kind", "width"),
    [(TextKind(768), 3_072), (FixedTextKind(2), 8), (BytesKind(16), 16), (DecimalKind(65, 30), 36)],
    ids=str,
)
def test_the_width_in_an_index_is_known(kind: Kind, width: int) -> None:
    """Keys that no index can hold are found before the server refuses them."""
    assert kind.index_bytes() == width


def test_what_is_rounded_by_the_column_is_rounded_at_once() -> None:
    """A FLOAT shows the value it will keep as soon as it is assigned."""
    assert FloatKind(single=True).check(0.1) == 0.10000000149011612
