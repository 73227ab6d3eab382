"""`herdbook up` and `herdbook down`: a node with a database server of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from service.cli.embedded import Embedded, begin_detached
from service.cli.options import config_option, make_importable, settings_file
from service.cli.output import CommandFailed, Output, output_option
from service.cli.place import Place, Running
from service.cli.prepare import EXAMPLE
from service.server.processes import end_process, servers_on

_STOP_SECONDS = 60.0


_Command = TypeVar("_Command", bound=Callable[..., Any])


def _named(_context: click.Context, _parameter: click.Parameter, value: str) -> Path:
    """The directory; an empty name is that of a shell variable that is not set."""
    if not value:
        raise click.BadParameter("it is empty; write . for this directory")
    return Path(value)


def _directory_option(required_help: str) -> Callable[[_Command], _Command]:
    """`--dir`, in the words of one command."""
    return click.option(
        "--dir",
        "directory",
        type=click.Path(file_okay=False),
        callback=_named,
        required=True,
        metavar="DIR",
        help=required_help,
    )


@click.command()
@_directory_option("Where the node keeps its database and logs; made if it is not there.")
@click.option("--records", metavar="MODULE", help="The module of record classes.")
@click.option(
    "--migrations",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The folder of the project's revisions. Default: `migrations` beside the module.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Listen for calls on this port of 127.0.0.1; 0 takes any free one. Default: 8650. The"
    " other listeners, admin and stream, then take free ones too.",
)
@click.option("--detach", is_flag=True, help="Return once the node is ready; it runs on.")
@config_option
@output_option
def up(
    directory: Path,
    records: str | None,
    migrations: Path | None,
    port: int | None,
    detach: bool,
    config: Path | None,
    output: Output,
) -> None:
    r"""Run a node with a private database server.

    Starts the server (MariaDB or MySQL, whichever is installed) in DIR, brings the schema up to
    date, serves until Ctrl-C or SIGTERM, and stops the server. When the node is ready one line
    tells where: with --json an object with rpc, stream, admin, database, dir and pid.

    It runs by the herdbook.toml in DIR, or the one here; without either and without --records it
    serves the example: countries and cities.

    \b
    Examples:
      herdbook up --dir data --records garden.records
      herdbook up --dir data --port 0 --detach --json
      herdbook down --dir data
    """
    place = Place(directory.absolute())
    _require_free(place)
    make_importable(Path.cwd())
    file = settings_file(config, directory)
    given = _given(file, records, migrations, port)
    embedded = Embedded(place, file, given, output)
    if detach:
        context = click.get_current_context()
        _announce(output, begin_detached(place, _same_but_attached(context.params)).ready())
    else:
        embedded.run(lambda running: _announce(output, running))


@click.command()
@_directory_option("The directory of the node to stop.")
@output_option
def down(directory: Path, output: Output) -> None:
    r"""Stop the node that runs on a directory, and its database server.

    Calls under way are finished first. Where a node was killed and its server still runs, the
    server is stopped. Nothing running is no error.

    \b
    Example:
      herdbook down --dir data
    """
    place = Place(directory.absolute())
    if not place.directory.is_dir():
        raise CommandFailed(f"{directory} is no directory", "name the one that `up` was given")
    owner = place.owner()
    ended = [] if owner is None else [owner]
    what = "the node" if place.running() else f"process {owner}"
    if owner is not None:
        end_process(owner, _STOP_SECONDS)
    leftovers = list(servers_on(place.layout.data)) if place.layout.data.exists() else []
    for server in leftovers:
        end_process(server, _STOP_SECONDS)
    place.forget()
    text = f"stopped {what} on {directory}" if ended else f"no node runs on {directory}"
    if leftovers:
        text += "; stopped the server that a killed node had left"
    output.result({"dir": str(place.directory), "stopped": [*ended, *leftovers]}, text)


def _require_free(place: Place) -> None:
    """Refuse a directory on which a node runs."""
    owner = place.owner()
    if owner is not None:
        raise CommandFailed(
            f"a node runs on {place.directory} already (process {owner})",
            f"stop it with: herdbook down --dir {place.directory}",
            code="already_running",
        )


def _given(
    file: Path | None, records: str | None, migrations: Path | None, port: int | None
) -> Mapping[str, object]:
    """What the command line says, by the configuration's names."""
    given: dict[str, object] = {}
    if records is None and file is None:
        records = os.environ.get("HERDBOOK_NODE_RECORDS", EXAMPLE)
    if records is not None:
        given["node.records"] = records
    if migrations is not None:
        given["node.migrations"] = str(migrations.absolute())
    if port is not None:
        given |= port_settings(port)
    return given


def port_settings(port: int) -> dict[str, object]:
    """What `--port` says over the settings."""
    others = {f"listen.{other}": "tcp:0:interface=127.0.0.1" for other in ("admin", "stream")}
    return {"listen.rpc": f"tcp:{port}:interface=127.0.0.1", **others}


def _same_but_attached(params: Mapping[str, Any]) -> list[str]:
    """The command line of a process that runs what this one was asked for."""
    options = {
        "--dir": params["directory"],
        "--records": params["records"],
        "--migrations": params["migrations"],
        "--port": params["port"],
        "--config": params["config"],
    }
    given = {name: value for name, value in options.items() if value is not None}
    return ["up", *(part for name, value in given.items() for part in (name, str(value)))]


def _announce(output: Output, running: Running) -> None:
    """Say where the node is."""
    text = (
        f"serving {running.rpc}\n"
        f"  stream    {running.stream}\n"
        f"  admin     {running.admin}\n"
        f"  database  {running.database}\n"
        f"  directory {running.dir} (process {running.pid})"
    )
    output.result(asdict(running), text)
