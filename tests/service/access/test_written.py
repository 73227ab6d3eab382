"""Tokens as text: what is taken, what is refused, and that a file holds no secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from service.access.secret import RANDOM_BYTES, digest_of, mask_tokens, secret_of
from service.access.tokens import Book, Token
from service.access.written import (
    TokensRefused,
    name_of,
    ranges_of,
    read_book,
    until_of,
    written_book,
)
from tests.service.access.tokens import NOW, secret, token

FULL = token(1, "write", "10.0.0.0/8", "2001:db8::/32", until=datetime(2027, 1, 1, tzinfo=UTC))


def document(**changed: object) -> bytes:
    """A file with one token, with some members otherwise."""
    whole = json.loads(written_book(Book([FULL])))
    whole["tokens"][0] |= changed
    return json.dumps(whole).encode()


def test_a_secret_can_be_told_by_its_beginning_and_is_all_chance() -> None:
    """Other bytes, another secret; no other number of bytes is taken."""
    assert secret_of(bytes(RANDOM_BYTES)) == "hb_" + "A" * 43
    assert secret_of(b"\xff" * RANDOM_BYTES) == "hb_" + "_" * 42 + "8"
    for length in (0, 16, 31, 33):
        with pytest.raises(ValueError):
            secret_of(bytes(length))


def test_secrets_in_a_text_are_masked_whatever_stands_around_them() -> None:
    """What only begins like one stays."""
    text = f"'{secret(1)}', token={secret(2)}; hb_, hb_customers and hb_" + "x" * 10
    assert mask_tokens(text) == "'hb_***', token=hb_***; hb_, hb_customers and hb_" + "x" * 10


def test_what_is_written_is_read_again_the_same() -> None:
    """With every member, and with none that is not needed."""
    book = Book([FULL, token(2, "admin", name="ops")])
    again = read_book(written_book(book), "tokens")
    assert list(again) == list(book) == [FULL, token(2, "admin", name="ops")]
    assert list(read_book(written_book(Book()), "tokens")) == []


def test_a_file_and_a_value_hold_no_secret() -> None:
    """Only the digest is written, and not even that is shown."""
    content = written_book(Book([FULL])).decode()
    assert secret(1) not in content
    assert digest_of(secret(1)).hex() in content
    assert digest_of(secret(1)).hex() not in repr(FULL)
    assert repr(digest_of(secret(1))) not in repr(FULL)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"tokens": [], "more": 1}',
        b'{"tokens": [' + b"[" * 100_000,
        document(role="root"),
        document(sha256="00"),
        document(name="a b"),
        document(name="root@localhost"),
        document(made="2026-06-01T12:00:00"),
        document(until="2026-06-01T12:00:00"),
        document(until="soon"),
        document(**{"from": ["10.0.0.1/8"]}),
        document(classes={"city": "read"}),
    ],
)
def test_a_file_that_is_not_wholly_understood_is_refused(content: bytes) -> None:
    """What is not known could be a limit; the message names the file."""
    with pytest.raises(TokensRefused, match=r"^barn\.tokens is no file of tokens"):
        read_book(content, "barn.tokens")


def test_no_two_tokens_share_a_name_or_a_secret() -> None:
    """Who wrote something could not be told from the other."""
    for twins in ([FULL, token(2, name=FULL.name)], [FULL, token(1, name="other")]):
        whole = {"tokens": [json.loads(written_book(Book([each])))["tokens"][0] for each in twins]}
        with pytest.raises(TokensRefused, match="holds a token twice"):
            read_book(json.dumps(whole).encode(), "tokens")


def test_a_book_finds_a_token_by_its_secret_only() -> None:
    """Whichever place it has."""
    book = Book(token(number) for number in range(5))
    for number in range(5):
        found = book.find(digest_of(secret(number)))
        assert isinstance(found, Token)
        assert found.name == f"app-{number}"
    assert book.find(digest_of(secret(9))) is None
    assert book.find(b"") is None


@pytest.mark.parametrize("text", ["", "a b", "-a", "x" * 65, "token:x", "a/b", "a\n"])
def test_a_name_is_plain(text: str) -> None:
    """So that nobody's name looks like another account, or like two."""
    with pytest.raises(TokensRefused):
        name_of(text)


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "barn", "10.0.*.*", "::ffff:10.0.0.0/104"])
def test_a_range_is_a_block(text: str) -> None:
    """Host bits are refused, and IPv4 written as IPv6, which would never match."""
    with pytest.raises(TokensRefused):
        ranges_of([text])


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2026-06-01", datetime(2026, 6, 2, tzinfo=UTC)),
        ("2027-12-31", datetime(2028, 1, 1, tzinfo=UTC)),
        ("2026-06-01T14:30+02:00", datetime(2026, 6, 1, 12, 30, tzinfo=UTC)),
        ("2026-06-01T18:00Z", datetime(2026, 6, 1, 18, tzinfo=UTC)),
    ],
)
def test_a_day_counts_to_its_end_and_a_moment_as_it_is(text: str, ends: datetime) -> None:
    """In UTC."""
    assert until_of(text, NOW) == ends


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-05-31", "2026-06-01T12:00Z", "2026-13-01", "2027-01-01T12:00"),
        *("9999-12-31", "9999-12-31T23:59-05:00"),
    ],
)
def test_an_end_that_is_none_or_past_is_refused(text: str) -> None:
    """A token that never counted would only puzzle."""
    with pytest.raises(TokensRefused):
        until_of(text, NOW)


def test_a_rate_is_kept_and_none_is_not_written() -> None:
    """A file without rates can be read by those who know none."""
    with_rate, without = token(1, rate=2.5), token(2)
    content = written_book(Book([with_rate, without]))
    assert content.count(b"rate") == 1
    assert [one.rate for one in read_book(content, "x")] == [2.5, None]


@pytest.mark.parametrize("rate", ["0", "-1", "1e7", "0.001", '"1"', "null"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    """It could have been meant as a limit."""
    content = written_book(Book([token(1, rate=2.5)])).replace(b"2.5", rate.encode())
    with pytest.raises(TokensRefused):
        read_book(content, "x")
