"""Failures and their places."""

from __future__ import annotations

import pytest

from records.errors import DeclarationError, Failure, ValueRefused, pointer


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), ""),
        (("a",), "/a"),
        (("a/b", 0), "/a~1b/0"),
        (("m~n",), "/m~0n"),
        (("~1",), "/~01"),
        (("",), "/"),
    ],
)
def test_a_pointer_is_escaped_as_the_standard_says(
    steps: tuple[str | int, ...], expected: str
) -> None:
    """RFC 6901: a tilde and a slash within a name do not end it."""
    assert pointer(*steps) == expected


def test_a_failure_shows_only_what_is_known() -> None:
    """Without an index there is none in JSON; with one it comes first, 0 included."""
    assert Failure("c", "m").as_json() == {"pointer": "", "code": "c", "message": "m"}
    assert list(Failure("c", "m", "/a", 0).as_json().items()) == [
        ("index", 0),
        ("pointer", "/a"),
        ("code", "c"),
        ("message", "m"),
    ]


def test_errors_carry_their_parts_and_read_as_text() -> None:
    """A declaration's problems are lines; a refusal is its message."""
    assert str(DeclarationError(["one", "two"])) == "one\ntwo"
    assert str(ValueRefused("code", "message")) == "message"
