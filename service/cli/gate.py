"""`herdbook node gate`: lets in who is invited, as long as anybody is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.cli.herd_ca import authority_option, read_authority
from service.cli.output import CommandFailed, ExitCode, Output, output_option
from service.config.endpoints import check_any_endpoint, split
from service.config.problems import ValueWrong

if TYPE_CHECKING:
    from service.identity.authority import Authority
    from service.identity.joining.gate import Answered
    from service.identity.joining.invitations import Invitations

_BROKEN = "gate.broken"


def checked_endpoint(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    """A listener's endpoint, as it would stand in a configuration; None where none is given."""
    if value is None:
        return None
    try:
        if split(value).kind == "unix":
            raise ValueWrong("others come over the network", "write tcp:PORT:interface=ADDRESS")
        return check_any_endpoint(value, "others verify who is there: any address will do")
    except ValueWrong as error:
        raise click.BadParameter(f"{error.message}; {error.advice}") from None


@click.command()
@authority_option
@click.option(
    "--listen",
    "endpoint",
    required=True,
    callback=checked_endpoint,
    metavar="ENDPOINT",
    help="Where newcomers come, such as tcp:8654:interface=192.0.2.10.",
)
@click.option(
    "--renew",
    "renewal_days",
    type=click.IntRange(1, 36_500),
    metavar="DAYS",
    help="Also renew the certificates of the herd's nodes, for so many days each; open until"
    " Ctrl-C then.",
)
@output_option
def gate(folder: Path, endpoint: str, renewal_days: int | None, output: Output) -> ExitCode:
    r"""Open the gate for those who are invited, until all are in or their time is over.

    One line tells where it is: `herdbook join` is given that, or the name under which others reach
    this machine. Who is invited or withdrawn meanwhile counts within a second. Ctrl-C closes it;
    who was about to come in comes again when it is opened anew.

    \b
    Examples:
      herdbook node gate --ca ./authority --listen tcp:8654:interface=192.0.2.10
      herdbook node gate --ca ./authority --listen tcp:8654:interface=192.0.2.10 --renew 365
    """
    from service.identity.certificates import certificate_pem, key_pem
    from service.identity.joining.gate import hello
    from service.identity.joining.kept import read_kept
    from service.identity.joining.messages import write_line
    from service.identity.joining.papers import gate_papers

    authority = read_authority(folder)
    invited = [each.name for each in read_kept(folder) if each.is_open(_now())]
    if not (invited or renewal_days):
        hint = "invite somebody first: herdbook node invite NAME"
        raise CommandFailed("nobody is invited", hint, code="gate.nobody_invited")
    papers = gate_papers(authority, _now())
    # Twisted is imported only once everything before it has worked.
    from service.transports.gate import Sayings, run_gate

    def ready(address: str) -> None:
        renewals = ["renewals"] if renewal_days else []
        text = f"the gate is open for {', '.join([*invited, *renewals])}\n  {address}"
        output.result({"listen": address, "invited": invited}, text)

    answering = _answering(folder, authority, renewal_days, output)
    both = certificate_pem(papers.certificate) + key_pem(papers.key)

    def is_wanted() -> bool:
        return renewal_days is not None or read_kept(folder).are_open(_now())

    run_gate(endpoint, both, Sayings(write_line(hello(authority)), answering), is_wanted, ready)
    left = [each.name for each in read_kept(folder) if each.is_open(_now())]
    output.note(f"closed; still invited: {', '.join(left)}" if left else "closed; nobody is left")
    return ExitCode.DONE


def _answering(
    folder: Path, authority: Authority, renewal_days: int | None, output: Output
) -> Callable[[bytes], bytes]:
    """What to say to each line; what it changes is kept before."""
    from service.identity.errors import IdentityRefused
    from service.identity.joining.gate import answer
    from service.identity.joining.kept import change_kept
    from service.identity.joining.messages import No, write_line

    def answering(line: bytes) -> bytes:
        try:
            found = change_kept(
                folder,
                lambda book: _twice(answer(line, book, authority, _now(), renewal_days)),
            )
        except IdentityRefused as error:
            output.note(f"nobody is let in: {error}")
            hint = "whoever has opened the gate sees why; come again when that is mended"
            return write_line(No(_BROKEN, "the gate cannot keep what it answers", hint))
        output.note(_told(found))
        return write_line(found.reply)

    return answering


def _twice(found: Answered) -> tuple[Invitations, Answered]:
    return found.invitations, found


def _told(found: Answered) -> str:
    """A line about what was answered, for who has opened the gate."""
    from service.identity.joining.messages import No, Noted, Renewed

    if isinstance(found.reply, No):
        return f"refused ({found.reply.code}): {found.reply.message}"
    if isinstance(found.reply, Noted):
        return f"{found.who} is in"
    if isinstance(found.reply, Renewed):
        return f"{found.who} gets a new certificate"
    return f"{found.who} has asked for its certificate and gets it"


def _now() -> datetime:
    return datetime.now(UTC)
