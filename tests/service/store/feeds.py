"""What the tests of the feed share: captured tables, sealing by hand, and reading."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred

from records import Integer, Record, Reference, References, Text
from records.catalogue import Catalogue, catalogue_of
from schema import direct
from service.database_url import DatabaseUrl
from service.methods.feed_port import Change, FeedPage, Wanted
from service.methods.paths import own_path
from service.methods.query import Comparison, Condition
from service.store.feed.pages import Bounds, read_page
from service.store.feed.snapshots import in_snapshot
from service.store.feed.stored import StoredFeed
from service.store.feed.waiting import Waiting
from service.store.settings import SessionSettings
from service.store.threads import Lane
from service.store.work import Work
from tests.service.store.direct import DirectLane
from tests.service.store.tools import ask, raw_connection, working

Result = TypeVar("Result")

ENTRY = "`table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, `stamp`, `writer`"


class Farm(Record):
    """A parent, by a number."""

    number = Integer(primary=True)
    name = Text(length=60)
    note = Text(allow_none=True)
    cows = References("Cow.farm")


class Cow(Record):
    """A child, by a name that the server finds however it is written."""

    name = Text(length=40, collation="utf8mb4_general_ci", primary=True)
    farm = Reference(Farm)
    weight = Integer(default=0)


CATALOGUE = catalogue_of([Farm, Cow])
EVERYTHING = Wanted()
USUAL = Bounds()


def capture(database: str, catalogue: Catalogue = CATALOGUE) -> None:
    """The tables of a catalogue, captured."""
    direct.create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), catalogue)


def run(database: str, *statements: str) -> None:
    """Statements of plain SQL, each committed."""
    with raw_connection(database) as connection:
        for statement in statements:
            ask(connection, statement)


def seal(database: str) -> int:
    """Seal all that is visible, as simply as can be; the last position then."""
    with raw_connection(database, autocommit=False) as connection:
        ((position,),) = ask(connection, "SELECT position FROM herdbook_sealer FOR UPDATE")
        entries = ask(connection, f"SELECT entry, {ENTRY} FROM herdbook_inbox ORDER BY entry")
        for entry in entries:
            position += 1
            ask(
                connection,
                f"INSERT INTO herdbook_changelog (position, entry, {ENTRY}, sealed_at) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0)",
                (position, *entry),
            )
            ask(connection, "DELETE FROM herdbook_inbox WHERE entry = %s", entry[:1])
        ask(connection, "UPDATE herdbook_sealer SET position = %s", (position,))
        connection.commit()
    return int(position)


def page(
    database: str,
    after: int = 0,
    limit: int = 1_000,
    wanted: Wanted = EVERYTHING,
    bounds: Bounds = USUAL,
    catalogue: Catalogue = CATALOGUE,
) -> FeedPage:
    """One page, read as the read lane does."""
    with working(database, catalogue, SessionSettings(autocommit=True)) as worker:
        return worker.run(in_snapshot(lambda tx: read_page(tx, after, limit, wanted, bounds)))


def told(changes: Iterable[Change]) -> list[tuple[str, Any, bool]]:
    """Kind, key and whether there is a row."""
    return [(c.entry.kind, (c.entry.key or (None,))[0], c.row is not None) for c in changes]


def comparison(record: str, field: str, operator: str, value: Any) -> Condition:
    """A condition on one field of a class."""
    return Comparison(own_path(CATALOGUE.records[record], field), operator, value)


class HandSealing:
    """Stands for the sealing lane: it seals when it is asked to read, and when the test says so."""

    def __init__(self, database: str, catalogue: Catalogue = CATALOGUE) -> None:
        self.holder = True
        self.error: Exception | None = None
        self.delay: Awaitable[None] | None = None
        self.reads = self.answered = 0
        self.next: list[tuple[Work[Any], Deferred[Any]]] = []
        self._database = database
        self._catalogue = catalogue
        self._last = 0
        self.subscribers: list[Callable[[int], None]] = []

    def position(self) -> int:
        """The last position it has heard of."""
        return self._last

    def subscribe(self, on_sealed: Callable[[int], None]) -> Callable[[], None]:
        """Be told of each new position."""
        self.subscribers.append(on_sealed)
        return lambda: self.subscribers.remove(on_sealed)

    def seal(self) -> None:
        """Seal, and tell everybody."""
        self.reach(seal(self._database))

    def reach(self, position: int) -> None:
        """Something was sealed up to here, by whomever."""
        self._last = position
        for on_sealed in tuple(self.subscribers):
            on_sealed(position)

    async def read_sealed(self, work: Work[Result]) -> Result:
        """Seal, and read what can be seen then."""
        self.reads += 1
        if self.error is not None:
            raise self.error
        if self.delay is not None:
            await self.delay
        self._last = seal(self._database)
        return self._read(work)

    def read_next(self, work: Work[Result]) -> Deferred[Result]:
        """Wait for `seal_and_read`."""
        outcome: Deferred[Result] = Deferred(lambda _outcome: self.next.clear())
        self.next.append((work, outcome))
        if self.error is not None:
            outcome.errback(self.error)
        return outcome

    def seal_and_read(self) -> None:
        """Seal, let those read who wait for that, and then tell everybody."""
        last = seal(self._database)
        waiting, self.next = self.next, []
        for work, outcome in waiting:
            outcome.callback(self._read(work))
        self.reach(last)

    def _read(self, work: Work[Result]) -> Result:
        with working(self._database, self._catalogue, SessionSettings(autocommit=True)) as worker:
            result = worker.run(in_snapshot(work))
        self.answered += 1
        return result


@contextmanager
def stored_feed(
    database: str, sealing: Any, clock: Any, catalogue: Catalogue = CATALOGUE
) -> Iterator[StoredFeed]:
    """The feed as the methods use it, without a reactor."""
    with ExitStack() as stack:
        reading = stack.enter_context(
            working(database, catalogue, SessionSettings(autocommit=True))
        )
        writing = stack.enter_context(working(database, catalogue))
        yield StoredFeed(
            cast(Lane, DirectLane(reading)),
            cast(Lane, DirectLane(writing)),
            sealing,
            Waiting(sealing, clock),
            Bounds(),
        )
