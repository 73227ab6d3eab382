"""One unit of work: a transaction that is done wholly or not at all, and run again when it may be.

What fails before the commit was undone by the server, so the whole unit may run again. What fails
while committing may have happened; unless the server said that it refused, nobody can tell, and so
the answer says.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from MySQLdb import Error as DriverError
from storm.exceptions import DisconnectionError
from storm.exceptions import Error as StormError

from records.catalogue import Catalogue
from service.errors import OutcomeUnknown
from service.methods.caller import current_principal
from service.server.errors import ServerError
from service.store.database import LOST_CONNECTION, HerdbookDatabase, error_number
from service.store.plain import require_plain
from service.store.records_store import RecordStore
from service.store.ticket import Abandoned, Ticket
from service.store.transaction import Transaction
from service.store.translation import RETRIED, translate, triggers_unread

Result = TypeVar("Result")
Work = Callable[[Transaction], Result]

# The server answered the COMMIT itself and undid the transaction, or (2006) the COMMIT could not be
# sent. A wire that breaks after that (2013) tells nothing.
_COMMIT_REFUSED = frozenset({1053, 1205, 1213, 1927, 2006, 3169, 4031})

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryPolicy:
    """How often a unit of work is run, and how long is waited between runs, in seconds.

    Five runs let six writers through that change the same six rows in opposite orders (a test);
    pauses double, so that writers that collided do not collide again in step.
    """

    attempts: int = 5
    first_pause: float = 0.01

    def pause(self, attempt: int, chance: float) -> float:
        """How long to wait after the failed run `attempt` (from 1); `chance` is in [0, 1)."""
        return float(self.first_pause * 2 ** (attempt - 1) * (0.5 + chance))


class Worker:
    """Runs units of work on one connection. It belongs to one thread."""

    def __init__(
        self,
        database: HerdbookDatabase,
        catalogue: Catalogue,
        policy: RetryPolicy,
        chance: Callable[[], float],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._policy = policy
        self._chance = chance
        self._pause = pause
        self._store: RecordStore | None = None

    def run(self, work: Work[Result], ticket: Ticket | None = None) -> Result:
        """What `work` returns, once it is committed. It may be run several times.

        Raises the ServiceErrors of `work`; Unavailable, Busy or TimedOut when nothing was written;
        OutcomeUnknown when that cannot be known; Abandoned when the ticket says so.
        """
        held = ticket or Ticket()
        return self._repeat(lambda: self._attempt(work, held), held)

    def try_out(self, work: Work[Result], ticket: Ticket | None = None) -> Result:
        """What `work` returns; whatever it wrote is undone."""
        return self._repeat(lambda: self._undone(work), ticket or Ticket())

    def _repeat(self, attempt_once: Callable[[], Result], ticket: Ticket) -> Result:
        """Run as often as the policy allows and the failures permit."""
        for attempt in range(1, self._policy.attempts + 1):
            ticket.require_wanted()
            try:
                return attempt_once()
            except (DriverError, StormError, ServerError) as error:
                if triggers_unread(error):
                    self._read_triggers_anew(error)
                if attempt == self._policy.attempts or not _may_run_again(error):
                    raise translate(error) from error
                _log.info("unit of work is run again after: %s", error)
                self._pause(self._policy.pause(attempt, self._chance()))
        raise AssertionError("a retry policy allows at least one attempt")

    def close(self) -> None:
        """Give the connection back to the server."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _attempt(self, work: Work[Result], ticket: Ticket) -> Result:
        """Run the work once, from a clean connection to the commit."""
        store = self._connected()
        writes = not self._database.settings.autocommit
        try:
            if writes:
                store.write_for(current_principal())
            result = require_plain(work(Transaction(store, self._catalogue)))
            store.flush()
            store.require_connection()
        except BaseException:
            self._roll_back(store)
            raise
        if writes:
            self._commit(store, ticket)
        return result

    def _commit(self, store: RecordStore, ticket: Ticket) -> None:
        """Commit; raises OutcomeUnknown unless it happened or the server said that it did not."""
        try:
            ticket.begin_commit()
            store.commit()
        except Abandoned:
            self._roll_back(store)
            raise
        except BaseException as error:
            self._roll_back(store)
            if _commit_was_refused(error):
                ticket.reopen()
                raise
            raise OutcomeUnknown("the connection was lost while committing") from error

    def _undone(self, work: Work[Result]) -> Result:
        """Run the work once and undo it."""
        store = self._connected()
        try:
            return require_plain(work(Transaction(store, self._catalogue)))
        finally:
            self._roll_back(store)

    def _read_triggers_anew(self, error: Exception) -> None:
        """Let the server forget triggers that it has read in part; needs the RELOAD privilege."""
        store = self._connected()
        try:
            store.close_tables()
        except (DriverError, StormError) as failed:
            self._roll_back(store)
            _log.warning("FLUSH TABLES failed (%s), which would heal: %s", failed, error)
        else:
            _log.warning("FLUSH TABLES was run, to heal: %s", error)

    def _connected(self) -> RecordStore:
        """The store, with a connection the first time."""
        if self._store is None:
            self._store = RecordStore(self._database, self._catalogue)
        return self._store

    def _roll_back(self, store: RecordStore) -> None:
        """Undo; where even that fails the connection is dropped, which undoes as well."""
        try:
            store.rollback()
        except (DriverError, StormError) as error:
            _log.info("connection dropped: %s", error)
            self._store = None
            store.close()


def _may_run_again(error: Exception) -> bool:
    """Whether the unit was surely not committed and may succeed at another attempt."""
    if isinstance(error, DisconnectionError):
        return True
    return error_number(error) in RETRIED | LOST_CONNECTION or triggers_unread(error)


def _commit_was_refused(error: BaseException) -> bool:
    """Whether the server itself said that it did not commit."""
    cause = error.__cause__ or error.__context__ or error
    return error_number(error) in _COMMIT_REFUSED or error_number(cause) in _COMMIT_REFUSED
