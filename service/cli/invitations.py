"""`herdbook node invite`, `invitations`, `withdraw`: who may come into the herd.

What is kept is beside the authority's key, since only who has that can let anybody in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from records.family_words import PURPOSES
from service.cli.advice import with_authority
from service.cli.herd_ca import authority_option, read_authority
from service.cli.issued import require_not_issued
from service.cli.output import CommandFailed, ExitCode, Output, output_option
from service.config.first_ranges import check_first_range
from service.config.problems import ValueWrong
from service.config.siblings import check_any_sibling, no_sibling_twice

if TYPE_CHECKING:
    from service.identity.authority import Authority
    from service.identity.joining.invitations import Invitation, Invitations
    from service.identity.joining.token import JoinToken

_Command = TypeVar("_Command", bound=Callable[..., Any])

_PURPOSES = {
    "serves": "A block of clients that the node will be nearest to",
    "peers": "A block that its links will come from",
    "pool": "A block of space that it may give out",
    "admin": "A block from where it will be looked after",
}


def _checked(
    _context: click.Context, _parameter: click.Parameter, value: Sequence[str]
) -> tuple[str, ...]:
    """Addresses as they stand in a configuration."""
    try:
        checked = tuple(map(check_any_sibling, value))
        no_sibling_twice(checked)
    except ValueWrong as error:
        raise click.BadParameter(f"{error.message}; {error.advice}") from None
    return checked


def _block_of(
    _context: click.Context, parameter: click.Parameter, value: Sequence[str]
) -> tuple[str, ...]:
    """Blocks for the purpose that the option is called after, as PURPOSE=BLOCK."""
    try:
        found = tuple(check_first_range(f"{parameter.name}={each}") for each in value)
    except ValueWrong as error:
        raise click.BadParameter(error.message) from None
    twice = [each for at, each in enumerate(found) if each in found[:at]]
    if twice:
        block = twice[0].partition("=")[2]
        raise click.BadParameter(f"{block} is named twice; name it once")
    return found


def range_options(command: _Command) -> _Command:
    """Give a command an option for each purpose; what they are given goes by the purpose's name."""
    for purpose in reversed(PURPOSES):
        option = click.option(
            f"--{purpose}",
            multiple=True,
            callback=_block_of,
            metavar="BLOCK",
            help=f"{_PURPOSES[purpose]}, such as 10.1.0.0/16; may be given several times.",
        )
        command = option(command)
    return command


@click.command()
@click.argument("name")
@authority_option
@click.option(
    "--sibling",
    "siblings",
    multiple=True,
    required=True,
    callback=_checked,
    metavar="ADDRESS",
    help="Whom the node will dial, such as tcp:HOST:PORT; may be given several times.",
)
@click.option(
    "--hours",
    type=click.IntRange(1, 720),
    default=24,
    show_default=True,
    help="How long the invitation counts.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 36_500),
    default=365,
    show_default=True,
    help="How long the node's certificate counts.",
)
@range_options
@output_option
def invite(
    name: str,
    folder: Path,
    siblings: tuple[str, ...],
    hours: int,
    days: int,
    output: Output,
    **blocks: tuple[str, ...],
) -> ExitCode:
    r"""Invite a node called NAME, and print the token by which it comes in, this once.

    The token goes to stdout, all else to stderr. It lets in one machine, the first that shows it:
    take it there over a way that nobody else can read. The blocks are ranges that the node takes
    when it has joined.

    \b
    Examples:
      herdbook node invite barn --ca ./authority --sibling tcp:shed.example.org:8653
      herdbook node invite barn --ca ./authority --sibling tcp:10.0.0.1:8653 --hours 2 --json
      herdbook node invite barn --ca ./authority --sibling tcp:10.0.0.1:8653 \
        --serves 10.1.0.0/16 --pool 10.2.0.0/16
    """
    from service.identity.joining.kept import change_kept
    from service.identity.joining.token import write_token

    _require_name(name)
    authority, now = read_authority(folder), _now()
    require_not_issued(name, folder, authority, now)
    ranges = tuple(each for purpose in PURPOSES for each in blocks[purpose])
    token = _token(authority, now.replace(microsecond=0) + timedelta(hours=hours))
    new = _invitation(name, token, now, days)._replace(siblings=siblings, ranges=ranges)
    with told_refusals(folder):
        change_kept(folder, lambda book: (_with_new(book, new, folder, now), None))
    text = write_token(token)
    output.result({"token": text, **_shown(new, now)}, text)
    output.note(
        f"{name} is invited until {new.ends:%Y-%m-%d %H:%M} UTC; the token is not shown again"
    )
    return ExitCode.DONE


