"""What the gate answers: a message and the invitations in, both after it out."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from service.identity.authority import Authority, vouched
from service.identity.certificates import PublicKey, certificate_pem
from service.identity.errors import IdentityRefused
from service.identity.joining.invitations import Invitation, InvitationRefused, Invitations
from service.identity.joining.messages import (
    LARGEST,
    VERSION,
    Ask,
    FromGate,
    Hello,
    Joined,
    No,
    Noted,
    Renew,
    Welcome,
    read_asked,
    write_line,
)
from service.identity.joining.papers import key_digest, read_request
from service.identity.joining.renewing import renewed
from service.identity.joining.token import digest_of

REFUSED = "invitation.refused"

_CERTIFICATE = 4_096
"""Bytes that are left in a line for a certificate. With the longest names it has half of that."""

_NO_RENEWALS = InvitationRefused(
    "renewal.closed",
    "this gate renews no certificates",
    "let it be opened with --renew, or renew by hand: herdbook herd ca renew",
)


class Answered(NamedTuple):
    """What is to be kept, and then said. `who` is the invited node, where that is known.

    `invitations` are the very same where nothing is to be kept.
    """

    invitations: Invitations
    reply: FromGate
    who: str | None = None


def hello(authority: Authority) -> Hello:
    """What the gate says first."""
    return Hello(VERSION, certificate_pem(authority.certificate).decode())


def require_answerable(new: Invitation) -> None:
    """Raise InvitationRefused where no line can hold the answer to who comes by an invitation."""
    _welcome(new, "-" * _CERTIFICATE)


def answer(
    line: bytes,
    invitations: Invitations,
    authority: Authority,
    now: datetime,
    renewal_days: int | None = None,
) -> Answered:
    """What becomes of a line; nothing that anybody can send raises.

    Certificates are renewed for so many days; None: this gate does not do that.
    """
    try:
        asked = read_asked(line)
        if isinstance(asked, Renew):
            if renewal_days is None:
                raise _NO_RENEWALS
            return Answered(invitations, *renewed(asked, invitations, authority, now, renewal_days))
        secret, key = _secret(asked), read_request(asked.request.encode())
        return _answer(asked, secret, key, invitations, authority, now)
    except InvitationRefused as error:
        return Answered(invitations, No(error.code, error.message, error.hint))
    except IdentityRefused as error:
        return Answered(invitations, No(REFUSED, str(error), error.hint))


def _answer(
    asked: Ask | Joined,
    secret: bytes,
    key: PublicKey,
    invitations: Invitations,
    authority: Authority,
    now: datetime,
) -> Answered:
    def vouch(invitation: Invitation) -> str:
        made = vouched(authority, invitation.name, key, now, invitation.days)
        return certificate_pem(made).decode()

    if isinstance(asked, Ask):
        after, found = invitations.asked(secret, key_digest(key), now, vouch)
        assert found.bond is not None
        return Answered(after, _welcome(found, found.bond.certificate), found.name)
    after, found = invitations.joined(secret, key_digest(key), now)
    return Answered(after, Noted(), found.name)


def _welcome(found: Invitation, certificate: str) -> Welcome:
    """What is answered to who has asked; InvitationRefused where that is too long for a line."""
    welcome = Welcome(found.name, certificate, list(found.siblings), list(found.ranges))
    if len(write_line(welcome)) > LARGEST:
        hint = "name fewer of them, and add the other ranges when it has joined: herdbook range add"
        raise InvitationRefused(
            "invitation.too_large",
            f"the siblings and ranges for {found.name} are too many for one answer",
            hint,
        )
    return welcome


def _secret(asked: Ask | Joined) -> bytes:
    """The digest of what was sent as a secret; what is none has that of no invitation."""
    try:
        return digest_of(bytes.fromhex(asked.secret))
    except ValueError:
        return b""
