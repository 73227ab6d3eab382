"""`herdbook grant`: the statements that give a node's account what it needs, and no more."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

import click

from service.cli.options import config_option, read_configuration
from service.cli.output import CommandFailed, ExitCode, Output, output_option
from service.cli.server_checks import look_at_server
from service.config import Configuration
from service.database_url import DatabaseUrl
from service.errors import Unavailable
from service.privileges.lacking import TRIGGERS_FORBIDDEN
from service.privileges.needs import needed
from service.privileges.statements import PASSWORD, Account, Target, create_user, grants
from service.server.errors import ServerError
from service.server.versions import ServerKind


@dataclass(frozen=True)
class Asked:
    """For what the statements are: the server, the database, the account, and what it does."""

    kind: ServerKind
    target: Target
    account: Account
    serve_only: bool
    triggers_forbidden: bool | None

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements, in their order."""
        needs = needed(self.kind, serve_only=self.serve_only)
        return (create_user(self.account), *grants(needs, self.target, self.account))

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever runs them has to know."""
        notes = [
            "Run these with an account that may create accounts and grant what they name. Write "
            f"the password, in quotes, in the place of {PASSWORD}."
        ]
        if self.kind is ServerKind.MARIADB and self.account.host == "localhost":
            notes.append(
                "A node that runs on this machine as the system's user of that name needs no "
                f"password: IDENTIFIED VIA unix_socket in the place of IDENTIFIED BY {PASSWORD}."
            )
        return (*notes, *self._notes_on_triggers(), *self._notes_on_names())

    def _notes_on_triggers(self) -> tuple[str, ...]:
        if self.serve_only:
            return (
                "Another account runs migrations. Triggers run with its rights: it has to stay, "
                "and to keep what it was granted.",
            )
        if self.triggers_forbidden:
            return (f"Needed as well: {TRIGGERS_FORBIDDEN}.",)
        if self.triggers_forbidden is None:
            return (
                "If the server's binary log is on, set log_bin_trust_function_creators = 1 there: "
                "otherwise accounts without SUPER can make no triggers.",
            )
        return ()

    def _notes_on_names(self) -> tuple[str, ...]:
        unsure = self.triggers_forbidden is None and self.kind is ServerKind.MYSQL
        if unsure and self.target.pattern != self.target.database:
            return (
                "If the server has partial_revokes on, write the database's name as it is, "
                "without the backslashes.",
            )
        return ()

    def as_json(self) -> dict[str, object]:
        """All of it for programs."""
        return {
            "server": str(self.kind),
            "database": self.target.database,
            "user": self.account.user,
            "host": self.account.host,
            "serve_only": self.serve_only,
            "statements": list(self.statements),
            "notes": list(self.notes),
        }


@click.command()
@config_option
@click.option("--print", "printing", is_flag=True, help="Print the statements; always needed.")
@click.option("--user", metavar="NAME", help="The account's user. Default: that of the URL.")
@click.option(
    "--host",
    metavar="HOST",
    help="From where the node connects, as the database server sees it. Default: this machine, if"
    " the URL leads to it.",
)
@click.option("--serve-only", is_flag=True, help="For an account that never runs migrations.")
@click.option(
    "--server",
    type=click.Choice([kind.value for kind in ServerKind]),
    help="The kind of server. Default: it is asked, which needs an account that gets in.",
)
@output_option
def grant(
    config: Path | None,
    printing: bool,
    user: str | None,
    host: str | None,
    serve_only: bool,
    server: str | None,
    output: Output,
) -> ExitCode:
    r"""Print the SQL that makes the account of a node on the configured database.

    Nothing is run: whoever administers the server does that. The account gets what is needed to
    migrate and to serve, and no more: no SUPER, nothing on other databases. No password is printed:
    what stands in its place is refused by the server.

    \b
    Examples:
      herdbook grant --print
      herdbook grant --print --server mariadb > account.sql
      herdbook grant --print --user garden_node --host 192.0.2.7 --serve-only
    """
    if not printing:
        raise click.UsageError("Nothing but printing is done here: add --print.")
    configuration = read_configuration(config)
    url = configuration.database.url
    account = Account(user or url.user, host or _own_host(url))
    asked = _asked(configuration, account, serve_only, server)
    comments = [f"-- {note}" for note in asked.notes]
    output.result(asked.as_json(), "\n".join([*comments, *asked.statements]))
    return ExitCode.DONE


def _asked(
    configuration: Configuration, account: Account, serve_only: bool, server: str | None
) -> Asked:
    """What is known of the server: from itself, unless its kind is told."""
    if server is not None:
        target = Target(configuration.database.url.database)
        return Asked(ServerKind(server), target, account, serve_only, None)
    try:
        found = look_at_server(configuration)
    except (Unavailable, ServerError) as error:
        raise CommandFailed(
            f"the database server could not be asked what it is: {error}",
            "Name it: --server mariadb or --server mysql.",
        ) from error
    kind, target = found.version.kind, found.standing.target
    return Asked(kind, target, account, serve_only, found.forbids_triggers)


def _own_host(url: DatabaseUrl) -> str:
    """What a server on this machine calls it; raises CommandFailed for a server elsewhere."""
    if url.unix_socket is not None or url.host == "localhost":
        return "localhost"
    try:
        local = ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise CommandFailed(
            f"the database is on {url.host}, so its server sees this node's own address",
            "Name that, or a pattern for it: --host 192.0.2.7, or --host '192.0.2.%'.",
        )
    return url.host
