"""How `herdbook join` comes in: it asks the gate, and keeps what it is given.

Nothing that is there is overwritten, and the certificate is kept last: where it is, the node is in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from service.cli.output import CommandFailed

if TYPE_CHECKING:
    from service.cli.gate_client import Line
    from service.identity.certificates import PrivateKey
    from service.identity.joining.newcomer import Papers
    from service.identity.joining.token import JoinToken

SETTINGS = "herdbook.toml"

_KNOWS = "the gate knows that it is in"
_NOT_TOLD = "the gate could not be told; no harm in it"

Say = Callable[[int, str], None]
"""Tells of a step that is done, by its number."""


class Wishes(NamedTuple):
    """What the settings say beside what the gate gives; None: nothing of it.

    `listen` is where siblings find the node.
    """

    records: str | None = None
    migrations: Path | None = None
    listen: str | None = None


class Newcomer(NamedTuple):
    """What a newcomer goes by."""

    directory: Path
    token: JoinToken
    key: PrivateKey
    wishes: Wishes
    say: Say


def come_in(url: str, newcomer: Newcomer) -> None:
    """Get the certificate from the gate, keep all, and say so; or only say so where all is there.

    Raises CommandFailed, IdentityRefused and InvitationRefused.
    """
    from service.identity.joining.place import is_in

    newcomer.say(1, f"the key is in {newcomer.directory / 'herd'}")
    if is_in(newcomer.directory):
        _say_that_it_is_in(url, newcomer)
    else:
        _get_papers(url, newcomer)


def _get_papers(url: str, newcomer: Newcomer) -> None:
    from service.cli.gate_client import line_to

    with line_to(url) as line:
        papers = _asked(line, newcomer)
        _keep(newcomer, papers)
        _tell_gate(line, newcomer)


def _asked(line: Line, newcomer: Newcomer) -> Papers:
    from service.identity.certificates import read_der
    from service.identity.joining.messages import Ask
    from service.identity.joining.newcomer import believed_authority, believed_papers
    from service.identity.joining.place import keep_authority

    shown = read_der(line.shown, "what the gate shows")
    authority = believed_authority(line.hear(), shown, newcomer.token, _now())
    newcomer.say(2, "the gate is that of the herd that the token is for")
    line.say(Ask(newcomer.token.secret.hex(), _request(newcomer)))
    papers = believed_papers(line.hear(), newcomer.key, authority, _now())
    keep_authority(newcomer.directory, authority)
    return papers


def _keep(newcomer: Newcomer, papers: Papers) -> None:
    """All that the node needs; the certificate last, since it tells that all is there."""
    from service.config.first_ranges import check_first_range
    from service.config.siblings import check_any_sibling
    from service.identity.joining.place import keep_certificate, settle

    siblings = [check_any_sibling(each) for each in papers.siblings]
    ranges = [check_first_range(each) for each in papers.ranges]
    text = settings_text(papers.name, newcomer.wishes, siblings, ranges)
    settle(newcomer.directory / SETTINGS, text.encode())
    keep_certificate(newcomer.directory, papers.certificate)
    newcomer.say(3, f"{papers.name} has its certificate and the herd's authority")


def _tell_gate(line: Line, newcomer: Newcomer) -> None:
    """Let the gate know; the node is in, whether that comes through or not."""
    from service.identity.joining.messages import Joined
    from service.identity.joining.newcomer import is_noted
    from service.identity.joining.place import keep_noted

    try:
        line.say(Joined(newcomer.token.secret.hex(), _request(newcomer)))
        noted = is_noted(line.hear())
    except (CommandFailed, OSError):
        noted = False
    if noted:
        keep_noted(newcomer.directory)
    newcomer.say(4, _KNOWS if noted else _NOT_TOLD)


def _say_that_it_is_in(url: str, newcomer: Newcomer) -> None:
    """All is there: only the gate may not know. It may be closed, since nobody is left.

    One that has noted it is not asked again.
    """
    from service.cli.gate_client import line_to
    from service.identity.certificates import read_der
    from service.identity.errors import IdentityRefused
    from service.identity.joining.newcomer import believed_authority
    from service.identity.joining.place import is_noted

    newcomer.say(3, "the certificates are there already")
    if is_noted(newcomer.directory):
        newcomer.say(4, _KNOWS)
        return
    try:
        with line_to(url) as line:
            shown = read_der(line.shown, "what the gate shows")
            believed_authority(line.hear(), shown, newcomer.token, _now())
            _tell_gate(line, newcomer)
    except (CommandFailed, IdentityRefused):
        newcomer.say(4, _NOT_TOLD)


def settings_text(name: str, wishes: Wishes, siblings: list[str], ranges: list[str]) -> str:
    """The node's configuration; what JSON writes as a text or a list is one in TOML too."""
    node = {
        "name": name,
        "records": wishes.records,
        "migrations": None if wishes.migrations is None else str(wishes.migrations),
    }
    herd = {
        "listen": wishes.listen,
        "siblings": siblings,
        "certificate": "herd/node.crt",
        "key": "herd/node.key",
        "ca": "herd/ca.crt",
        "joining": True,
        "ranges": ranges or None,
    }
    return f"[node]\n{_lines(node)}\n[herd]\n{_lines(herd)}"


def _lines(section: Mapping[str, object]) -> str:
    given = {key: value for key, value in section.items() if value is not None}
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items())


def _request(newcomer: Newcomer) -> str:
    from service.identity.joining.papers import new_request

    return new_request(newcomer.key).decode()


def _now() -> datetime:
    return datetime.now(UTC)
