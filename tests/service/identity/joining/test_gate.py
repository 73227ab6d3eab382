"""What the gate answers, and what a newcomer believes of it: both rules back to back."""

from __future__ import annotations

import json

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from service.identity.authority import Authority, issue, new_authority
from service.identity.certificates import certificate_pem
from service.identity.errors import IdentityRefused
from service.identity.joining.gate import REFUSED, answer, hello
from service.identity.joining.invitations import InvitationRefused, Invitations, Phase
from service.identity.joining.messages import (
    LARGEST,
    Ask,
    FromGate,
    No,
    Noted,
    Welcome,
    read_answer,
    write_line,
)
from service.identity.joining.newcomer import believed_authority, believed_papers, is_noted
from service.identity.joining.papers import GATE_DAYS, gate_papers
from service.identity.verifying import belongs, verify_node
from tests.service.identity.joining.guests import SIBLINGS, Newcomer, invitation, token_for
from tests.service.identity.papers import DAY, HERD, NOW, forged, herd

HERE = herd(NOW - 90 * DAY)
TOKEN = token_for(HERE)
BOOK = Invitations([invitation("barn", TOKEN)])


def sent(message: FromGate) -> FromGate:
    """A message as the other side reads it."""
    line = write_line(message)
    assert len(line) < LARGEST
    return read_answer(line.rstrip(b"\n"))


def test_a_newcomer_gets_what_a_node_of_the_herd_needs() -> None:
    """Its certificate is for its own key and name; the gate then knows that it is in."""
    newcomer, gate = Newcomer(), gate_papers(HERE, NOW)
    authority = believed_authority(sent(hello(HERE)), gate.certificate, TOKEN, NOW)
    assert authority == HERE.certificate
    asked = answer(newcomer.asks, BOOK, HERE, NOW)
    papers = believed_papers(sent(asked.reply), newcomer.key, authority, NOW)
    assert (papers.name, papers.siblings, asked.who) == ("barn", SIBLINGS, "barn")
    assert verify_node(papers.certificate, authority, NOW).subject.node == "barn"
    assert belongs(newcomer.key, papers.certificate)
    done = answer(newcomer.joined, asked.invitations, HERE, NOW)
    assert is_noted(sent(done.reply))
    assert [each.phase for each in done.invitations] == [Phase.USED]


def test_asked_again_the_gate_says_the_same_and_keeps_nothing_new() -> None:
    """The very same invitations: whoever keeps them need not write."""
    newcomer = Newcomer()
    first = answer(newcomer.asks, BOOK, HERE, NOW)
    second = answer(newcomer.asks, first.invitations, HERE, NOW + DAY / 2)
    assert second.reply == first.reply
    assert second.invitations is first.invitations


def test_a_second_machine_with_the_token_gets_nothing() -> None:
    """It is told why, and nothing of the first one."""
    first = answer(Newcomer().asks, BOOK, HERE, NOW)
    second = answer(Newcomer().asks, first.invitations, HERE, NOW)
    assert isinstance(second.reply, No)
    assert second.reply.code == "invitation.taken"
    assert second.invitations is first.invitations
    with pytest.raises(InvitationRefused, match="another machine"):
        believed_papers(sent(second.reply), Newcomer().key, HERE.certificate, NOW)


def test_what_no_line_can_hold_binds_no_key() -> None:
    """An invitation that was made by hand, or before that was looked at."""
    many = tuple(f"pool=2001:db8:{number:x}::/48" for number in range(4_000))
    book = Invitations([invitation("barn", TOKEN)._replace(ranges=many)])
    found = answer(Newcomer().asks, book, HERE, NOW)
    assert isinstance(found.reply, No)
    assert found.reply.code == "invitation.too_large"
    assert found.invitations is book


