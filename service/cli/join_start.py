"""How `herdbook join` starts a node, as `herdbook up` does, and sees it through until it joined."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from service.cli.coming_in import Say
from service.cli.embedded import READY_SECONDS, Embedded, begin_detached
from service.cli.join_progress import Follower
from service.cli.joined import tell_joined
from service.cli.output import CommandFailed, Output
from service.cli.place import Place, Running
from service.cli.up import port_settings

_ASK_EVERY_SECONDS = 0.2
_END_SECONDS = 2.0


class Joining(NamedTuple):
    """A node that has its certificate: what that says, and to whom is told how it goes on.

    `port` is where it takes calls, if that is said.
    """

    document: Mapping[str, Any]
    say: Say
    output: Output
    port: int | None = None

    @property
    def place(self) -> Place:
        """Its directory."""
        return Place(Path(self.document["directory"]))


def start(joining: Joining, detach: bool) -> None:
    """Start the node, tell when it has joined, and serve unless it is detached.

    Where it runs already, of a command that was interrupted for instance, it is only seen through.
    """
    place, settings = joining.place, Path(joining.document["settings"])
    if place.owner() is not None:
        _require_joined(joining, _waited_for(place))
    elif detach:
        listen = [] if joining.port is None else ["--port", str(joining.port)]
        words = ["up", "--dir", str(place.directory), "--config", str(settings), *listen]
        _require_joined(joining, begin_detached(place, words).ready())
    else:
        given = {} if joining.port is None else port_settings(joining.port)
        with _beside() as follow:
            Embedded(place, settings, given, joining.output).run(
                lambda running: follow(lambda go_on: _see_through(joining, running, go_on))
            )


def _require_joined(joining: Joining, running: Running) -> None:
    """See a node through that is another process; raises CommandFailed where that ends."""
    place = joining.place
    if not _see_through(joining, running, lambda: place.owner() == running.pid):
        raise CommandFailed(
            "the node has ended before it had all that the herd has",
            f"{place.log} may tell why; then run the same again",
            code="join.ended",
        )


def _see_through(joining: Joining, running: Running, is_alive: Callable[[], bool]) -> bool:
    """Wait until a node has joined, and tell so; False where it is not alive before."""
    joining.say(5, f"the node runs (process {running.pid}), and gets what the herd has")
    follower = Follower(running.rpc, is_alive, joining.output)
    if not follower.follow():
        return False
    joining.say(6, "it has all that the herd had" if follower.is_level else follower.why_not)
    for warning in follower.warnings:
        joining.output.note(f"WARNING {warning}")
    told = {**joining.document, **asdict(running), "joined": follower.is_level}
    tell_joined(told, joining.output, joining.port)
    return True


def _waited_for(place: Place) -> Running:
    """What a node tells that somebody else has started, once it is ready."""
    deadline = time.monotonic() + READY_SECONDS
    while place.owner() is not None and time.monotonic() < deadline:
        running = place.running()
        if running is not None:
            return running
        time.sleep(_ASK_EVERY_SECONDS)
    raise CommandFailed(
        f"the node that was starting on {place.directory} is not ready",
        f"{place.log} may tell why; then run the same again",
        code="join.not_ready",
    )


_Work = Callable[[Callable[[], bool]], object]
"""What is done until it is over, or what it is given says that it may not go on."""


@contextmanager
def _beside() -> Iterator[Callable[[_Work], None]]:
    """Runs one function beside whatever the block does; it is asked to end when the block does."""
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def begin(work: _Work) -> None:
        go_on = (lambda: not ended.is_set(),)
        threads.append(threading.Thread(target=work, args=go_on, daemon=True))
        threads[0].start()

    try:
        yield begin
    finally:
        ended.set()
        for thread in threads:
            thread.join(_END_SECONDS)
