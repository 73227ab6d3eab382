"""`herdbook demo`: three nodes with real data, and a short tour."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from service.cli.demonstration.nodes import NAMES, NORTH, Herd, herd_in
from service.cli.demonstration.story import Story
from service.cli.output import Output, output_option
from service.cli.signals import end_as_by_ctrl_c, wait_for_the_end


@click.command()
@click.option("--once", is_flag=True, help="End after the tour, with everything stopped.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the databases here. Default: a temporary directory, removed at the end.",
)
@output_option
def demo(once: bool, directory: Path | None, output: Output) -> None:
    r"""Show what Herdbook does, with every country and its cities.

    Starts three nodes, each with a private database server, and loads the data into one of them.
    Cuts one off, lets both sides write, and shows how they become the same again. Then they stay
    up until Ctrl-C, so that you can make calls of your own. With --json each step is one line.

    \b
    Examples:
      herdbook demo
      herdbook demo --once
    """
    end_as_by_ctrl_c()
    with ExitStack() as held:
        if directory is None:
            temporary = tempfile.TemporaryDirectory(prefix="herdbook-demo-")
            directory = Path(held.enter_context(temporary))
        output.note(f"starting three nodes with a database server each in {directory} …")
        herd = held.enter_context(herd_in(directory, output))
        with ExitStack() as windows:
            Story(herd, output, windows).tell()
        if not once:
            _stay(herd, output)


def _stay(herd: Herd, output: Output) -> None:
    """Wait until the terminal or a process manager asks for the end."""
    north = herd.nodes[NORTH]
    addresses = "\n".join(f"  {name:5}  {herd.nodes[name].rpc}" for name in NAMES)
    output.note(
        f"\nThe nodes stay up until Ctrl-C:\n{addresses}\n"
        f"In another terminal:\n"
        f"  herdbook call --url {north.rpc} country.list limit:=3\n"
        f"  herdbook call --url {north.rpc} system.listMethods\n"
        f"  herdbook feed tail --url {north.stream}"
    )
    wait_for_the_end()