def altered(request: str, at: int) -> str:
    """A request with one character of its signature changed."""
    lines = request.splitlines()
    swapped = "A" if lines[-2][at] != "A" else "B"
    lines[-2] = lines[-2][:at] + swapped + lines[-2][at + 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET / HTTP/1.1",
        b"[" * 60_000,
        b'{"says":"welcome"}',
        json.dumps({"says": "ask", "secret": "\ud800", "request": ""}).encode(),
        write_line(Ask("", "")),
        write_line(Ask("zz", Newcomer().request)),
        write_line(Ask(Newcomer().secret, certificate_pem(HERE.certificate).decode())),
        write_line(Ask(Newcomer().secret, altered(Newcomer().request, 5))),
        write_line(Ask(Newcomer().secret, Newcomer().request * 99)),
    ],
)
def test_whatever_else_comes_is_answered_no_and_changes_nothing(line: bytes) -> None:
    """No line raises; a request that its sender has no key for is refused too."""
    found = answer(line, BOOK, HERE, NOW)
    assert isinstance(found.reply, No)
    assert found.invitations is BOOK
    assert found.reply.code in (REFUSED, "invitation.unknown")
    assert found.reply.message


def test_an_authority_that_counts_no_more_binds_nothing() -> None:
    """The invitation stays as it was, for when there is another."""
    short = new_authority(HERD, NOW, days=1)
    book = Invitations([invitation("barn", TOKEN)._replace(ends=NOW + 9 * DAY)])
    found = answer(Newcomer().asks, book, short, NOW + 2 * DAY)
    assert isinstance(found.reply, No)
    assert "authority" in found.reply.message
    assert found.invitations is book


def signed_by(signer: Authority, *names: str) -> x509.Certificate:
    """A certificate for a server under names that are URIs."""
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH]
    return forged(list(names), NOW, signer, purposes=purposes)


OTHER = herd()
IMPOSTORS = {
    "another authority, its own": (hello(OTHER), gate_papers(OTHER, NOW).certificate),
    "our authority, another's gate": (hello(HERE), gate_papers(OTHER, NOW).certificate),
    "a node of the herd": (hello(HERE), issue(HERE, "mill", NOW).certificate),
    "the authority itself": (hello(HERE), HERE.certificate),
    "without a name": (hello(HERE), signed_by(HERE)),
    "a gate of former times": (hello(HERE), gate_papers(HERE, NOW - 60 * DAY).certificate),
    "who speaks out of turn": (Noted(), gate_papers(HERE, NOW).certificate),
}


@pytest.mark.parametrize(("said", "shown"), IMPOSTORS.values(), ids=IMPOSTORS)
def test_a_newcomer_tells_its_secret_to_nobody_but_the_gate(
    said: FromGate, shown: x509.Certificate
) -> None:
    """Not to a node of the herd either: only where the authority's key is there is a gate."""
    with pytest.raises(IdentityRefused):
        believed_authority(said, shown, TOKEN, NOW)


def test_nobody_who_is_a_gate_is_a_node() -> None:
    """Its certificate lets it into no link."""
    gate = gate_papers(HERE, NOW)
    with pytest.raises(IdentityRefused):
        verify_node(gate.certificate, HERE.certificate, NOW)
    assert gate.certificate.not_valid_after_utc == NOW + GATE_DAYS * DAY


def test_a_newcomer_takes_no_certificate_but_its_own() -> None:
    """For another key, under another name than it is told, or of another herd."""
    newcomer = Newcomer()
    good = answer(newcomer.asks, BOOK, HERE, NOW).reply
    assert isinstance(good, Welcome)
    mill = certificate_pem(issue(HERE, "mill", NOW).certificate).decode()
    strange = answer(newcomer.asks, BOOK, OTHER, NOW).reply
    bad = [
        Welcome("barn", mill, []),
        Welcome("mill", mill, []),
        Welcome("mill", good.certificate, []),
        strange,
        Noted(),
    ]
    for said in bad:
        with pytest.raises(IdentityRefused):
            believed_papers(said, newcomer.key, HERE.certificate, NOW)
