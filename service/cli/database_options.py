"""Options of commands that work on a node's database, whether the node runs or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from service.cli.embedded import database_in
from service.cli.options import read_configuration
from service.cli.output import Output
from service.cli.place import Place

_Command = TypeVar("_Command", bound=Callable[..., Any])


def database_option(command: _Command) -> _Command:
    """Give a command `--database URL`, handed to it as `database`."""
    option = click.option("--database", metavar="URL", help="The database: mysql://user@host/name.")
    return option(command)


def dir_option(command: _Command) -> _Command:
    """Give a command `--dir DIR`, handed to it as `directory`."""
    option = click.option(
        "--dir",
        "directory",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="The database of `herdbook up --dir DIR`. Where no node runs there, its server is"
        " started for this command.",
    )
    return option(command)


def database_url(output: Output, given: Mapping[str, Any]) -> str:
    """The URL of the database that `--dir`, `--database` or the configuration names.

    A server that is started for it is stopped when the command ends.
    """
    directory, database = given["directory"], given["database"]
    if directory is None:
        return str(database or read_configuration(given["config"]).database.url.revealed())
    if database is not None:
        raise click.UsageError("--dir and --database each name a database; give one.")
    private = database_in(Place(directory.absolute()), output, may_make=False)
    return click.get_current_context().with_resource(private)
