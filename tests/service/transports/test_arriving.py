"""A node that joins: what is done when it is level, once, and what is tried again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, cast

import pytest
from twisted.internet.task import Clock

from records.errors import Failure
from service.errors import Conflict, Unavailable
from service.herd.status import HerdState, SiblingState, Standing
from service.methods.caller import current_principal
from service.methods.family_port import Added, NewRange, Ranges
from service.ranges.notation import read_block
from service.transports.arriving import AGAIN_SECONDS, Arriving, Wishes

TAKEN = "10.1.0.0/16 cannot be given to barn as serves: there is 10.1.0.0/16, served by shed"


class Record:
    """The node's own record, in memory; the database is away for some calls."""

    def __init__(self, state: str | None = "joining") -> None:
        self.state = state
        self.away = 0
        self.asked = 0
        self.others = {1}

    async def standing(self) -> str | None:
        """See the port."""
        self.asked += 1
        return self.state

    async def joined(self) -> frozenset[int]:
        """See the port."""
        return frozenset(self.others)

    async def arrive(self) -> None:
        """See the port."""
        if self.away:
            self.away -= 1
            raise Unavailable("the database is away")
        self.state = "active"


class Blocks:
    """Ranges that are taken, and those that are refused."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.taken: list[str] = []

    async def add_all(self, wanted: Sequence[NewRange], write: bool) -> Added:
        """See the port."""
        assert write
        assert current_principal() == "herdbook"
        (one,) = wanted
        if str(one.block) in self.refused:
            raise Conflict([Failure("range.taken", TAKEN, "/cidr", 0)])
        there = f"{one.purpose}={one.block}" in self.taken
        self.taken += [] if there else [f"{one.purpose}={one.block}"]
        return Added(int(not there), int(there))


class Joining:
    """A node that joins, its links, and its clock."""

    def __init__(self, record: Record, blocks: Blocks) -> None:
        self.clock = Clock()
        self.ours: dict[int, int] = {}
        wanted = [
            NewRange(None, read_block("10.1.0.0/16"), "serves"),
            NewRange(None, read_block("10.2.0.0/16"), "pool"),
        ]
        wishes = Wishes(cast(Ranges, blocks), wanted)
        self.arriving = Arriving(record, wishes, self.state, cast(Any, self.clock))
        self.arriving.start()

    def state(self) -> HerdState:
        """Linked with one sibling, which had five changes."""
        sibling = SiblingState("", True, Standing.EAGER, 1.0, origin=1, vector={1: 5})
        return HerdState("barn", 9, self.ours, (sibling,))

    def level(self, seconds: float = 1.0) -> None:
        """The links have brought everything; some time passes."""
        self.ours = {1: 5}
        self.clock.advance(seconds)


def test_ranges_are_taken_and_the_record_says_active_once_it_is_level() -> None:
    """Not before; afterwards nothing is looked at any more."""
    record, blocks = Record(), Blocks()
    joining = Joining(record, blocks)
    joining.clock.advance(60)
    assert (record.state, blocks.taken) == ("joining", [])
    joining.level()
    assert (record.state, blocks.taken) == ("active", ["serves=10.1.0.0/16", "pool=10.2.0.0/16"])
    assert joining.clock.getDelayedCalls() == []


def test_newcomers_alone_wait_for_one_that_has_joined_or_for_somebody_who_says_so() -> None:
    """They do not know what the herd has; who sets the record ends the waiting."""
    record, blocks = Record(), Blocks()
    record.others = set()
    joining = Joining(record, blocks)
    joining.level(60)
    assert (record.state, blocks.taken) == ("joining", [])
    record.state = "active"
    joining.clock.advance(1)
    assert (joining.clock.getDelayedCalls(), blocks.taken) == ([], [])


@pytest.mark.parametrize("state", ["active", "draining", "retired"])
def test_a_node_that_has_joined_takes_nothing_again(state: str) -> None:
    """What was released since stays released, and what somebody has set stays."""
    record, blocks = Record(state), Blocks()
    joining = Joining(record, blocks)
    joining.level()
    assert (record.state, blocks.taken) == (state, [])
    assert joining.clock.getDelayedCalls() == []


def test_a_range_in_the_way_is_told_and_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    """In the log and as a warning, with the block that is in the way."""
    record, blocks = Record(), Blocks("10.1.0.0/16")
    joining = Joining(record, blocks)
    with caplog.at_level(logging.WARNING):
        joining.level()
    assert (record.state, blocks.taken) == ("active", ["pool=10.2.0.0/16"])
    assert joining.arriving.warnings == (("range.refused", TAKEN),)
    assert TAKEN in caplog.text


def test_what_breaks_off_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    """Ranges that are there already are there once."""
    record, blocks = Record(), Blocks()
    record.away = 2
    joining = Joining(record, blocks)
    joining.level()
    assert record.state == "joining"
    for _again in range(2):
        joining.clock.advance(AGAIN_SECONDS)
    assert (record.state, len(blocks.taken)) == ("active", 2)
    assert caplog.text.count("the database is away") == 2


def test_a_node_without_a_record_goes_on_looking_until_it_is_stopped() -> None:
    """Another node may have its name for a while."""
    record, blocks = Record(None), Blocks()
    joining = Joining(record, blocks)
    joining.level(0.5)
    joining.clock.advance(0.5)
    assert record.asked == 2
    record.state = "joining"
    joining.clock.advance(0.5)
    assert record.state == "active"
    record.state = None
    joining.arriving.stop()
    assert joining.clock.getDelayedCalls() == []
