"""The file of a herd's invitations, as text: of secrets it has only digests."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from service.identity.errors import refused
from service.identity.joining.invitations import MOST, Bond, Invitation, Invitations, Phase
from service.identity.names import is_node_name

_DIGEST = re.compile(r"[0-9a-f]{64}")


class _Written(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One invitation in the file. What is not known here could be a limit, so it is refused."""

    name: str
    sha256: str
    made: datetime
    ends: datetime
    days: int
    siblings: list[str]
    phase: Phase
    since: datetime | None = None
    key: str | None = None
    certificate: str = ""
    ranges: list[str] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    invitations: list[_Written]


def read_invitations(content: bytes, where: str) -> Invitations:
    """The invitations in a file's content; IdentityRefused, which names it, where it is none."""
    hint = "put back what was there; `herdbook node invite` writes this file"
    try:
        found = list(map(_read, msgspec.json.decode(content, type=_File).invitations))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise refused(f"{where} is no file of invitations: {error}", hint) from None
    if len({each.digest for each in found}) != len(found):
        raise refused(f"{where} holds an invitation twice", hint)
    if len(found) > MOST:
        raise refused(f"{where} holds more than {MOST} invitations", hint)
    return Invitations(found)


def write_invitations(invitations: Invitations) -> bytes:
    """The file's content: JSON over several lines."""
    document = _File(list(map(_write, invitations)))
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _read(written: _Written) -> Invitation:
    moments = [written.made, written.ends, written.since or written.made]
    if any(moment.tzinfo is None for moment in moments):
        raise ValueError(f"a moment of {written.name[:64]!r} is in no zone")
    if not is_node_name(written.name) or not _DIGEST.fullmatch(written.sha256):
        raise ValueError(f"the name or the digest of {written.name[:64]!r} is none")
    bond = None
    if written.key is not None:
        if not _DIGEST.fullmatch(written.key):
            raise ValueError(f"the key of {written.name[:64]!r} is no digest")
        bond = Bond(bytes.fromhex(written.key), written.certificate)
    if bond is None and written.phase in (Phase.BOUND, Phase.USED):
        raise ValueError(f"{written.name[:64]!r} is bound to no key")
    return Invitation(
        written.name,
        bytes.fromhex(written.sha256),
        written.made,
        written.ends,
        written.days,
        tuple(written.siblings),
        written.phase,
        written.since,
        bond,
        tuple(written.ranges),
    )


def _write(one: Invitation) -> _Written:
    return _Written(
        one.name,
        one.digest.hex(),
        one.made,
        one.ends,
        one.days,
        list(one.siblings),
        one.phase,
        one.since,
        None if one.bond is None else one.bond.key.hex(),
        "" if one.bond is None else one.bond.certificate,
        list(one.ranges),
    )
