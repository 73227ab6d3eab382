"""Ranges in memory are what the tables have, whoever wrote, on real servers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from records.catalogue import with_family
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.methods.family_port import NewRange
from service.ranges.notation import read_address, read_block
from service.store.own_node import keep
from service.store.ranges import following
from service.store.ranges.adding import AddRange
from service.store.ranges.following import Following
from tests.service.store.feeds import seal
from tests.service.store.herd.ranch import CATALOGUE as RANCH
from tests.service.store.tools import in_transaction, read

CATALOGUE = with_family(RANCH)


class Lane:
    """Works at once, unless it is `holding`; fails once for each error in `errors`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.errors: list[Exception] = []
        self.asked = 0
        self.holding = False
        self._held: list[tuple[Deferred[Any], Any]] = []

    def run(self, work: Any) -> Deferred[Any]:
        """What the work returns; where it is holding, once it lets go."""
        self.asked += 1
        if self.holding:
            self._held.append((Deferred(), work))
            return self._held[-1][0]
        return maybeDeferred(self._run, work)

    def do(self) -> None:
        """Do what is held, and tell nobody yet."""
        self._held = [(outcome, partial(_same, self._run(work))) for outcome, work in self._held]

    def let_go(self) -> None:
        """Do what is held, and tell what came of it."""
        self.holding = False
        for outcome, work in self._held:
            outcome.callback(self._run(work))

    def _run(self, work: Any) -> Any:
        if self.errors:
            raise self.errors.pop()
        return in_transaction(self._url, CATALOGUE, work)


def _same(found: Any, _tx: object) -> Any:
    return found


class World:
    """A database with the node barn, and its ranges in memory."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.lane = Lane(url)
        self.whole = 0
        self.clock = Clock()
        self.told: Callable[[int], None] | None = None
        self.released: list[str] = []
        self.refusing = False
        lane: Any = self.lane
        self.following = Following(lane, self, self.clock, self._on_release, self._on_whole)

    def _on_whole(self) -> None:
        self.whole += 1

    def _on_release(self, block: Any) -> None:
        if self.refusing:
            raise ValueError("no")
        self.released.append(str(block))

    def position(self) -> int:
        """As the port has it."""
        return 0

    def subscribe(self, on_sealed: Callable[[int], None]) -> Callable[[], None]:
        """As the port has it."""
        self.told = on_sealed
        return lambda: setattr(self, "told", None)

    def seal(self) -> None:
        """Seal what was written, tell it, and let the pause pass."""
        seal(self.url)
        assert self.told is not None
        self.told(0)
        self.clock.advance(following.PAUSE_SECONDS)

    def locate(self, address: str) -> str | None:
        """The block and the node that serve an address."""
        book = finished(self.following.book())
        found = book.locate(read_address(address))
        return None if found is None else f"{found.block} {book.name_of(found)}"

    def remove(self, identity: Any) -> None:
        """Delete a range, as its release by another node does."""
        read(self.url, "DELETE FROM herdbook_herd_range WHERE id = %s", (identity.bytes,))

    def add(self, block: str, node: str | None = None, purpose: str = "serves") -> Any:
        """Add a range; its id."""
        wanted = NewRange(node, read_block(block), purpose)
        operation = AddRange(CATALOGUE.records["range"], wanted)
        return in_transaction(self.url, CATALOGUE, operation.attempt)["id"]


def finished(coroutine: Any) -> Any:
    """What a coroutine returns that does not wait."""
    outcome: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    (found,) = outcome
    return found


def finished_already(outcome: Deferred[Any]) -> Any:
    """What a Deferred has come to; raises what that is, where it failed."""
    found: list[Any] = []
    outcome.addBoth(found.append)
    (result,) = found
    if isinstance(result, Failure):
        result.raiseException()
    return result


@pytest.fixture
def world(database: str) -> World:
    """A database with the family's tables; its node is barn, and there is another."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    in_transaction(database, CATALOGUE, partial(keep, name="barn"))
    read(database, "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('x', 16), 'far')")
    return World(database)


