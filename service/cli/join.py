"""`herdbook join`: a new node gets its certificate, and what else it needs to be of the herd."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from service.cli.invitations import told_refusals
from service.cli.output import CommandFailed, ExitCode, Output, output_option

if TYPE_CHECKING:
    from service.cli.gate_client import Line
    from service.identity.certificates import PrivateKey
    from service.identity.joining.newcomer import Papers
    from service.identity.joining.token import JoinToken

_MOST_TOKEN = 1_000
_SETTINGS = "herdbook.toml"


class _Joining(NamedTuple):
    """What a newcomer goes by."""

    directory: Path
    token: JoinToken
    key: PrivateKey
    records: str | None
    output: Output


@click.command()
@click.argument("url")
@click.argument("token")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Where the node's settings, key and certificates go; made if it is not there.",
)
@click.option("--records", metavar="MODULE", help="The module of record classes, for its settings.")
@output_option
def join(url: str, token: str, directory: Path, records: str | None, output: Output) -> ExitCode:
    r"""Come into a herd by an invitation: the gate's address, and the token.

    The key is made here and stays here. In DIR there are then herdbook.toml and herd/ with the
    certificates; when the node starts it gets all that the herd has. Whatever breaks off, run the
    same again: it goes on where it was. TOKEN as - is read from stdin, where nobody else on this
    machine sees it.

    \b
    Examples:
      herdbook join tcp://shed.example.org:8654 - --dir barn < barn.token
      herdbook join tcp://10.0.0.1:8654 - --dir barn --records garden.records < barn.token
    """
    from service.cli.gate_client import place_of
    from service.identity.joining.place import begin, is_in
    from service.identity.joining.token import read_token

    place_of(url)
    held = read_token(sys.stdin.read(_MOST_TOKEN) if token == "-" else token)
    directory = directory.absolute()
    _require_new(directory)
    joining = _Joining(directory, held, begin(directory, held), records, output)
    output.note(f"1 of 4: the key is in {directory / 'herd'}")
    was_in = is_in(directory)
    with told_refusals():
        _say_that_it_is_in(url, joining) if was_in else _come_in(url, joining)
    _tell_result(joining)
    return ExitCode.DONE


def _require_new(directory: Path) -> None:
    """Refuse settings that somebody else has written, before the token is bound to anything."""
    from service.identity.files import is_there
    from service.identity.joining.place import is_begun

    if is_there(directory / _SETTINGS) and not is_begun(directory):
        raise CommandFailed(
            f"{directory / _SETTINGS} is there already",
            "name another directory, and put together by hand what is to be in one file",
            code="join.settings",
        )


def _come_in(url: str, joining: _Joining) -> None:
    """Get the certificate, keep all, and say so."""
    from service.cli.gate_client import line_to

    with line_to(url) as line:
        papers = _asked(line, joining)
        _keep(joining, papers)
        _tell_gate(line, joining)


def _asked(line: Line, joining: _Joining) -> Papers:
    from service.identity.certificates import read_der
    from service.identity.joining.messages import Ask
    from service.identity.joining.newcomer import believed_authority, believed_papers
    from service.identity.joining.place import keep_authority

    shown = read_der(line.shown, "what the gate shows")
    authority = believed_authority(line.hear(), shown, joining.token, _now())
    joining.output.note("2 of 4: the gate is that of the herd that the token is for")
    line.say(Ask(joining.token.secret.hex(), _request(joining)))
    papers = believed_papers(line.hear(), joining.key, authority, _now())
    keep_authority(joining.directory, authority)
    return papers


def _keep(joining: _Joining, papers: Papers) -> None:
    """All that the node needs; the certificate last, since it tells that all is there."""
    from service.config.siblings import check_any_sibling
    from service.identity.joining.place import keep_certificate, settle

    siblings = [check_any_sibling(each) for each in papers.siblings]
    settings = _settings(papers.name, joining.records, siblings)
    settle(joining.directory / _SETTINGS, settings.encode())
    keep_certificate(joining.directory, papers.certificate)
    joining.output.note(f"3 of 4: {papers.name} has its certificate and the herd's authority")


def _tell_gate(line: Line, joining: _Joining) -> None:
    """Let the gate know; the node is in, whether that comes through or not."""
    from service.identity.joining.messages import Joined
    from service.identity.joining.newcomer import is_noted

    try:
        line.say(Joined(joining.token.secret.hex(), _request(joining)))
        noted = is_noted(line.hear())
    except (CommandFailed, OSError):
        noted = False
    told = "the gate knows that it is in" if noted else "the gate could not be told; no harm in it"
    joining.output.note(f"4 of 4: {told}")


def _say_that_it_is_in(url: str, joining: _Joining) -> None:
    """All is there: only the gate may not know. It may be closed, since nobody is left."""
    from service.cli.gate_client import line_to
    from service.identity.certificates import read_der
    from service.identity.errors import IdentityRefused
    from service.identity.joining.newcomer import believed_authority

    joining.output.note("3 of 4: the certificates are there already")
    try:
        with line_to(url) as line:
            shown = read_der(line.shown, "what the gate shows")
            believed_authority(line.hear(), shown, joining.token, _now())
            _tell_gate(line, joining)
    except (CommandFailed, IdentityRefused):
        joining.output.note("4 of 4: the gate could not be told; no harm in it")


def _tell_result(joining: _Joining) -> None:
    from service.identity.certificates import card_of, read_certificate
    from service.identity.credentials import load_credentials
    from service.identity.files import read_trusted
    from service.identity.joining.place import paths_in

    paths = paths_in(joining.directory)
    where = str(paths.certificate)
    name = card_of(read_certificate(read_trusted(paths.certificate), where), where).subject.node
    card = load_credentials(paths, name or "", _now()).card
    settings = joining.directory / _SETTINGS
    document = {
        "name": name,
        "herd": card.subject.herd,
        "fingerprint": card.fingerprint,
        "ends_at": f"{card.life.ends:%Y-%m-%dT%H:%M:%SZ}",
        "settings": str(settings),
        "directory": str(joining.directory),
    }
    text = (
        f"{name} is of herd {card.subject.herd}\n"
        f"  settings  {settings}\n"
        f"  start it  herdbook up --dir {joining.directory} --config {settings}"
    )
    joining.output.result(document, text)


def _settings(name: str, records: str | None, siblings: list[str]) -> str:
    """The node's configuration; what JSON writes as a text is one in TOML too."""
    lines = ["[node]", f"name = {json.dumps(name)}"]
    if records is not None:
        lines.append(f"records = {json.dumps(records)}")
    lines += [
        "",
        "[herd]",
        f"siblings = {json.dumps(siblings)}",
        'certificate = "herd/node.crt"',
        'key = "herd/node.key"',
        'ca = "herd/ca.crt"',
    ]
    return "\n".join(lines) + "\n"


def _request(joining: _Joining) -> str:
    from service.identity.joining.papers import new_request

    return new_request(joining.key).decode()


def _now() -> datetime:
    return datetime.now(UTC)
