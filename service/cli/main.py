"""The frame: the group `herdbook`, its commands by name, and how a run ends."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import click

from service.cli.failures import report
from service.cli.output import ExitCode
from service.cli.signals import remember_interrupts


def keep_lines(command: click.Command) -> click.Command:
    r"""Let paragraphs of help that begin with a line `\b` keep their line breaks, as click does.

    Click wants a backspace there, which a docstring that is raw, as it should be, cannot hold.
    """
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            keep_lines(inner)
    return command


@dataclass(frozen=True)
class LazyCommand:
    """Where a command is, and its line in the list, so that the list imports nothing."""

    target: str
    summary: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is no click command")
        return keep_lines(command)


COMMANDS: Mapping[str, LazyCommand] = {
    "demo": LazyCommand("service.cli.demo:demo", "See it work: real data, served, a short tour."),
    "new": LazyCommand("service.cli.new:new", "Write a starter project."),
    "up": LazyCommand("service.cli.up:up", "Run a node with a database server of its own."),
    "down": LazyCommand("service.cli.up:down", "Stop what `up --detach` started."),
    "serve": LazyCommand("service.cli.serve:serve", "Run a node on an existing database server."),
    "check": LazyCommand("service.cli.check:check", "Check a configuration and what it names."),
    "grant": LazyCommand("service.cli.grant:grant", "Print what makes a database account."),
    "call": LazyCommand("service.cli.call:call", "Call a method of a running node."),
    "feed": LazyCommand("service.cli.feed:feed", "Follow the changes; see who needs them."),
    "token": LazyCommand("service.cli.token:token", "Make tokens for applications; revoke them."),
    "herd": LazyCommand("service.cli.herd:herd", "See siblings, and how the herd hangs together."),
    "node": LazyCommand("service.cli.family:node", "See the nodes; invite new ones."),
    "join": LazyCommand("service.cli.join:join", "Come into a herd by an invitation."),
    "range": LazyCommand(
        "service.cli.range_files:range_", "See, give and take blocks of addresses."
    ),
    "journal": LazyCommand("service.cli.journal:journal", "See what lost a merge; restore it."),
    "held": LazyCommand("service.cli.held:held", "See what could not be written; retry it."),
    "delta": LazyCommand("service.cli.delta:delta", "Carry changes to another node as a file."),
    "simulate": LazyCommand("service.cli.simulate:simulate", "Try the rules on made-up herds."),
    "verify": LazyCommand("service.cli.verify:verify", "Compare the rows of two nodes."),
    "schema": LazyCommand("service.cli.schema:schema", "Migrate the database; show differences."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is used."""

    def __init__(self, lazy: Mapping[str, LazyCommand], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order a newcomer needs them."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, imported now."""
        return self.lazy[cmd_name].load() if cmd_name in self.lazy else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with suggestions from our own list of names."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(
                error.command_name, possibilities=list(self.lazy), ctx=ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self.lazy.items()])


def _show_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(f"herdbook {_version()} (Python {platform.python_version()})")
        context.exit()


def _version() -> str:
    """The installed version. The import takes as long as everything else here together."""
    from importlib import metadata

    try:
        return metadata.version("herdbook")
    except metadata.PackageNotFoundError:
        return "(run from its source folder)"


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and leave.",
)
def herdbook() -> None:
    r"""Herdbook: one-to-many records in MySQL or MariaDB, served over JSON-RPC.

    Declare record classes, migrate, and call. Every command explains itself with --help and takes
    --json.

    \b
    Examples:
      herdbook demo                        see it work
      herdbook new garden                  write a project of your own
      herdbook up --dir data --records garden.records
      herdbook call city.list limit:=3     ask a running node
      herdbook check                       check herdbook.toml here

    \b
    Exit codes:
      0 done                    3 differences or pending changes
      1 failed                  4 unsafe change refused
      2 wrong usage             5 another run holds the lock
    """


keep_lines(herdbook)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; every error becomes a message on stderr.

    When nobody reads the output any more click ends the program by itself, quietly, with 1.
    """
    as_json = "--json" in list(arguments)[: _end_of_options(arguments)]
    try:
        result = herdbook.main(args=arguments, prog_name="herdbook", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        return ExitCode.INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    except Exception as error:
        told = report(error)
        told.show(as_json=as_json)
        _settle_output()
        return told.exit_code
    return result if isinstance(result, int) else ExitCode.DONE


def _end_of_options(arguments: Sequence[str]) -> int:
    return list(arguments).index("--") if "--" in arguments else len(arguments)


def _settle_output() -> None:
    """Where stdout cannot be written, drop what waits: Python's own last flush would fail again."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def main() -> NoReturn:
    """The program `herdbook`."""
    remember_interrupts()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
