"""`herdbook herd ca`: the herd's certificate authority, and the certificates of its nodes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from service.cli.output import CommandFailed, ExitCode, Output, output_option

if TYPE_CHECKING:
    from service.identity.authority import Authority
    from service.identity.certificates import Card

CERTIFICATE, KEY = "ca.crt", "ca.key"
NODE_CERTIFICATE, NODE_KEY = "node.crt", "node.key"
NODES = "nodes"
_IF_SEEN = (
    "make another with `herdbook herd ca init`, and new certificates for all nodes: whoever has it "
    "can be any node"
)

_Command = TypeVar("_Command", bound=Callable[..., ExitCode | None])

authority_option = click.option(
    "--ca",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder that `herdbook herd ca init` made.",
)


def _days_option(days: int) -> Callable[[_Command], _Command]:
    return click.option(
        "--days",
        type=click.IntRange(1, 36_500),
        default=days,
        show_default=True,
        help="How long it counts.",
    )


@click.group()
def ca() -> None:
    r"""Make the herd's certificate authority, and certificates for its nodes.

    The authority's key is the herd: whoever has it can be any node. Keep its folder on a machine
    that runs no node, and back it up.

    \b
    Examples:
      herdbook herd ca init ./authority
      herdbook herd ca issue barn --ca ./authority
      herdbook herd ca renew ./authority/nodes/barn/node.crt --ca ./authority
      herdbook herd ca show ./authority
    """


@ca.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@_days_option(3_650)
@output_option
def init(folder: Path, days: int, output: Output) -> None:
    r"""Make an authority for a new herd: ca.crt for every node, and ca.key for nobody.

    What is in DIR already is never overwritten.

    \b
    Example:
      herdbook herd ca init ./authority
    """
    from service.identity.authority import new_authority
    from service.identity.certificates import card_of, certificate_pem, key_pem
    from service.identity.files import NewFile, make_folder, write_new

    _require_absent(folder / CERTIFICATE, folder / KEY)
    made = new_authority(secrets.token_hex(16), _now(), days)
    make_folder(folder)
    write_new(
        NewFile(folder / KEY, key_pem(made.key), private=True),
        NewFile(folder / CERTIFICATE, certificate_pem(made.certificate), private=False),
    )
    card = card_of(made.certificate, CERTIFICATE)
    files = {"certificate": str(folder / CERTIFICATE), "key": str(folder / KEY)}
    output.result(card_document(card) | files, f"{card_words(card)}\n  in {folder}")
    output.note("keep its folder where no node runs, and back it up")


@ca.command()
@click.argument("node", metavar="NODE")
@authority_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where its files go. Default: nodes/NODE in the authority's folder.",
)
@_days_option(365)
@output_option
def issue(node: str, folder: Path, out: Path | None, days: int, output: Output) -> None:
    r"""Make a certificate and a key for a node, whose name is its [node] name.

    Three files come of it: node.crt, node.key and a copy of ca.crt. Take them to the node over a
    way that nobody else can read, name them under [herd], and leave no copy of node.key behind.
    Files that are there already are never overwritten.

    \b
    Examples:
      herdbook herd ca issue barn --ca ./authority
      herdbook herd ca issue barn --ca ./authority --out ./barn --days 90 --json
    """
    from service.identity.authority import issue
    from service.identity.certificates import card_of, certificate_pem, key_pem
    from service.identity.files import NewFile, make_folder, write_new

    authority = read_authority(folder)
    made = issue(authority, node, _now(), days)
    place = folder / NODES / node if out is None else out
    files = {
        "certificate": place / NODE_CERTIFICATE,
        "key": place / NODE_KEY,
        "ca": place / CERTIFICATE,
    }
    _require_absent(*files.values())
    make_folder(place)
    write_new(
        NewFile(files["key"], key_pem(made.key), private=True),
        NewFile(files["certificate"], certificate_pem(made.certificate), private=False),
        NewFile(files["ca"], certificate_pem(authority.certificate), private=False),
    )
    card = card_of(made.certificate, NODE_CERTIFICATE)
    told = {name: str(path) for name, path in files.items()}
    output.result(card_document(card) | told, f"{card_words(card)}\n  in {place}")


@ca.command()
@click.argument("certificate", type=click.Path(path_type=Path), metavar="CERTIFICATE")
@authority_option
@_days_option(365)
@output_option
def renew(certificate: Path, folder: Path, days: int, output: Output) -> None:
    r"""Put a new certificate of the same node, for the same key, in the place of one.

    The key stays where it is: bring node.crt here, and take it back. A node that runs takes the
    new one within a few seconds of its being in place.

    \b
    Example:
      herdbook herd ca renew ./node.crt --ca ./authority
    """
    from service.identity.authority import renew
    from service.identity.certificates import card_of, certificate_pem, read_certificate
    from service.identity.errors import told_of
    from service.identity.files import read_public, replace

    authority = read_authority(folder)
    former = read_certificate(read_public(certificate), str(certificate))
    with told_of(certificate):
        made = renew(authority, former, _now(), days)
    replace(certificate, certificate_pem(made))
    card = card_of(made, str(certificate))
    output.result(
        card_document(card) | {"certificate": str(certificate)},
        f"{card_words(card)}\n  in {certificate}",
    )


@ca.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH")
@output_option
def show(path: Path, output: Output) -> ExitCode:
    r"""Show whose certificate a file is, until when it counts, and its fingerprint.

    Of a folder it shows the authority and the node whose certificates are in it, and whatever was
    issued into its nodes/.
    Ends with 3 where one is expired, to be renewed, or not valid yet.

    \b
    Examples:
      herdbook herd ca show ./authority
      herdbook herd ca show /etc/herdbook/node.crt --json
    """
    from service.identity.certificates import card_of, read_certificate
    from service.identity.files import is_folder, read_public

    files = _certificates_in(path) if is_folder(path) else [path]
    cards = [
        (file, card_of(read_certificate(read_public(file), str(file)), str(file))) for file in files
    ]
    shown = [card_document(card) | {"certificate": str(file)} for file, card in cards]
    output.result({"certificates": shown}, "\n".join(card_words(card) for _file, card in cards))
    good = all(document["state"] == "valid" for document in shown)
    return ExitCode.DONE if good else ExitCode.DIFFERENCES


def _certificates_in(folder: Path) -> list[Path]:
    from service.identity.files import is_there

    here = [folder / name for name in (CERTIFICATE, NODE_CERTIFICATE) if is_there(folder / name)]
    issued = sorted((folder / NODES).glob(f"*/{NODE_CERTIFICATE}"))
    return [*here, *issued] or [folder / CERTIFICATE]


def read_authority(folder: Path) -> Authority:
    """The authority in a folder; IdentityRefused or CommandFailed where it is none that counts."""
    from service.identity.authority import Authority
    from service.identity.certificates import read_certificate, read_key
    from service.identity.errors import told_of
    from service.identity.files import read_private, read_trusted
    from service.identity.verifying import belongs, verify_authority

    where, secret = folder / CERTIFICATE, folder / KEY
    certificate = read_certificate(read_trusted(where), str(where))
    with told_of(where):
        verify_authority(certificate, _now())
    key = read_key(read_private(secret, _IF_SEEN), str(secret))
    if not belongs(key, certificate):
        raise CommandFailed(
            f"{secret} is not the key of {where}", "restore both from one backup", code="identity"
        )
    return Authority(certificate, key)


def _require_absent(*paths: Path) -> None:
    """Refuse before anything is made: half of what belongs together is of no use."""
    from service.identity.files import is_there

    there = [str(path) for path in paths if is_there(path)]
    if there:
        raise CommandFailed(
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already",
            "nothing was overwritten; name another folder, or renew a certificate with `herdbook "
            "herd ca renew`",
            code="identity.there_already",
        )


def card_document(card: Card) -> dict[str, object]:
    """What a certificate says, for programs."""
    subject, life = card.subject, card.life
    return {
        "kind": "authority" if subject.node is None else "node",
        "herd": subject.herd,
        "name": subject.node,
        "state": life.standing(_now()).value,
        "begins_at": _moment(life.begins),
        "ends_at": _moment(life.ends),
        "renew_at": _moment(life.renew_at),
        "fingerprint": card.fingerprint,
    }


def card_words(card: Card) -> str:
    """The same for people."""
    subject, life = card.subject, card.life
    who = "authority" if subject.node is None else f"node {subject.node}"
    return (
        f"{who} of herd {subject.herd}: {life.standing(_now()).value}, until "
        f"{life.ends:%Y-%m-%d %H:%M} UTC\n  SHA-256 {card.fingerprint}"
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _now() -> datetime:
    return datetime.now(UTC)
