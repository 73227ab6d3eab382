"""The file of invitations, as text."""

from __future__ import annotations

import json

import pytest

from service.identity.errors import IdentityRefused
from service.identity.joining.invitations import Bond, Invitations, Phase
from service.identity.joining.written import read_invitations, write_invitations
from tests.service.identity.joining.guests import HOUR, SECRET, invitation, token_for
from tests.service.identity.papers import NOW, herd

MADE = invitation("barn", token_for(herd()))
BOUND = invitation("shed", token_for(herd(), b"x" * 16))._replace(
    phase=Phase.BOUND, since=NOW + HOUR, bond=Bond(b"k" * 32, "a certificate")
)
BOOK = Invitations([MADE, BOUND])


def test_what_is_written_is_read_again() -> None:
    """In every phase; no secret is in it."""
    for phase in Phase:
        book = Invitations([MADE, BOUND._replace(phase=phase, ranges=("pool=10.2.0.0/16",))])
        text = write_invitations(book)
        assert read_invitations(text, "it") == book
        assert SECRET.hex() not in text.decode()


def broken(**members: object) -> bytes:
    """The file with something else in its second invitation."""
    document = json.loads(write_invitations(BOOK))
    document["invitations"][1].update(members)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[" * 100_000,
        broken(name="../x"),
        broken(sha256="short"),
        broken(sha256=MADE.digest.hex()),
        broken(key=None),
        broken(key="00"),
        broken(phase="lost"),
        broken(ends="2026-11-30T12:00:00"),
        broken(only_from="10.0.0.0/8"),
    ],
)
def test_a_file_that_says_anything_else_is_refused_as_a_whole(content: bytes) -> None:
    """What is not known could be a limit: nobody is let in by guessing."""
    with pytest.raises(IdentityRefused, match=r"^invitations "):
        read_invitations(content, "invitations")
