"""The token of an invitation, as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.secret import mask_tokens
from service.identity.errors import IdentityRefused
from service.identity.joining.token import PREFIX, JoinToken, read_token, write_token
from tests.service.identity.joining.guests import SECRET, token_for
from tests.service.identity.papers import NOW, herd

TOKEN = JoinToken(NOW, bytes(range(32)), SECRET)
TEXT = write_token(TOKEN)


def test_a_token_says_what_it_was_made_of() -> None:
    """It is one word, and what people copy around it does not count."""
    token = token_for(herd())
    text = write_token(token)
    assert read_token(f"  {text}\n") == token
    assert len(text) == len(PREFIX) + 76
    assert text.removeprefix(PREFIX).replace("-", "").replace("_", "").isalnum()


def test_the_secret_is_shown_by_nothing_but_the_text_itself() -> None:
    """Neither where a token is printed as a value, nor where its text gets into a message."""
    assert SECRET.hex() not in repr(TOKEN)
    assert str(SECRET) not in repr(TOKEN)
    assert mask_tokens(f"no {TEXT} here") == "no hb_*** here"


@given(
    at=st.integers(len(PREFIX), len(TEXT) - 1),
    to=st.sampled_from("ABCXYZabcxyz0189-_"),
)
def test_a_slip_in_one_character_is_seen_before_anybody_is_asked(at: int, to: str) -> None:
    """Whichever it is; and the message does not hold what was written."""
    wrong = TEXT[:at] + to + TEXT[at + 1 :]
    if wrong == TEXT:
        assert read_token(wrong) == TOKEN
        return
    with pytest.raises(IdentityRefused) as refused:
        read_token(wrong)
    assert wrong not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", PREFIX, TEXT[:-1], TEXT[:-4], TEXT + "A", TEXT[3:], "hb_" + "A" * 43, TEXT * 2]
)
def test_what_is_not_a_whole_token_is_refused(text: str) -> None:
    """Cut, doubled, without its beginning, or one of an application."""
    with pytest.raises(IdentityRefused, match="token"):
        read_token(text)


def test_a_token_of_another_kind_says_that_releases_differ() -> None:
    """Later releases may hold something else in it."""
    other = PREFIX + "Ag" + TEXT[len(PREFIX) + 2 :]
    with pytest.raises(IdentityRefused, match="a kind that is not known here"):
        read_token(other)
