"""`herdbook join`: a new node gets its certificate and starts, until it has what the herd has."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from service.cli.coming_in import SETTINGS, Newcomer, Say, Wishes, come_in
from service.cli.gate import checked_endpoint
from service.cli.invitations import told_refusals
from service.cli.options import make_importable
from service.cli.output import CommandFailed, ExitCode, Output, output_option

_MOST_TOKEN = 1_000


@click.command()
@click.argument("url")
@click.argument("token")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Where the node keeps its settings, key, certificates, database and logs; made if it is"
    " not there.",
)
@click.option("--records", metavar="MODULE", help="The module of record classes.")
@click.option(
    "--migrations",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The folder of the project's revisions. Default: `migrations` beside the module, or here.",
)
@click.option(
    "--listen",
    callback=checked_endpoint,
    metavar="ENDPOINT",
    help="Where siblings find the node, such as tcp:8653:interface=192.0.2.11. Default: nowhere.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="As that of `herdbook up`: for calls. Default: 8650.",
)
@click.option("--detach", is_flag=True, help="Return once the node has joined; it runs on.")
@click.option(
    "--no-start",
    is_flag=True,
    help="Get the certificate and write the settings only, for who starts the node otherwise.",
)
@output_option
def join(
    url: str,
    token: str,
    directory: Path,
    records: str | None,
    migrations: Path | None,
    listen: str | None,
    port: int | None,
    detach: bool,
    no_start: bool,
    output: Output,
) -> ExitCode:
    r"""Come into a herd by an invitation: the gate's address, and the token.

    The key is made here and stays here. The node gets its certificate, starts with a database
    server of its own as `herdbook up` does, gets what the herd has, and takes the ranges of the
    invitation. Then one line tells so, and where it serves, which it does until Ctrl-C. Whatever
    breaks off, run the same again: it goes on where it was. TOKEN as - is read from stdin, where
    nobody else on this machine sees it.

    \b
    Examples:
      herdbook join tcp://shed.example.org:8654 - --dir barn --records garden.records < barn.token
      herdbook join tcp://10.0.0.1:8654 - --dir barn --records garden.records --detach < barn.token
      herdbook join tcp://10.0.0.1:8654 - --dir barn --no-start < barn.token
    """
    from service.cli.gate_client import place_of
    from service.cli.joined import certified, tell_result
    from service.identity.joining.place import begin
    from service.identity.joining.token import read_token

    if detach and no_start:
        raise click.UsageError("--detach starts the node, and --no-start does not")
    place_of(url)
    held = read_token(sys.stdin.read(_MOST_TOKEN) if token == "-" else token)
    directory = directory.absolute()
    _require_new(directory)
    make_importable(Path.cwd())
    if (directory / SETTINGS).exists():
        _tell_unread(output, directory, records=records, migrations=migrations, listen=listen)
    elif not no_start:
        migrations = _startable(records, migrations)
    wishes = Wishes(records, None if migrations is None else migrations.absolute(), listen)
    say = _steps(output, 4 if no_start else 6)
    with told_refusals():
        come_in(url, Newcomer(directory, held, begin(directory, held), wishes, say))
    document = certified(directory, datetime.now(UTC))
    if no_start:
        tell_result(document, output)
        return ExitCode.DONE
    from service.cli.join_start import Joining, start

    start(Joining(document, say, output, port), detach)
    return ExitCode.DONE


def _tell_unread(output: Output, directory: Path, **options: object) -> None:
    """Say which of the options that were given do not count, since the settings are there."""
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        is_or_are = "is" if len(given) == 1 else "are"
        output.note(
            f"{' and '.join(given)} {is_or_are} not read again: "
            f"what {directory / SETTINGS} says counts"
        )


def _require_new(directory: Path) -> None:
    """Refuse settings that somebody else has written, before the token is bound to anything."""
    from service.identity.files import is_there
    from service.identity.joining.place import is_begun

    if is_there(directory / SETTINGS) and not is_begun(directory):
        raise CommandFailed(
            f"{directory / SETTINGS} is there already",
            "name another directory, and put together by hand what is to be in one file",
            code="join.settings",
        )


def _startable(records: str | None, migrations: Path | None) -> Path | None:
    """The folder of the project's revisions; None: the environment's, or the one beside the module.

    Refuses what could not start, before the token is bound to anything: raises CommandFailed and
    DeclarationError. Settings that are there name all of it already.
    """
    from records.catalogue import load_catalogue
    from schema.scripts import own_revisions

    named = records or os.environ.get("HERDBOOK_NODE_RECORDS")
    if not named:
        raise CommandFailed(
            "which record classes the node serves is not said",
            "name their module with --records MODULE: the one that the herd's nodes have. With"
            " --no-start the node is not started, and its settings can name it later",
            code="join.records",
        )
    load_catalogue(named)
    here = Path("migrations")
    is_said = migrations is not None or os.environ.get("HERDBOOK_NODE_MIGRATIONS")
    if is_said or own_revisions(named) is not None:
        return migrations
    if here.is_dir():
        return here
    raise CommandFailed(
        f"there are no revisions for the tables of {named}",
        "name their folder with --migrations FOLDER: the one that the herd's nodes have",
        code="join.migrations",
    )


def _steps(output: Output, number: int) -> Say:
    """Tells each step with its number."""
    return lambda step, text: output.note(f"{step} of {number}: {text}")