def test_what_is_there_is_read_at_the_start(world: World) -> None:
    """The longest prefix decides."""
    world.add("10.0.0.0/8")
    world.add("10.1.0.0/16", "far")
    world.add("10.1.2.0/24", "barn", "admin")
    world.following.start()
    assert world.locate("10.1.2.3") == "10.1.0.0/16 far"
    assert world.locate("10.2.0.1") == "10.0.0.0/8 barn"
    assert world.locate("11.0.0.1") is None


def test_what_is_written_by_whomever_counts_once_it_is_sealed(world: World) -> None:
    """Ranges that are added, released, changed by SQL, and go with their node."""
    world.following.start()
    first, _second = world.add("10.0.0.0/8"), world.add("10.1.0.0/16", "far")
    world.seal()
    assert world.locate("10.1.2.3") == "10.1.0.0/16 far"
    read(world.url, "UPDATE herdbook_herd_node SET name = 'farther' WHERE name = 'far'")
    world.seal()
    assert world.locate("10.1.2.3") == "10.1.0.0/16 farther"
    read(world.url, "DELETE FROM herdbook_herd_node WHERE name = 'farther'")
    world.seal()
    assert world.locate("10.1.2.3") == "10.0.0.0/8 barn"
    world.remove(first)
    world.seal()
    assert world.locate("10.1.2.3") is None
    assert world.released == ["None", "10.1.0.0/16", "10.0.0.0/8"]


def test_what_was_given_out_and_released_between_two_looks_is_told(world: World) -> None:
    """Else it would be taken for given out; once only, and not where it is there still."""
    world.following.start()
    stays, goes = world.add("10.0.0.0/28"), world.add("10.0.0.16/28")
    for identity, block in ((stays, "10.0.0.0/28"), (goes, "10.0.0.16/28")):
        world.following.given(identity, read_block(block))
    world.remove(goes)
    world.seal()
    assert world.released == ["None", "10.0.0.16/28"]
    world.following.given(stays, read_block("10.0.0.0/28"))
    world.remove(stays)
    world.seal()
    assert world.released == ["None", "10.0.0.16/28", "10.0.0.0/28"]


def test_what_was_given_out_while_all_was_read_is_told_when_it_is_released(world: World) -> None:
    """The reading has it, or has not seen it."""
    world.lane.holding = True
    world.following.start()
    there = world.add("10.0.0.0/28")
    world.following.given(there, read_block("10.0.0.0/28"))
    world.lane.do()
    later = world.add("10.0.0.16/28")
    world.following.given(later, read_block("10.0.0.16/28"))
    world.lane.let_go()
    for identity in (there, later):
        world.remove(identity)
    world.seal()
    assert sorted(world.released) == ["10.0.0.0/28", "10.0.0.16/28", "None"]


def test_blocks_given_out_are_remembered_no_longer_than_needed(world: World) -> None:
    """Neither those of the book, nor those that were gone before all was read again."""
    world.following.start()
    kept, gone = world.add("10.0.0.0/28"), world.add("10.0.0.16/28")
    for identity, block in ((kept, "10.0.0.0/28"), (gone, "10.0.0.16/28")):
        world.following.given(identity, read_block(block))
    world.remove(gone)
    seal(world.url)
    read(world.url, "DELETE FROM herdbook_changelog")
    read(world.url, "UPDATE herdbook_sealer SET horizon = position")
    world.seal()
    world.following.given(kept, read_block("10.0.0.0/28"))
    assert world.whole == 2
    assert world.following.remembered == 0


def test_nothing_is_read_while_nothing_is_sealed(world: World) -> None:
    """Time alone asks nothing; what is sealed during a pause is read after it."""
    world.following.start()
    for _ in range(5):
        world.clock.advance(60)
    assert world.lane.asked == 1
    world.add("10.0.0.0/8")
    world.seal()
    assert world.lane.asked == 2
    world.add("10.1.0.0/16")
    seal(world.url)
    assert world.told is not None
    world.told(0)
    world.told(0)
    assert world.lane.asked == 3
    world.clock.advance(following.PAUSE_SECONDS)
    assert world.lane.asked == 4