@click.command()
@authority_option
@output_option
def invitations(folder: Path, output: Output) -> ExitCode:
    r"""List who is invited, who has come in, and what has become of other invitations.

    Those that expired or were withdrawn are left out some time after 30 days, but for those by
    which somebody has asked for the certificate.

    \b
    Example:
      herdbook node invitations --ca ./authority
    """
    from service.identity.joining.kept import read_kept

    read_authority(folder)
    now = _now()
    shown = [_shown(each, now) for each in read_kept(folder)]
    if output.as_json:
        output.result({"invitations": shown})
    elif shown:
        columns = ("name", "state", "since", "made_at", "ends_at")
        lists = ("siblings", "ranges")
        rows = [
            [*(each[name] for name in columns), *(_words(each[name]) for name in lists)]
            for each in shown
        ]
        output.table(("name", "state", "since", "made", "ends", *lists), rows)
    else:
        output.say("nobody is invited")
    return ExitCode.DONE


@click.command()
@click.argument("name")
@authority_option
@output_option
def withdraw(name: str, folder: Path, output: Output) -> ExitCode:
    r"""Let the invitation of NAME count no more.

    A node that has come in stays in: `herdbook herd retire` keeps it out.

    \b
    Example:
      herdbook node withdraw barn --ca ./authority
    """
    from service.identity.joining.kept import change_kept

    read_authority(folder)
    with told_refusals(folder):
        over = change_kept(folder, lambda book: book.withdrawn(name, _now()))
    output.result(_shown(over, _now()), f"{name} is invited no more")
    if over.bond is not None:
        output.note(
            f"it has asked for its certificate already: keep it out, on a node, with "
            f"`herdbook herd retire {name} --dir DIR --yes`"
        )
    return ExitCode.DONE


@contextmanager
def told_refusals(folder: Path | None = None) -> Iterator[None]:
    """What an invitation refuses, as a command tells it; `folder` is the authority's, if known."""
    from service.identity.joining.invitations import InvitationRefused

    try:
        yield
    except InvitationRefused as error:
        hint = error.hint if folder is None else with_authority(error.hint, folder)
        raise CommandFailed(error.message, hint, code=error.code) from None


def _token(authority: Authority, ends: datetime) -> JoinToken:
    """A token that nobody else has, for the gate of this authority."""
    from service.identity.joining.token import SECRET_BYTES, JoinToken, authority_digest

    digest = authority_digest(authority.certificate)
    return JoinToken(ends, digest, secrets.token_bytes(SECRET_BYTES))


def _invitation(name: str, token: JoinToken, now: datetime, days: int) -> Invitation:
    from service.identity.joining.invitations import Invitation

    return Invitation(name, token.digest, now, token.ends, days, ())


def _with_new(book: Invitations, new: Invitation, folder: Path, now: datetime) -> Invitations:
    """One more; raises InvitationRefused, first where the name is taken, and CommandFailed."""
    from service.identity.joining.gate import require_answerable

    after = book.with_new(new, now)
    require_answerable(new)
    _refuse_clashes(new, (), "name only one of the two")
    withdraw = with_authority("herdbook node withdraw NAME --ca DIR", folder)
    others = [each for each in book if each.is_open(now)]
    _refuse_clashes(new, others, f"choose another block, or withdraw who has it first: {withdraw}")
    return after


def _refuse_clashes(new: Invitation, others: Sequence[Invitation], hint: str) -> None:
    """Refuse ranges that are in the way of each other, or of those of others, with this hint."""
    from service.ranges.errors import RangeRefused
    from service.ranges.wanted import read_wanted, refuse_clashes

    there = [(other.name, read_wanted(each)) for other in others for each in other.ranges]
    try:
        refuse_clashes(new.name, map(read_wanted, new.ranges), there)
    except RangeRefused as error:
        raise CommandFailed(str(error), hint, code=error.code) from None


def _require_name(name: str) -> None:
    from service.identity.names import LONGEST, is_node_name

    if not is_node_name(name):
        hint = f"use letters, digits, '.', '-' and '_', {LONGEST} at most"
        raise CommandFailed(f"{name!r} is no name for a node", hint, code="invitation.name")


def _shown(one: Invitation, now: datetime) -> dict[str, object]:
    """An invitation for programs; of its secret there is nothing."""
    return {
        "name": one.name,
        "state": one.standing(now),
        "since": _moment(one.since or one.made),
        "made_at": _moment(one.made),
        "ends_at": _moment(one.ends),
        "days": one.days,
        "siblings": list(one.siblings),
        "ranges": list(one.ranges),
        "key": None if one.bond is None else one.bond.key.hex(),
    }


def _words(texts: object) -> str:
    return " ".join(texts) if isinstance(texts, list) else ""


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _now() -> datetime:
    return datetime.now(UTC)
