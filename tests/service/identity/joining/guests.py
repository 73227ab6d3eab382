"""Invitations, tokens and requests for tests."""

from __future__ import annotations

from datetime import timedelta

from service.identity.authority import Authority, new_key
from service.identity.certificates import PrivateKey
from service.identity.joining.invitations import Invitation
from service.identity.joining.messages import Ask, Joined, write_line
from service.identity.joining.papers import new_request
from service.identity.joining.token import JoinToken, authority_digest
from tests.service.identity.papers import NOW

HOUR = timedelta(hours=1)
SECRET = bytes(range(16))
SIBLINGS = ("tcp:shed.example.org:8653",)


def token_for(authority: Authority, secret: bytes = SECRET) -> JoinToken:
    """A token that counts for a day."""
    return JoinToken(NOW + 24 * HOUR, authority_digest(authority.certificate), secret)


def invitation(name: str, token: JoinToken) -> Invitation:
    """The invitation of a token."""
    return Invitation(name, token.digest, NOW, token.ends, 365, SIBLINGS)


class Newcomer:
    """A machine with a key and a secret."""

    def __init__(self, secret: bytes = SECRET) -> None:
        self.key: PrivateKey = new_key()
        self.request = new_request(self.key).decode()
        self.secret = secret.hex()

    @property
    def asks(self) -> bytes:
        """The line by which it asks for its certificate."""
        return write_line(Ask(self.secret, self.request))

    @property
    def joined(self) -> bytes:
        """The line by which it says that it has all."""
        return write_line(Joined(self.secret, self.request))
