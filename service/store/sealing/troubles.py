"""What keeps single tables and rows from being sealed as they should be.

None of it may keep the rest from being sealed: each is told to the log once, and what is likely to
fail again is left alone for a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from MySQLdb import Error as DriverError
from storm.exceptions import DisconnectionError

from service.store.database import LOST_CONNECTION, error_number
from service.store.sealing.entries import Place
from service.store.translation import RETRIED, triggers_unread

TABLE_SECONDS = 10.0
"""How long a table is left alone whose structure is being changed: to ask takes a second."""

BIRTH_SECONDS = 10.0
"""How long a birth waits whose row did not take its life."""

_MOST_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


def is_everybodys(error: DriverError) -> bool:
    """Whether the transaction or the connection is gone, or the whole work may be tried again."""
    if isinstance(error, DisconnectionError) or triggers_unread(error):
        return True
    return error_number(error) in RETRIED | LOST_CONNECTION


class Troubles:
    """What was told, and what is left alone until when, by a clock that only goes forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: set[tuple[object, ...]] = set()
        self._tables: dict[str, float] = {}
        self._births: dict[Place, float] = {}

    def tell(self, message: str, *about: object) -> None:
        """Say it in the log, unless the same was said before."""
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        if (message, *about) not in self._told:
            self._told.add((message, *about))
            _log.warning(message, *about)

    def tell_of_key(self, table: str, key: str, error: Exception) -> None:
        """Say that a table cannot be asked for a key."""
        self.tell("%s cannot be asked for the key %s: %s", table, key, str(error))

    def lock(self, table: str) -> None:
        """Leave a table alone whose structure is being changed."""
        self._tables[table] = self._clock() + TABLE_SECONDS

    def locked(self, table: str) -> bool:
        """Whether a table is left alone now."""
        until = self._tables.get(table)
        if until is not None and self._clock() >= until:
            del self._tables[table]
            until = None
        return until is not None

    def refuse(self, place: Place, key: str, error: Exception) -> None:
        """Leave a birth alone whose row did not take its life; `key` is how people read it."""
        self.tell(
            "%s: the row with the key %s was born again and waits, it does not take its life: %s",
            place[0],
            key,
            str(error),
        )
        if len(self._births) >= _MOST_REMEMBERED:
            self._births.clear()
        self._births[place] = self._clock() + BIRTH_SECONDS

    def refused(self, place: Place) -> bool:
        """Whether a birth is left alone now."""
        until = self._births.get(place)
        if until is not None and self._clock() >= until:
            del self._births[place]
            until = None
        return until is not None
