"""Who stands at a door, and what he may ask for: the decision, each time anew.

A token is looked up again for each call, so that one that is revoked or over counts no more on
connections that are open already.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from service.access.rates import Limiter
from service.access.roles import Role
from service.access.secret import digest_of
from service.access.tokens import Book, Token
from service.errors import (
    AccessForbidden,
    AddressRefused,
    ServiceError,
    TokenExpired,
    TokenNeeded,
    TokenUnknown,
)


class Door:
    """What all listeners of a node share: its tokens, and whether nobody gets in without one."""

    def __init__(
        self,
        required: bool,
        now: Callable[[], datetime],
        book: Book | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.required = required
        self.book = book or Book()
        self.now = now
        self.limiter = limiter or Limiter(None, None, lambda: 0.0)

    def visitor(self, address: str | None, principal: str) -> Visitor:
        """A client that has shown nothing so far.

        `address` is None on a socket in the file system; `principal` names him to the changelog
        for as long as he shows no token.
        """
        return Visitor(self, address, principal)


class Visitor:
    """One client, over one connection or for one request.

    `without_call` is how many bodies he has sent in which there was no call.
    """

    def __init__(self, door: Door, address: str | None, principal: str) -> None:
        self._door = door
        self._address = address
        self._principal = principal
        self._digest: bytes | None = None
        self.without_call = 0

    def show(self, secret: str) -> Token:
        """Show a token; raises what `identified` does, and then what was shown before counts on."""
        before, self._digest = self._digest, digest_of(secret)
        try:
            return self._known(self._digest)
        except ServiceError:
            self._digest = before
            raise

    def identified(self) -> Token | None:
        """The token that counts now, None where none is needed and none was shown.

        Raises TokenNeeded, TokenUnknown, TokenExpired or AddressRefused.
        """
        if self._digest is not None:
            return self._known(self._digest)
        if self._door.required:
            raise TokenNeeded("this node lets nobody in without a token")
        return None

    def still_known(self) -> None:
        """Raises what `identified` does of a token that was shown; where none was, nothing."""
        if self._digest is not None:
            self._known(self._digest)

    @property
    def is_known(self) -> bool:
        """Whether a token was shown here that counts or did."""
        return self._digest is not None

    def look(self) -> None:
        """Raises TooManyCalls where a call would be one too many, and what `identified` does."""
        self._door.limiter.look(self.identified(), self._address)

    def count(self) -> None:
        """Count a call; raises what `look` does.

        What is refused for another reason counts too, since somebody may be guessing.
        """
        try:
            token = self.identified()
        except ServiceError:
            self.count_stranger()
            raise
        self._door.limiter.count(token, self._address)

    def count_no_call(self) -> None:
        """Count a body in which there was no call to run; raises TooManyCalls and nothing else.

        Who may not get in is told what is wrong with his body, so that he finds his mistake.
        """
        self.without_call += 1
        try:
            token = self.identified()
        except ServiceError:
            token = None
        self._door.limiter.count(token, self._address)

    def count_stranger(self) -> None:
        """Count what somebody asks who has shown nothing so far; raises TooManyCalls."""
        self._door.limiter.count(None, self._address)

    def require(self, role: Role, what: str) -> str:
        """Who asks, as the changelog names him; raises AccessForbidden and what `identified` does.

        `what` is told to whoever may not.
        """
        token = self.identified()
        if token is None:
            return self._principal
        if token.role < role:
            raise AccessForbidden(
                f"{what} needs the role {role.word}, and this token has {token.role.word}",
                hint=f"Use a token with the role {_or_higher(role)}.",
                details={"needs": role.word},
            )
        return f"token:{token.name}@{self._address or 'unix'}"

    def _known(self, digest: bytes) -> Token:
        token = self._door.book.find(digest)
        if token is None:
            raise TokenUnknown("this token is not known here")
        if token.is_over(self._door.now()):
            raise TokenExpired(f"the token {token.name} has expired")
        if not token.is_for(self._address):
            at = self._address or "a socket"
            raise AddressRefused(f"the token {token.name} may not be used from {at}")
        return token


def _or_higher(role: Role) -> str:
    return role.word if role is max(Role) else f"{role.word}, or a higher one"


def bearer(header: str | None) -> str | None:
    """The token in an `Authorization` header; None where there is none, or another scheme's."""
    scheme, _, secret = (header or "").strip().partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None
