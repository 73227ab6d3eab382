"""Certificates that `herdbook herd ca issue` left beside the authority: their names are taken."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.herd_ca import NODE_CERTIFICATE, NODES
from service.cli.output import CommandFailed

if TYPE_CHECKING:
    from service.identity.authority import Authority


def require_not_issued(name: str, folder: Path, authority: Authority, now: datetime) -> None:
    """Refuse a name for which a certificate was issued that counts; raises CommandFailed.

    By an invitation a second machine would get one, and could take the place of the first. Only
    what is in the authority's folder is known. IdentityRefused where what is there is none.
    """
    from service.identity.certificates import read_certificate
    from service.identity.files import is_there, read_public
    from service.identity.verifying import counts_until

    place = folder / NODES / name / NODE_CERTIFICATE
    if not is_there(place):
        return
    certificate = read_certificate(read_public(place), str(place))
    ends = counts_until(certificate, name, authority.certificate, now)
    if ends is not None:
        raise CommandFailed(
            f"{name} has a certificate already, until {ends:%Y-%m-%d %H:%M} UTC: {place}",
            _way_out(name, folder, place),
            code="invitation.name_issued",
        )


def _way_out(name: str, folder: Path, place: Path) -> str:
    renew = shlex.join(["herdbook", "herd", "ca", "renew", str(place), "--ca", str(folder)])
    return (
        f"if {name} is in the herd it needs no invitation; `{renew}` prolongs the certificate, for "
        f"the node to have. If nobody was given these files, delete {place.parent} and invite it "
        f"then; if somebody has them who should not: `herdbook herd retire {name} --dir DIR --yes` "
        "on a node, and another name for the new one"
    )
