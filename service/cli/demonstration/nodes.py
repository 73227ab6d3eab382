"""The demonstration's herd: three nodes, each a process with a database server of its own.

South and west connect to north, and west to south. What west connects to the others by are wires
that can be cut; it keeps serving meanwhile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from examples.gazetteer import data
from service.cli.demonstration.wire import Wire
from service.cli.embedded import Detached, begin_detached
from service.cli.output import Output
from service.cli.place import Place, Running
from service.cli.signals import ignore_interrupts, not_interrupted
from service.config import without_settings
from service.server import Program, ProgramMissing, ServerKind, ServerTooOld, find_program
from service.server.data import recorded_origin
from service.server.find import OVERRIDE

NORTH, SOUTH, WEST = NAMES = ("north", "south", "west")

_CONFIGURATION = Path(data.__file__).with_name("demo.toml")
"""Its own: the project in the current folder has no say."""


@dataclass(frozen=True)
class Herd:
    """The running nodes by name, and the wires to the one in the west."""

    nodes: Mapping[str, Running]
    wires: tuple[Wire, ...]

    def cut(self) -> None:
        """West is alone, and keeps serving."""
        for wire in self.wires:
            wire.cut()

    def heal(self) -> None:
        """West finds the others again."""
        for wire in self.wires:
            wire.heal()


@contextmanager
def herd_in(directory: Path, output: Output) -> Iterator[Herd]:
    """Three nodes with the example's records, for the time of a block."""
    places = {name: Place(directory.absolute() / name) for name in NAMES}
    programs = _programs(places)
    with ExitStack() as held:
        wires = [held.enter_context(Wire(_socket(places[name]))) for name in (NORTH, SOUTH)]
        siblings = {
            NORTH: "",
            SOUTH: f"unix:{_protected(_socket(places[NORTH]))}",
            WEST: " ".join(wire.address for wire in wires),
        }
        started: list[Detached] = []
        held.callback(_end, started, output)
        with not_interrupted():
            for name, place in places.items():
                environment = _environment(place, name, siblings[name]) | programs[name]
                started.append(begin_detached(place, _arguments(place), environment))
        with output.progress("starting nodes and their servers", len(NAMES)) as advance:
            nodes = {}
            for one in started:
                nodes[one.place.directory.name] = one.ready()
                advance()
        yield Herd(nodes, tuple(wires))


def _end(started: list[Detached], output: Output) -> None:
    """Stop all nodes, at the same time."""
    ignore_interrupts()
    output.note("stopping …")
    for one in started:
        one.ask_to_end()
    for one in started:
        one.end()


def _arguments(place: Place) -> list[str]:
    directory = str(place.directory)
    return ["up", "--dir", directory, "--config", str(_CONFIGURATION), "--port", "0"]


def _environment(place: Place, name: str, siblings: str) -> dict[str, str]:
    return without_settings(os.environ) | {
        "HERDBOOK_NODE_NAME": name,
        "HERDBOOK_HERD_LISTEN": f"unix:{_protected(_socket(place))}",
        "HERDBOOK_HERD_SIBLINGS": siblings,
    }


def _programs(places: Mapping[str, Place]) -> dict[str, dict[str, str]]:
    """The variable that names each node's server program: of both kinds, where both are there.

    Where the user names one himself all nodes take that, and data that are there keep their kind.
    """
    if os.environ.get(OVERRIDE):
        return {name: {} for name in places}
    found = list(_found())
    return {
        name: {OVERRIDE: str(found[number % len(found)].path)}
        if found and recorded_origin(place.layout) is None
        else {}
        for number, (name, place) in enumerate(places.items())
    }


def _found() -> Iterator[Program]:
    """A usable program of each kind; what is wrong where there is none, a node tells."""
    for kind in ServerKind:
        with suppress(ProgramMissing, ServerTooOld):
            yield find_program(kind)


def _socket(place: Place) -> str:
    """Where a node's siblings connect: beside its server's socket, whose path is short."""
    return str(place.layout.socket.with_name("herd.sock"))


def _protected(path: str) -> str:
    """A path as an argument of an endpoint string."""
    return re.sub(r"([\\:=])", r"\\\1", path)
