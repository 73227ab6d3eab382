"""A node gets another certificate from the gate: what it may ask, and what it believes."""

from __future__ import annotations

import pytest

from service.identity.authority import Issued, issue, new_key, vouched
from service.identity.certificates import certificate_pem
from service.identity.errors import IdentityRefused
from service.identity.joining.gate import REFUSED, answer
from service.identity.joining.invitations import Bond, InvitationRefused, Invitations, Phase
from service.identity.joining.messages import FromGate, No, Noted, Renewed, write_line
from service.identity.joining.papers import key_digest
from service.identity.joining.renewing import asked_renewal, believed_renewal
from service.identity.verifying import belongs, verify_node
from tests.service.identity.joining.guests import HOUR, invitation, token_for
from tests.service.identity.papers import DAY, NOW, OTHER_HERD, herd, self_signed

HERE = herd(NOW - 900 * DAY)
BARN = issue(HERE, "barn", NOW - 300 * DAY)
NOBODY = Invitations()


def said(mine: Issued, invitations: Invitations = NOBODY, days: int | None = 365) -> FromGate:
    """What the gate answers to a node that shows its certificate; it keeps nothing of it."""
    line = write_line(asked_renewal(mine.certificate, mine.key))
    found = answer(line, invitations, HERE, NOW, days)
    assert found.invitations is invitations
    return found.reply


def code_of(reply: FromGate) -> str:
    """Why something is refused."""
    assert isinstance(reply, No)
    return reply.code


def test_a_node_gets_a_certificate_for_its_name_and_key_that_counts_longer() -> None:
    """From now on, for as long as the gate says; the key is the same."""
    made = believed_renewal(said(BARN), BARN.certificate, BARN.key, HERE.certificate, NOW)
    card = verify_node(made, HERE.certificate, NOW)
    assert (card.subject.node, card.life.ends) == ("barn", NOW + 365 * DAY)
    assert belongs(BARN.key, made)


@pytest.mark.parametrize(
    "mine",
    [
        issue(herd(NOW - 90 * DAY, OTHER_HERD), "barn", NOW - 60 * DAY),
        self_signed("barn"),
        issue(HERE, "barn", NOW - 400 * DAY),
        BARN._replace(key=new_key()),
        Issued(HERE.certificate, HERE.key),
    ],
    ids=["another herd", "self-signed", "expired", "another key", "an authority"],
)
def test_whoever_is_no_node_of_the_herd_gets_none(mine: Issued) -> None:
    """A certificate is no secret: who shows one has to have its key."""
    assert code_of(said(mine)) == REFUSED


def test_a_gate_that_is_not_opened_for_it_renews_nothing() -> None:
    """And says how it is opened for that."""
    reply = said(BARN, days=None)
    assert code_of(reply) == "renewal.closed"
    with pytest.raises(InvitationRefused, match="renews no certificates"):
        believed_renewal(reply, BARN.certificate, BARN.key, HERE.certificate, NOW)


def test_whose_invitation_was_withdrawn_gets_none() -> None:
    """The latest of its name counts."""
    there = invitation("barn", token_for(HERE))
    withdrawn = there._replace(phase=Phase.WITHDRAWN)
    later = there._replace(digest=b"x" * 32, made=NOW + HOUR, phase=Phase.USED)
    assert code_of(said(BARN, Invitations([withdrawn]))) == "invitation.withdrawn"
    assert isinstance(said(BARN, Invitations([withdrawn, later])), Renewed)


def test_who_came_by_a_withdrawn_invitation_gets_none_when_the_name_is_invited_again() -> None:
    """Another machine is that node now, and it has another key."""
    there = invitation("barn", token_for(HERE))
    bond = Bond(key_digest(BARN.key.public_key()), "")
    withdrawn = there._replace(phase=Phase.WITHDRAWN, bond=bond)
    other = Bond(b"y" * 32, "")
    later = there._replace(digest=b"x" * 32, made=NOW + HOUR, phase=Phase.USED, bond=other)
    assert code_of(said(BARN, Invitations([withdrawn, later]))) == "invitation.withdrawn"
    new = issue(HERE, "barn", NOW - 300 * DAY)
    assert isinstance(said(new, Invitations([withdrawn, later])), Renewed)


@pytest.mark.parametrize(
    "other",
    [
        issue(HERE, "barn", NOW),
        issue(HERE, "mill", NOW),
        issue(herd(NOW - 90 * DAY, OTHER_HERD), "barn", NOW),
    ],
    ids=["another key", "another name", "another herd"],
)
def test_a_node_takes_no_certificate_for_anything_else(other: Issued) -> None:
    """What the gate sends has to be for the node itself."""
    sent = Renewed(certificate_pem(other.certificate).decode())
    for answered in (sent, Noted()):
        with pytest.raises(IdentityRefused):
            believed_renewal(answered, BARN.certificate, BARN.key, HERE.certificate, NOW)


def test_a_node_takes_no_other_name_for_its_own_key() -> None:
    """Not even from its herd's authority."""
    renamed = vouched(HERE, "mill", BARN.key.public_key(), NOW, 365)
    sent = Renewed(certificate_pem(renamed).decode())
    with pytest.raises(IdentityRefused, match="not for this node"):
        believed_renewal(sent, BARN.certificate, BARN.key, HERE.certificate, NOW)
