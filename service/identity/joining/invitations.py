"""The life of an invitation: made, bound to the key that asked first, used; or over.

    made --request--> bound --joined--> used
    made, bound --withdraw--> withdrawn

A request under the key that an invitation is bound to changes nothing, however often it comes, and
gets the same certificate. Any other key is refused. Past its end an invitation lets nobody in; by
one that was bound the name has a certificate, and is not invited again before it is withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from records.errors import HerdbookError

MOST = 1_000
"""Of one herd, those that are over included: as many as are read and written in a moment."""

KEPT = timedelta(days=30)
"""How long those are shown that were withdrawn or have expired.

For good where somebody has a certificate by it: his name is his, or his key gets no renewal."""


class Phase(Enum):
    """Where an invitation stands, apart from its end."""

    MADE = "made"
    BOUND = "bound"
    USED = "used"
    WITHDRAWN = "withdrawn"


EXPIRED = "expired"
"""What is said of one that was made or bound when its end came."""


class InvitationRefused(HerdbookError):
    """An invitation does not let in, or cannot be made; `code` is for programs."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class Bond(NamedTuple):
    """To whom an invitation is bound: the SHA-256 of a public key, and the certificate for it.

    `certificate` is PEM; empty when it is of no more use.
    """

    key: bytes
    certificate: str


class Invitation(NamedTuple):
    """Who may come in. `digest` is the SHA-256 of the secret; all moments are in UTC.

    `days` is how long the certificate counts; `siblings` are those that the node dials. `since` is
    when it came into its phase. `ranges` are for the node to take, each as PURPOSE=BLOCK.
    """

    name: str
    digest: bytes
    made: datetime
    ends: datetime
    days: int
    siblings: tuple[str, ...]
    phase: Phase = Phase.MADE
    since: datetime | None = None
    bond: Bond | None = None
    ranges: tuple[str, ...] = ()

    def is_open(self, now: datetime) -> bool:
        """Whether somebody may still come in by it."""
        return self.phase in (Phase.MADE, Phase.BOUND) and now < self.ends

    def standing(self, now: datetime) -> str:
        """In one word, with the clock looked at."""
        is_over = self.phase in (Phase.MADE, Phase.BOUND) and not self.is_open(now)
        return EXPIRED if is_over else self.phase.value


Vouch = Callable[[Invitation], str]
"""A certificate, in PEM, for who comes in by an invitation."""


class Invitations:
    """All invitations of a herd, in the order in which they were made; a value."""

    def __init__(self, invitations: Iterable[Invitation] = ()) -> None:
        self._all = tuple(invitations)

    def __iter__(self) -> Iterator[Invitation]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Invitations) and self._all == other._all

    def __hash__(self) -> int:
        return hash(self._all)

    def are_open(self, now: datetime) -> bool:
        """Whether anybody may still come in."""
        return any(each.is_open(now) for each in self)

    def with_new(self, new: Invitation, now: datetime) -> Invitations:
        """One more; those that are long over are left out.

        Raises InvitationRefused where the name is invited already, came in that way, or has a
        certificate by an invitation that is not withdrawn, also past its end.
        """
        for each in self:
            if each.name == new.name and _holds_name(each, now):
                raise _taken_name(each)
        kept = [_without_ballast(each, now) for each in self if not _is_forgotten(each, now)]
        if len(kept) >= MOST:
            hint = "begin a new file: move `invitations` in the authority's folder away"
            raise InvitationRefused(
                "invitation.too_many", f"there are {len(kept)} invitations", hint
            )
        return Invitations([*kept, new])

    def asked(
        self, secret: bytes, key: bytes, now: datetime, vouch: Vouch
    ) -> tuple[Invitations, Invitation]:
        """Somebody asks for the certificate of a key, by the digest of a secret.

        The invitation that lets it in is bound to the key from then on. Raises InvitationRefused.
        """
        found = self._let_in(secret, key, now)
        if found.phase is not Phase.MADE:
            return self, found
        bond = Bond(key, vouch(found))
        bound = found._replace(phase=Phase.BOUND, since=now, bond=bond)
        return self._with(bound), bound

    def joined(self, secret: bytes, key: bytes, now: datetime) -> tuple[Invitations, Invitation]:
        """Who asked has all it needs. Raises InvitationRefused, also where it has not asked."""
        found = self._let_in(secret, key, now)
        if found.phase is Phase.MADE:
            raise InvitationRefused(
                "invitation.not_asked", "no certificate was asked for", "ask for it first"
            )
        if found.phase is Phase.USED:
            return self, found
        used = found._replace(phase=Phase.USED, since=now)
        return self._with(used), used

    def withdrawn(self, name: str, now: datetime) -> tuple[Invitations, Invitation]:
        """The latest invitation of a name lets nobody in any more; raises InvitationRefused."""
        found = next((each for each in reversed(self._all) if each.name == name), None)
        if found is None:
            hint = "`herdbook node invitations --ca DIR` shows which there are"
            raise InvitationRefused("invitation.unknown", f"nobody is invited as {name}", hint)
        if found.phase is Phase.USED:
            hint = f"to keep it out, on a node: herdbook herd retire {name} --dir DIR --yes"
            raise InvitationRefused("invitation.used", f"{name} has come in already", hint)
        if found.phase is Phase.WITHDRAWN:
            return self, found
        over = found._replace(phase=Phase.WITHDRAWN, since=now)
        return self._with(over), over

    def _let_in(self, secret: bytes, key: bytes, now: datetime) -> Invitation:
        found = next((each for each in self if each.digest == secret), None)
        refusal = _against(found, key, now)
        if found is None or refusal is not None:
            raise refusal or _UNKNOWN
        return found

    def _with(self, changed: Invitation) -> Invitations:
        return Invitations(changed if one.digest == changed.digest else one for one in self)


