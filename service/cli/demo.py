"""`herdbook demo`: real data, served, and a short tour."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import click

from examples.gazetteer import data
from service.cli.embedded import start_detached
from service.cli.output import CommandFailed, ExitCode, Output, output_option
from service.cli.place import Place, Running
from service.cli.rpc_client import Request, send
from service.cli.signals import end_as_by_ctrl_c, wait_for_the_end
from service.cli.tour import TOUR, shown
from service.config import without_settings
from service.server.processes import end_process

_CONFIGURATION = Path(data.__file__).with_name("demo.toml")
"""Its own: the project in the current folder has no say."""

_CALL_SECONDS = 120.0
_STOP_SECONDS = 60.0
_RECORDS_A_CALL = 500


@click.command()
@click.option("--once", is_flag=True, help="End after the tour, with everything stopped.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the database here. Default: a temporary directory, removed at the end.",
)
@output_option
def demo(once: bool, directory: Path | None, output: Output) -> None:
    r"""Show what Herdbook does, with every country and its cities.

    Starts a private database server, migrates, loads the data, serves it, and makes a handful of
    calls with their answers. Then it stays up until Ctrl-C, so that you can make calls of your
    own. With --json each step of the tour is one line.

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
        running = held.enter_context(_node(directory, output))
        _load(running.rpc, output)
        _tour(running.rpc, output)
        if not once:
            _stay(running, output)


@contextmanager
def _node(directory: Path, output: Output) -> Iterator[Running]:
    """A node with the example's records, for the time of a block."""
    place = Place(directory.absolute())
    output.note(f"starting a database server and a node in {place.directory} …")
    arguments = ["up", "--dir", str(place.directory), "--config", str(_CONFIGURATION)]
    running = start_detached(place, [*arguments, "--port", "0"], without_settings(os.environ))
    try:
        yield running
    finally:
        # A second Ctrl-C must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        output.note("stopping …")
        end_process(running.pid, _STOP_SECONDS)


def _load(url: str, output: Output) -> None:
    """Load the countries and their cities, unless they are there."""
    if _result(url, "country.count", {}):
        return
    totals = data.totals()
    for what, method, records in (
        (data.COUNTRIES, "country.create", data.countries()),
        (data.CITIES, "city.create", data.cities()),
    ):
        with output.progress(f"loading {what}", totals[what]) as advance:
            for part in _parts(records):
                _result(url, method, {"records": part})
                advance(len(part))
        output.note(f"loaded {totals[what]:,} {what}")


def _parts(records: Iterator[Any]) -> Iterator[list[Any]]:
    """The records in pieces for one call each."""
    while part := list(islice(records, _RECORDS_A_CALL)):
        yield part


def _tour(url: str, output: Output) -> None:
    """Make the calls of the tour and show them with their answers."""
    said: dict[str, Any] = {}
    for step in TOUR:
        params = step.params(said)
        answer = _answer(url, step.method, params)
        said[step.name] = answer.get("result")
        text = (
            f"\n# {step.why}\n{step.method} {shown(params)}\n→ {shown(next(iter(answer.values())))}"
        )
        output.result({"method": step.method, "params": params, **answer}, text)


def _stay(running: Running, output: Output) -> None:
    """Wait until the terminal or a process manager asks for the end."""
    output.note(
        f"\nThe node stays up at {running.rpc} until Ctrl-C. In another terminal:\n"
        f"  herdbook call --url {running.rpc} country.list limit:=3\n"
        f"  herdbook call --url {running.rpc} system.listMethods\n"
        f"  herdbook feed tail --url {running.stream}"
    )
    wait_for_the_end()


def _answer(url: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The answer of a call, as {"result": …} or {"error": …}."""
    answer = send(url, Request(method, json.dumps(params), 1), _CALL_SECONDS)
    if answer.error is not None:
        return {"error": json.loads(answer.error)}
    return {"result": json.loads(answer.result or "null")}


def _result(url: str, method: str, params: dict[str, Any]) -> Any:
    """The result of a call that must not fail."""
    answer = _answer(url, method, params)
    if "error" in answer:
        message = answer["error"]["message"]
        raise CommandFailed(f"{method} failed: {message}", exit_code=ExitCode.FAILED)
    return answer["result"]
