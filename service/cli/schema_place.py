"""Which database and which project a command about schemas is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.advice import hints_about, option_words
from service.cli.embedded import database_in
from service.cli.options import config_option, read_configuration
from service.cli.output import ExitCode, Output, output_option
from service.cli.place import Place
from service.config import Configuration
from service.database_url import mask_secrets

if TYPE_CHECKING:
    from schema.migrator import Migrator

_FOLDER = click.Path(path_type=Path, file_okay=False)


def place_options(command: Callable[..., ExitCode | None]) -> Callable[..., ExitCode | None]:
    """Which database and which project: from the configuration, or named one by one.

    Commands in the hints of errors get the options that were given.
    """

    @wraps(command)
    def with_hints(**given: Any) -> ExitCode | None:
        with hints_about(place_words(given)):
            return command(**given)

    decorated = with_hints
    for option in (
        output_option,
        click.option("--migrations", type=_FOLDER, metavar="DIR", help="The folder of revisions."),
        click.option("--records", metavar="MODULE", help="The module of record classes."),
        click.option("--database", metavar="URL", help="The database: mysql://user@host/name."),
        click.option(
            "--dir",
            "directory",
            type=_FOLDER,
            metavar="DIR",
            help="The database of `herdbook up --dir DIR`. Where no node runs there, its server is"
            " started for this command. Only `upgrade` sets one up.",
        ),
        config_option,
    ):
        decorated = option(decorated)
    return decorated


def place_words(given: Mapping[str, Any]) -> list[str]:
    """The options of `place_options` as they were given, without a password."""
    database = given["database"]
    return option_words(
        {
            "--config": given["config"],
            "--dir": given["directory"],
            "--database": database and mask_secrets(database),
            "--records": given["records"],
            "--migrations": given["migrations"],
        }
    )


def configured(
    config: Path | None,
    database: str | None,
    directory: Path | None,
    records: str | None,
    migrations: Path | None,
    output: Output,
    *,
    may_make: bool = False,
) -> Configuration:
    """What the options, the environment and the file say; the record module can be imported then.

    `may_make` says whether a private server is set up where none is.
    """
    if directory is not None:
        if database is not None:
            raise click.UsageError("--dir and --database each name a database; give one.")
        private = database_in(Place(directory.absolute()), output, may_make=may_make)
        # Stopped again when the command ends.
        database = click.get_current_context().with_resource(private)
    folder = None if migrations is None else str(migrations.absolute())
    named = {"database.url": database, "node.records": records, "node.migrations": folder}
    given = {key: value for key, value in named.items() if value is not None}
    return read_configuration(config, given, directory)


def migrator(**place: Any) -> Migrator:
    """The migrator for what `configured` says."""
    from service.cli.prepare import catalogue_for, migrator_for

    configuration = configured(**place)
    return migrator_for(configuration, catalogue_for(configuration))
