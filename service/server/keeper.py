"""Brings a private server back when it ends unasked."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

from service.server.errors import ServerError
from service.server.private import PrivateServer

LOOK_EVERY_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0

_log = logging.getLogger("herdbook.server")


def next_pause(pause: float) -> float:
    """How long to wait after a start that failed, when `pause` was waited before it."""
    return min(pause * 2, LONGEST_PAUSE_SECONDS)


class Keeper:
    """Watches a running server from a thread of its own, for the time of a `with` block."""

    def __init__(self, server: PrivateServer) -> None:
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="herdbook-keeper", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Watch no more; a start that is under way is waited for."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        """Look, and start the server again where it has ended; less often while that fails."""
        pause = LOOK_EVERY_SECONDS
        while not self._ended.wait(pause):
            if not self._server.running:
                pause = LOOK_EVERY_SECONDS if self._started() else next_pause(pause)

    def _started(self) -> bool:
        """Start the server again; whether that worked."""
        _log.error("the database server ended unasked; starting it again")
        try:
            self._server.start()
        except ServerError as error:
            _log.error("the database server did not start: %s", error)
            return False
        _log.warning("the database server runs again")
        return True
