"""Options of commands that work on a node's database, whether the node runs or not."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from service.cli.embedded import database_in
from service.cli.options import read_configuration
from service.cli.output import CommandFailed, ExitCode, Output
from service.cli.place import Place
from service.cli.wording import as_command
from service.database_url import mask_secrets
from service.errors import AccountRefused, SchemaDiffers, ServiceError, Unavailable

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OF_THE_PLACE = (Unavailable, AccountRefused, SchemaDiffers)
_ADVICE = "Check that the server runs and that the address is right, then run the command again."
_FROM_THE_FILE = (
    "It is the database that the configuration names: --dir DIR names that of `herdbook up --dir "
    "DIR`, --database URL any other."
)


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


def tells_of_database(command: Callable[..., ExitCode | None]) -> Callable[..., ExitCode | None]:
    """Let a command tell what its database refuses."""

    @functools.wraps(command)
    def run(**given: Any) -> ExitCode | None:
        with _for_people(given):
            return command(**given)

    return run


@contextmanager
def _for_people(given: Mapping[str, Any]) -> Iterator[None]:
    """Let what the database refuses be told to whoever typed the command, in place of a client.

    The server's own words belong to it, and how another database is named; the log is for nodes.
    """
    log, nowhere = logging.getLogger("service"), logging.NullHandler()
    log.addHandler(nowhere)
    try:
        yield
    except ServiceError as error:
        raise _in_words(error, given) from error
    finally:
        log.removeHandler(nowhere)


def _in_words(error: ServiceError, given: Mapping[str, Any]) -> CommandFailed:
    said = error.__cause__.args[-1] if error.__cause__ and error.__cause__.args else ""
    advice = _ADVICE if isinstance(error, Unavailable) else as_command(error.advice)
    message = f"{error.message} ({said})" if said else error.message
    if isinstance(error, _OF_THE_PLACE):
        message = f"{_place_of(given)}: {message}"
        if given["directory"] is None and given["database"] is None:
            advice = f"{advice}\n{_FROM_THE_FILE}"
    return CommandFailed(
        message,
        advice,
        code=error.code,
        details={"retryable": error.retryable, **error.details},
    )


def _place_of(given: Mapping[str, Any]) -> str:
    """Which database a command works on, for people."""
    if given["directory"] is not None:
        return str(given["directory"])
    return mask_secrets(str(given["database"] or read_configuration(given["config"]).database.url))