_ANOTHER = "ask for another invitation"
_UNKNOWN = InvitationRefused("invitation.unknown", "no invitation has this token", _ANOTHER)


def _against(found: Invitation | None, key: bytes, now: datetime) -> InvitationRefused | None:
    """Why somebody is not let in."""
    if found is None:
        return _UNKNOWN
    if found.phase is Phase.WITHDRAWN:
        return InvitationRefused("invitation.withdrawn", "it was withdrawn", _ANOTHER)
    if now >= found.ends:
        ended = f"it has ended at {found.ends:%Y-%m-%d %H:%M} UTC"
        return InvitationRefused("invitation.expired", ended, _ANOTHER)
    if found.bond is not None and found.bond.key != key:
        hint = (
            "where that was this machine go on in the directory in which it began; if nobody knows "
            f"it: herdbook node withdraw {found.name} --ca DIR, and on a node "
            f"herdbook herd retire {found.name} --dir DIR --yes"
        )
        return InvitationRefused("invitation.taken", "another machine has come by it", hint)
    return None


def _holds_name(each: Invitation, now: datetime) -> bool:
    """Who has a certificate may be in, though the gate was never told so."""
    return each.is_open(now) or each.phase in (Phase.BOUND, Phase.USED)


def _taken_name(there: Invitation) -> InvitationRefused:
    if there.phase is Phase.USED:
        hint = (
            "choose another name; for new keys of a node of the herd: "
            f"herdbook herd ca issue {there.name} --ca DIR"
        )
        return InvitationRefused("invitation.name_used", f"{there.name} has come in already", hint)
    if there.phase is Phase.BOUND:
        said = f"{there.name} has its certificate, and may have come in"
        withdraw = f"herdbook node withdraw {there.name} --ca DIR"
        hint = f"if it is not in the herd: {withdraw}; else another name"
        return InvitationRefused("invitation.name_bound", said, hint)
    hint = f"its token counts until its end, or: herdbook node withdraw {there.name} --ca DIR"
    return InvitationRefused("invitation.name_taken", f"{there.name} is invited already", hint)


def _is_forgotten(each: Invitation, now: datetime) -> bool:
    """Never one by which somebody has a certificate: he may ask for its renewal at any time."""
    return each.bond is None and now - each.ends > KEPT


def _without_ballast(each: Invitation, now: datetime) -> Invitation:
    """A certificate is kept while it may be asked for again."""
    if each.bond is None or now < each.ends:
        return each
    return each._replace(bond=each.bond._replace(certificate=""))
