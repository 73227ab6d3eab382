"""Who waits for a block is served with others: who with whom, and what each is told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from netaddr import IPNetwork
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from records.errors import Failure
from records.validation import Row
from service.errors import Conflict, OutcomeUnknown, Unavailable
from service.methods.caller import Caller, calling, current_principal
from service.methods.family_port import WantedBlock
from service.ranges.blocks import Block
from service.ranges.notation import read_block
from service.store.ranges.desk import MOST_AT_ONCE, MOST_TURNS, Desk
from service.store.ranges.giving import GiveBlocks
from service.store.ranges.spaces import Spaces
from tests.service.store.test_giving import RANGE

POOL = read_block("10.0.0.0/8")


class Lane:
    """Units of work that wait until the test lets each go on; no database."""

    def __init__(self) -> None:
        self.begun: list[tuple[GiveBlocks, str | None, Deferred[Any]]] = []

    def run(self, attempt: Any) -> Deferred[Any]:
        """A unit begins."""
        outcome: Deferred[Any] = Deferred()
        self.begun.append((attempt.__self__, current_principal(), outcome))
        return outcome

    def lengths(self) -> list[list[int]]:
        """What was asked for in each unit so far."""
        return [[each.length for each in giving.wanted] for giving, _who, _outcome in self.begun]

    def commit(self, refused: Sequence[int] = ()) -> None:
        """The last unit gives each who waits still a block, but for those that are refused."""
        giving, _who, outcome = self.begun[-1]
        waiting = [at for at in range(len(giving.wanted)) if giving.waits(at)]
        for at in refused:
            giving.refused[at] = Conflict([Failure("range.exhausted", "none", "/length")])
        rows = [
            row(each.length) if at in waiting and at not in refused else None
            for at, each in enumerate(giving.wanted)
        ]
        outcome.callback(rows)

    def fail(self, error: Exception) -> None:
        """The last unit fails."""
        self.begun[-1][2].errback(error)


def row(number: int) -> Row:
    """The range that whoever asks for a block of this length is given."""
    return {"id": UUID(int=number), "cidr": IPNetwork((number << 8, 24), version=4)}


class Clients:
    """Those who ask, and what they were told."""

    def __init__(self) -> None:
        self.lane = Lane()
        lane: Any = self.lane
        self.clock = Clock()
        self.given: list[tuple[UUID, Block]] = []
        self.desk = Desk(RANGE, lane, Spaces(), self.clock, lambda *each: self.given.append(each))
        self.told: dict[int, Any] = {}
        self.calls: dict[int, Deferred[Any]] = {}

    def ask(self, length: int, who: str | None = None) -> None:
        """Somebody asks, and nobody else in that turn; the length tells them apart."""
        self.ask_in_one_turn(length, who)
        self.clock.advance(0)

    def ask_in_one_turn(self, length: int, who: str | None = None) -> None:
        """Somebody asks, perhaps among others."""
        with calling(Caller(who or "api:a")):
            call = Deferred.fromCoroutine(self.desk.give(WantedBlock(length, None, 4, "serves")))
        self.calls[length] = call
        call.addCallbacks(partial(self._note, length), lambda f: self._note(length, f.value))

    def commit(self, refused: Sequence[int] = ()) -> None:
        """The last unit ends well, and a turn passes."""
        self.lane.commit(refused)
        self.clock.advance(0)

    def fail(self, error: Exception) -> None:
        """The last unit fails, and a turn passes."""
        self.lane.fail(error)
        self.clock.advance(0)

    def _note(self, length: int, told: Any) -> None:
        self.told[length] = told


@pytest.fixture
def clients() -> Clients:
    """A desk at which nobody waits."""
    return Clients()


def test_who_comes_meanwhile_is_served_together_afterwards(clients: Clients) -> None:
    """The first at once, by himself."""
    for length in (9, 10, 11):
        clients.ask(length)
    assert clients.lane.lengths() == [[9]]
    clients.commit()
    assert clients.told == {9: row(9)}
    assert clients.lane.lengths() == [[9], [10, 11]]
    clients.commit()
    clients.ask(12)
    assert clients.lane.lengths() == [[9], [10, 11], [12]]
    assert set(clients.told) == {9, 10, 11}


def test_who_asks_while_others_are_still_read_is_served_with_them(clients: Clients) -> None:
    """As long as each turn brings more."""
    for length in (9, 10):
        clients.ask_in_one_turn(length)
    clients.clock.callLater(0, clients.ask_in_one_turn, 11)
    assert not clients.lane.begun
    clients.clock.advance(0)
    assert clients.lane.lengths() == [[9, 10, 11]]


def test_a_full_transaction_waits_for_nobody(clients: Clients) -> None:
    """It begins in the turn in which as many have asked as it can have."""
    for length in range(MOST_AT_ONCE):
        clients.ask_in_one_turn(length)
    begun: list[bool] = []
    clients.clock.callLater(0, lambda: begun.append(bool(clients.lane.begun)))
    clients.clock.advance(0)
    assert begun == [True]


def test_a_stream_of_those_who_ask_delays_nobody_for_long(clients: Clients) -> None:
    """After some turns it is begun, whoever comes."""
    numbers = iter(range(10 * MOST_TURNS))

    def one_more() -> None:
        if not clients.lane.begun:
            # Calls are read before the desk has its turn.
            clients.clock.callLater(0, one_more)
            clients.ask_in_one_turn(next(numbers))

    one_more()
    clients.clock.advance(0)
    assert len(clients.lane.lengths()[0]) == MOST_TURNS + 1


def test_what_was_given_out_is_told_also_where_nobody_waits_for_it(clients: Clients) -> None:
    """Its release has to be met, however soon it comes; what is refused is not told."""
    for length in (9, 10, 11):
        clients.ask_in_one_turn(length)
    clients.clock.advance(0)
    giving = clients.lane.begun[-1][0]
    assert all(giving.waits(at) for at in range(3))
    clients.calls[9].cancel()
    assert isinstance(clients.told[9], OutcomeUnknown)
    clients.commit(refused=[1])
    assert clients.given == [(row(at)["id"], Block.of(row(at)["cidr"])) for at in (9, 11)]


def test_where_all_gave_up_before_a_turn_was_over_nothing_is_begun(clients: Clients) -> None:
    """Who comes later is served."""
    clients.ask_in_one_turn(9)
    clients.calls[9].cancel()
    clients.clock.advance(0)
    assert not clients.lane.begun
    clients.ask(10)
    assert clients.lane.lengths() == [[10]]


def test_no_transaction_has_two_callers_or_too_many_blocks(clients: Clients) -> None:
    """As the changelog names them; who waits longest is served first."""
    for at in range(MOST_AT_ONCE + 4):
        clients.ask(at, "api:b" if at in (1, 3) else "api:a")
    for _turn in range(4):
        clients.commit()
    others = [2, *range(4, MOST_AT_ONCE + 4)]
    assert clients.lane.lengths() == [[0], [1, 3], others[:MOST_AT_ONCE], others[MOST_AT_ONCE:]]
    callers = [who for _giving, who, _outcome in clients.lane.begun]
    assert callers == ["api:a", "api:b", "api:a", "api:a"]
    assert clients.told == {at: row(at) for at in range(MOST_AT_ONCE + 4)}


def test_each_is_told_his_own_refusal(clients: Clients) -> None:
    """The others get their blocks."""
    for length in (9, 10, 11):
        clients.ask(length)
    clients.commit()
    clients.commit(refused=[0])
    assert isinstance(clients.told[10], Conflict)
    assert clients.told[11] == row(11)


def test_who_gives_up_before_his_turn_gets_nothing_and_after_it_cannot_know(
    clients: Clients,
) -> None:
    """While he waits for the others, and while the transaction waits for a lock."""
    for length in (9, 10, 11, 12):
        clients.ask(length)
    clients.calls[10].cancel()
    clients.commit()
    assert clients.lane.lengths()[1] == [11, 12]
    clients.calls[11].cancel()
    giving = clients.lane.begun[-1][0]
    assert [giving.waits(0), giving.waits(1)] == [False, True]
    clients.calls[12].cancel()
    clients.commit()
    assert isinstance(clients.told[10], CancelledError)
    assert isinstance(clients.told[11], CancelledError)
    assert isinstance(clients.told[12], OutcomeUnknown)
    clients.ask(13)
    clients.commit()
    assert clients.told[13] == row(13)


def test_what_goes_wrong_with_a_transaction_all_of_it_are_told(clients: Clients) -> None:
    """What memory took for given out is free again; who waits meanwhile is served."""
    for length in (9, 10, 11):
        clients.ask(length)
    clients.commit()
    giving = clients.lane.begun[-1][0]
    space = giving.spaces.read(POOL, [])
    block = giving.spaces.take(10, [space])
    giving.taken.add(block)
    clients.ask(12)
    clients.fail(Unavailable("the database is away"))
    assert isinstance(clients.told[10], Unavailable)
    assert isinstance(clients.told[11], Unavailable)
    assert giving.spaces.take(10, [space]) == block
    clients.commit()
    assert clients.told[12] == row(12)


def test_what_constraints_refuse_together_is_tried_one_by_one(clients: Clients) -> None:
    """So one does not suffer for another, and each is told why."""
    for length in (9, 10, 11):
        clients.ask(length)
    clients.commit()
    refused = Conflict([Failure("reference.missing", "no such node", "/node")])
    clients.fail(refused)
    assert clients.lane.lengths()[2:] == [[10]]
    clients.fail(refused)
    assert clients.told[10] is refused
    assert clients.lane.lengths()[3:] == [[11]]
    clients.commit()
    assert clients.told[11] == row(11)


def test_who_has_given_up_is_not_tried_again(clients: Clients) -> None:
    """He was told that nobody knows; what is written after that would be nobody's."""
    for length in (9, 10, 11):
        clients.ask(length)
    clients.commit()
    giving = clients.lane.begun[-1][0]
    assert [giving.waits(0), giving.waits(1)] == [True, True]
    clients.calls[10].cancel()
    assert isinstance(clients.told[10], OutcomeUnknown)
    clients.fail(Conflict([Failure("reference.missing", "no such node", "/node")]))
    assert clients.lane.lengths()[2:] == [[10]]
    assert not clients.lane.begun[-1][0].waits(0)
    clients.commit()
    assert clients.lane.lengths()[3:] == [[11]]
    clients.commit()
    assert clients.told[11] == row(11)
