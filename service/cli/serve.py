"""`herdbook serve`: a node on an existing database server."""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from service.cli.advice import hints_about, option_words, with_options
from service.cli.options import config_option, read_configuration
from service.cli.output import Output, output_option
from service.cli.prepare import catalogue_for, leave_no_core_dump, require_ready, start_log
from service.cli.server_checks import require_durable
from service.config import find_file


@click.command()
@config_option
@output_option
def serve(config: Path | None, output: Output) -> None:
    r"""Run a node on the database server that the configuration names.

    The schema must be up to date: `herdbook schema upgrade` brings it there. The server must keep
    what it has committed, unless [database] allow_not_durable says otherwise. Serves until Ctrl-C
    or SIGTERM; calls under way are finished first. When the node is ready one line tells where:
    with --json an object with rpc, stream, admin, database and pid.

    \b
    Examples:
      herdbook check --config herdbook.toml
      herdbook serve --config herdbook.toml
    """
    configuration = read_configuration(config)
    leave_no_core_dump()
    start_log(configuration.log.level)
    catalogue = catalogue_for(configuration)
    # Whoever reads the hint may have another environment than this node's.
    named = config or os.environ.get("HERDBOOK_CONFIG")
    with hints_about(option_words({"--config": named})):
        require_ready(configuration, catalogue)
    require_durable(configuration)
    file = find_file(config, os.environ, Path())
    place = option_words({"--config": file and file.absolute()})
    # Twisted is imported only once everything before it has worked.
    from service.node import Addresses, run_node

    def ready(addresses: Addresses) -> None:
        shown = configuration.database.url.masked()
        document = asdict(addresses) | {"database": shown, "pid": os.getpid()}
        text = (
            f"serving {addresses.rpc}\n"
            f"  stream    {addresses.stream}\n"
            f"  admin     {addresses.admin}\n"
            f"  database  {shown}"
        )
        output.result(document, text)

    run_node(configuration, catalogue, ready, partial(with_options, options=place))
