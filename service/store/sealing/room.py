"""The sealing room: a thread in which states take their turns.

Whatever fails is told to the log and tried again after a pause.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from service.errors import ServiceError, ShuttingDown
from service.store.sealing.lease import NotHolder
from service.store.sealing.pace import Trouble
from service.store.sealing.passes import Sealer
from service.store.sealing.reading import Reading, Readings
from service.store.sealing.states import Observer, Parts, Prune, Sealing, State, Turn, Waiting

_log = logging.getLogger(__name__)


class SealingRoom:
    """Runs a sealer in a thread, from `start` to `stop`."""

    def __init__(
        self,
        sealer: Sealer,
        prune: Prune,
        observer: Observer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readings = Readings()
        self._parts = Parts(sealer, prune, self._readings, observer, clock)
        self._state: State = Waiting(self._parts)
        self._trouble = Trouble()
        self._bell = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="herdbook-sealing", daemon=True)

    @property
    def holder(self) -> bool:
        """Whether this process seals."""
        return isinstance(self._state, Sealing) and not self._closing.is_set()

    def problem(self) -> str | None:
        """What keeps entries from being sealed, in a few words; None where all is well."""
        if not self._thread.is_alive():
            return "sealing is not running"
        return f"sealing fails: {self._trouble.message}" if self._trouble.count else None

    def start(self) -> None:
        """Begin to seal, or to wait for the lease."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the pass under way, give the lease back and end the thread; blocks."""
        left = self._readings.close()
        self._closing.set()
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()
        for reading in left:
            reading.fail(ShuttingDown("the node is stopping"))

    def wake(self) -> None:
        """There may be something to seal; from any thread."""
        self._bell.set()

    def ask(self, reading: Reading[Any]) -> bool:
        """Let something be read in a pass at once; False once the room is closed."""
        added = self._readings.ask(reading)
        self._bell.set()
        return added

    def stand(self, reading: Reading[Any]) -> bool:
        """Let something be read when a pass seals something; False once the room is closed."""
        return self._readings.stand(reading)

    def leave(self, reading: Reading[Any]) -> None:
        """Nobody waits for a reading any more; one that runs already is not interrupted."""
        self._readings.leave(reading)

    def _run(self) -> None:
        """Turn after turn until the room is closed."""
        rung = False
        while not self._closing.is_set():
            turn = self._turn(rung)
            self._become(turn.state)
            if turn.rest:
                self._closing.wait(turn.rest)
            rung = self._bell.wait(turn.wait)
            self._bell.clear()
        self._close()

    def _turn(self, rung: bool) -> Turn:
        """One turn of the state, or what follows when it fails."""
        try:
            turn = self._state.turn(rung)
        except NotHolder:
            _log.info("another process seals now")
            return Turn(Waiting(self._parts), 0.0)
        except Exception as error:
            return Turn(self._state, 0.0, self._failed(error))
        if self._trouble.count:
            _log.info("sealing goes on after %d failures", self._trouble.count)
            self._trouble = Trouble()
        return turn

    def _become(self, state: State) -> None:
        """Go over to the next state."""
        if isinstance(state, Sealing) != isinstance(self._state, Sealing):
            self._parts.observer.holds(isinstance(state, Sealing))
        self._state = state

    def _failed(self, error: Exception) -> float:
        """Note a failure; how long to wait before the next try."""
        known = isinstance(error, ServiceError)
        message = str(error) if known else f"{type(error).__name__}, see the log"
        self._trouble, tell = self._trouble.again(message, self._parts.clock())
        if tell:
            _log.warning("sealing fails: %s", error, exc_info=None if known else error)
        return self._trouble.pause

    def _close(self) -> None:
        """Give the lease back and close the connection."""
        try:
            if isinstance(self._state, Sealing):
                self._parts.sealer.release()
        except Exception as error:
            _log.warning("the lease of the sealer could not be given back: %s", error)
        finally:
            self._parts.sealer.close()
            self._parts.observer.holds(False)
