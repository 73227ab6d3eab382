"""A unit of work of several statements whose effect can be counted, and what is done to it."""

from __future__ import annotations

import select
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from service.store.transaction import Transaction
from tests.service.store.tools import ask, raw_connection, read

STEPS = 4
PATIENCE = 30.0
_INSERT = "INSERT INTO land (id, code, name, notes) VALUES (UNHEX(?), ?, '', '{}')"

Disturbance = Callable[[Transaction], None]


def unit(
    name: str, step: int | None = None, disturb: Disturbance | None = None, times: int = 1
) -> Callable[[Transaction], str]:
    """Work that writes STEPS rows; before statement `step` its first `times` runs are disturbed."""
    runs = []

    def work(tx: Transaction) -> str:
        runs.append(name)
        for number in range(STEPS + 1):
            if number == step and disturb is not None and len(runs) <= times:
                disturb(tx)
            if number < STEPS:
                tx.execute(_INSERT, (uuid.uuid4().hex, f"{name}{number}"))
        return name

    return work


def rows_of(url: str, name: str) -> int:
    """How many rows of a unit there are."""
    found: int = read(url, "SELECT COUNT(*) FROM land WHERE code LIKE %s", (f"{name}_",))[0][0]
    return found


def connection_id(tx: Transaction) -> int:
    """The server's number for the connection of a transaction."""
    found: int = tx.rows("SELECT CONNECTION_ID()")[0][0]
    return found


def is_connected(connection: Any, number: int) -> bool:
    """Whether the server still has a connection."""
    return number in {row[0] for row in ask(connection, "SHOW PROCESSLIST")}


def kill(url: str, number: int, what: str = "CONNECTION") -> None:
    """Kill a connection, or its query, and wait until that has happened."""
    with raw_connection(url) as operator:
        ask(operator, f"KILL {what} {number}")
        until(lambda: what == "QUERY" or not is_connected(operator, number))


def killing(url: str) -> Disturbance:
    """A disturbance: the server kills the unit's connection, and that has arrived here."""

    def disturb(tx: Transaction) -> None:
        kill(url, connection_id(tx))
        said = select.poll()
        said.register(tx.store._connection._raw_connection.fileno(), select.POLLIN)
        assert said.poll(1_000 * PATIENCE), "the end of the connection did not arrive"

    return disturb


def until(condition: Callable[[], bool], every: float = 0.005) -> None:
    """Wait for something that another process does; fails when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)


def until_a_lock_is_waited_for(url: str) -> None:
    """Wait until some statement on the server waits for a row lock."""
    question = "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"
    # The servers bring this table up to date only when nobody has looked for a tenth of a second.
    until(lambda: read(url, question)[0][0] > 0, every=0.15)


class Side:
    """Work in a thread beside the test; what it returned or raised is known at the end."""

    def __init__(self, task: Callable[[], Any]) -> None:
        self._task = task
        self.result: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        """Do the task and remember how it ended."""
        try:
            self.result = self._task()
        except BaseException as error:
            self.error = error

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def join(self) -> Any:
        """Wait for the end; what it returned. Raises what it raised."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the work beside the test does not end"
        if self.error is not None:
            raise self.error
        return self.result