def test_a_look_that_fails_is_repeated(world: World) -> None:
    """Nothing is missed by it."""
    world.following.start()
    world.clock.advance(following.PAUSE_SECONDS)
    world.lane.errors = [OSError("the server is away")]
    world.add("10.0.0.0/8")
    world.seal()
    assert world.locate("10.0.0.1") is None
    world.clock.advance(following.RETRY_SECONDS)
    assert world.locate("10.0.0.1") == "10.0.0.0/8 barn"


def test_where_the_changelog_was_pruned_everything_is_read_again(world: World) -> None:
    """Also where more changed than is looked at one by one."""
    world.following.start()
    world.add("10.0.0.0/8")
    seal(world.url)
    read(world.url, "DELETE FROM herdbook_changelog")
    read(world.url, "UPDATE herdbook_sealer SET horizon = position")
    world.seal()
    assert world.locate("10.0.0.1") == "10.0.0.0/8 barn"
    assert world.released == ["None", "None"]


def test_disputes_are_told_with_the_names_of_the_nodes(world: World) -> None:
    """The later claim is disputed, whatever was changed of the earlier one since."""
    first = world.add("10.0.0.0/8", "far", "pool")
    insert = (
        "INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) "
        "SELECT REPEAT('r', 16), id, CONCAT(UNHEX('00000000000000000000ffff0a010000'), CHAR(112)), "
        "'pool' FROM herdbook_herd_node WHERE name = 'barn'"
    )
    read(world.url, insert)
    read(world.url, "UPDATE herdbook_herd_range SET note = 'old' WHERE id = %s", (first.bytes,))
    (dispute,) = finished(world.following.disputes())
    assert str(dispute.loser) == "10.1.0.0/16, pool of barn"
    assert str(dispute.against) == "10.0.0.0/8, pool of far"


def test_the_ranges_of_one_node_are_told_apart(world: World) -> None:
    """By its name; of a node that nobody knows there are none to tell."""
    world.add("10.0.0.0/8")
    world.add("10.1.0.0/16", "far")
    book = finished(world.following.book())
    known = book.known()
    assert [str(each.block) for each in known.of("far")] == ["10.1.0.0/16"]
    assert len(known.of(None)) == len(book) == 2
    assert known.of("nobody") is None


def test_however_many_ask_at_first_it_is_read_once(world: World) -> None:
    """Whether they ask before or after the look that comes with the start; who left is not told."""
    world.add("10.0.0.0/8")
    world.lane.holding = True
    asking: list[Any] = [Deferred.fromCoroutine(world.following.book()) for _ in range(3)]
    asking[1].cancel()
    with pytest.raises(CancelledError):
        finished_already(asking[1])
    world.following.start()
    asking.append(Deferred.fromCoroutine(world.following.book()))
    world.lane.let_go()
    assert [len(finished_already(asking[n])) for n in (0, 2, 3)] == [1, 1, 1]
    assert world.lane.asked == 1


def test_who_waits_for_the_first_reading_is_told_that_it_failed(world: World) -> None:
    """The next one who asks has it read at once, and then it is not read once more."""
    world.lane.errors = [OSError("the server is away")]
    world.following.start()
    world.lane.errors = [OSError("the server is away")]
    with pytest.raises(OSError, match="away"):
        finished_already(Deferred.fromCoroutine(world.following.book()))
    assert len(finished(world.following.book())) == 0
    world.clock.advance(following.RETRY_SECONDS)
    assert world.lane.asked == 3


def test_what_could_not_be_noted_is_read_again(world: World) -> None:
    """Nothing is taken for known that is not in the book."""
    world.following.start()
    world.add("10.0.0.0/8")
    world.add("10.1.0.0/16", "far")
    world.seal()
    read(world.url, "DELETE FROM herdbook_herd_range")
    world.refusing = True
    world.seal()
    world.refusing = False
    world.clock.advance(following.RETRY_SECONDS)
    assert world.locate("10.0.0.1") is None
    assert world.locate("10.1.0.1") is None
