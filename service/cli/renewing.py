"""`herdbook node renew`: a node gets a certificate in the place of its own, from the gate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.cli.herd_ca import card_document, card_words
from service.cli.invitations import told_refusals
from service.cli.output import ExitCode, Output, output_option

if TYPE_CHECKING:
    from service.identity.credentials import Credentials


@click.command()
@click.argument("url")
@click.argument("certificate", type=click.Path(path_type=Path), metavar="CERTIFICATE")
@click.option("--when-due", is_flag=True, help="Do nothing before two thirds of its life are over.")
@output_option
def renew(url: str, certificate: Path, when_due: bool, output: Output) -> ExitCode:
    r"""Get a new certificate of this node from the gate, in the place of CERTIFICATE.

    node.key and ca.crt are those beside it. The key stays, and so does the name. A node that runs
    takes the new one within a few seconds. The gate has to be opened with --renew; a certificate
    that has expired is renewed by hand.

    \b
    Examples:
      herdbook node renew tcp://shed.example.org:8654 barn/herd/node.crt
      herdbook node renew tcp://shed.example.org:8654 barn/herd/node.crt --when-due --json
    """
    from service.cli.gate_client import place_of
    from service.identity.credentials import Paths, load_credentials, name_in
    from service.identity.files import replace
    from service.identity.life import Standing

    place_of(url)
    folder = certificate.parent
    mine = Paths(certificate, folder / "node.key", folder / "ca.crt")
    found = load_credentials(mine, name_in(certificate), _now())
    if when_due and found.card.life.standing(_now()) is Standing.GOOD:
        told = {"renewed": False, **card_document(found.card), "certificate": str(certificate)}
        output.result(told, f"{card_words(found.card)}\n  it is not due yet")
        return ExitCode.DONE
    with told_refusals():
        made = _renewed(url, found)
    replace(certificate, made)
    card = load_credentials(mine, found.card.subject.node or "", _now()).card
    told = {"renewed": True, **card_document(card), "certificate": str(certificate)}
    output.result(told, f"{card_words(card)}\n  in {certificate}")
    return ExitCode.DONE


def _renewed(url: str, mine: Credentials) -> bytes:
    """What the gate gives, in PEM; it is told nothing before it is known for the herd's."""
    from service.cli.gate_client import line_to
    from service.identity.certificates import certificate_pem, read_der
    from service.identity.joining.newcomer import believed_gate
    from service.identity.joining.renewing import asked_renewal, believed_renewal
    from service.identity.joining.token import authority_digest

    with line_to(url) as line:
        shown = read_der(line.shown, "what the gate shows")
        believed_gate(line.hear(), shown, authority_digest(mine.ca), _now())
        line.say(asked_renewal(mine.certificate, mine.key))
        made = believed_renewal(line.hear(), mine.certificate, mine.key, mine.ca, _now())
        return certificate_pem(made)


def _now() -> datetime:
    return datetime.now(UTC)
