"""The two directions of a link as tables: each state with each thing that may happen in it."""

from __future__ import annotations

import pytest

from service.herd.link_actions import Build
from service.herd.link_hoping import (
    ANSWER_TICKS,
    GRAFT_TICKS,
    Asked,
    Content,
    Hope,
    Hoping,
    hope_after_tick,
    impatient,
    lightened,
)
from service.herd.link_receiving import (
    Arrival,
    Arrived,
    Arriving,
    Between,
    Declined,
    Receiver,
    Receiving,
    Transfer,
)
from service.herd.link_roles import FAR, Cause, Manner, Role, meeting, role_after
from service.herd.link_sending import (
    Building,
    Flight,
    Full,
    Pausing,
    Resting,
    Sender,
    Sending,
    Sent,
)
from service.herd.messages import Portion
from tests.service.herd.conversation import delta

COVERS = {2: 9}
FLIGHT = Flight(3, {}, {1: 9}, sent=2, acknowledged=1)


def sender_in(state: Sending) -> Sender:
    """A sender in some state."""
    sender = Sender(1)
    sender.state = state
    return sender


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (Building(FLIGHT), Building(FLIGHT._replace(acknowledged=2))),
        (Full(FLIGHT), Building(FLIGHT._replace(acknowledged=2))),
        (Sent(FLIGHT), Resting()),
        (Sent(FLIGHT._replace(sent=3)), Sent(FLIGHT._replace(sent=3, acknowledged=2))),
        (Resting(), Resting()),
        (Pausing(2), Pausing(2)),
    ],
)
def test_what_an_acknowledgement_changes(state: Sending, after: Sending) -> None:
    """It makes room where there was none, and ends a delta of which all is kept."""
    sender = sender_in(state)
    actions = sender.acknowledged(3, 1, {1: 9})
    assert sender.state == after
    assert actions == ([Build(1, 3, 2, {})] if isinstance(state, Full) else [])


@pytest.mark.parametrize("state", [Building(FLIGHT), Full(FLIGHT), Sent(FLIGHT)])
def test_a_delta_can_be_stopped_anywhere(state: Sending) -> None:
    """And only that one: an older number stops nothing."""
    sender = sender_in(state)
    sender.stop(2)
    assert sender.state == state
    sender.stop(3)
    sender.tick()
    assert sender.state == Resting()


@pytest.mark.parametrize("state", [Building(FLIGHT), Full(FLIGHT), Sent(FLIGHT), Pausing(1)])
def test_no_second_delta_begins(state: Sending) -> None:
    """One is on its way at most."""
    sender = sender_in(state)
    assert sender.begin({}) == []
    assert sender.state == state


PARTS: dict[str, tuple[Receiving, int, int, Arrival]] = {
    "the first": (Between(2), 3, 0, Arrival.ACCEPTED),
    "a number left out": (Between(2), 9, 0, Arrival.ACCEPTED),
    "one that was done": (Between(2), 2, 0, Arrival.COMMITTED),
    "an older one": (Between(2), 1, 4, Arrival.COMMITTED),
    "no beginning": (Between(2), 3, 1, Arrival.MISPLACED),
    "one declined": (Declined(2), 2, 5, Arrival.KNOWN),
    "one after a declined": (Declined(2), 3, 0, Arrival.ACCEPTED),
    "the next": (Arriving(Transfer(3, COVERS, 2, 1)), 3, 2, Arrival.ACCEPTED),
    "a waiting one": (Arriving(Transfer(3, COVERS, 2, 1)), 3, 1, Arrival.KNOWN),
    "a committed one": (Arriving(Transfer(3, COVERS, 2, 1)), 3, 0, Arrival.COMMITTED),
    "one too far": (Arriving(Transfer(3, COVERS, 2, 1)), 3, 3, Arrival.MISPLACED),
    "another delta's part": (Arriving(Transfer(3, {2: 8}, 2, 1)), 3, 2, Arrival.MISPLACED),
    "a new delta": (Arriving(Transfer(3, COVERS, 2, 1)), 4, 0, Arrival.ACCEPTED),
    "one after the last": (Arrived(Transfer(3, COVERS, 2, 1)), 3, 2, Arrival.MISPLACED),
    "the last again": (Arrived(Transfer(3, COVERS, 2, 1)), 3, 1, Arrival.KNOWN),
}


@pytest.mark.parametrize(("state", "number", "part", "arrival"), PARTS.values(), ids=PARTS.keys())
def test_what_a_part_is(state: Receiving, number: int, part: int, arrival: Arrival) -> None:
    """Repeats are told from gaps, in every state."""
    receiver = Receiver()
    receiver.state = state
    assert receiver.arrive(Portion(number, part, delta({}, COVERS))) is arrival
    assert (receiver.head is not None) == (arrival is Arrival.ACCEPTED)


def test_a_commit_of_a_delta_that_is_over_ends_no_other() -> None:
    """A newer delta has begun meanwhile; its first part still waits."""
    receiver = Receiver()
    receiver.arrive(Portion(1, 0, delta({}, COVERS, last=False)))
    receiver.arrive(Portion(2, 0, delta({}, COVERS)))
    receiver.committed(1, 0)
    assert receiver.head is not None
    receiver.committed(2, 0)
    assert receiver.state == Between(2)


HOPES: dict[str, tuple[Hope, dict[int, int], dict[int, int], Hope]] = {
    "nothing lacks": (Content(), {1: 1}, {1: 1}, Content()),
    "something lacks": (Content(), {}, {1: 1}, Hoping({1: 1})),
    "it still lacks": (Hoping({1: 1}, 1), {}, {1: 2}, Hoping({1: 1}, 2)),
    "it came": (Hoping({1: 1}, 1), {1: 1}, {1: 1}, Content()),
    "it came, and newer is there": (Hoping({1: 1}, 2), {1: 1}, {1: 2}, Hoping({1: 2})),
    "asked, and it lacks": (Asked({1: 1}, 1), {}, {1: 1}, Asked({1: 1}, 2)),
    "asked, and it came": (Asked({1: 1}, 1), {1: 1}, {1: 1}, Content()),
}


@pytest.mark.parametrize(("hope", "ours", "theirs", "after"), HOPES.values(), ids=HOPES.keys())
def test_how_a_hope_goes_on(
    hope: Hope, ours: dict[int, int], theirs: dict[int, int], after: Hope
) -> None:
    """What is waited for stays what was first heard of."""
    assert hope_after_tick(hope, ours, theirs) == after


@pytest.mark.parametrize(("kind", "limit"), [(Hoping, GRAFT_TICKS), (Asked, ANSWER_TICKS)])
def test_patience_ends(kind: type[Hoping | Asked], limit: int) -> None:
    """At the tick that is said, not before."""
    assert impatient(kind({1: 1}, limit - 1)) is None
    assert impatient(kind({1: 1}, limit)) == {1: 1}


def test_what_comes_in_part_is_not_asked_for_whole() -> None:
    """It is enough that something of it is coming; what brings nothing of it does not count."""
    assert lightened({}, {1: 5}, {1: 9})
    assert not lightened({1: 5}, {1: 5, 2: 3}, {1: 9})


def test_every_manner_knows_every_cause() -> None:
    """No link is ever without a role."""
    roles = {role_after(manner, cause) for manner in Manner for cause in Cause}
    assert roles == set(Role)


def test_both_ends_find_the_same_distance() -> None:
    """Whoever lacks much, both begin lazily."""
    near, far = {1: FAR}, {1: FAR + 1}
    assert meeting({}, near) is meeting(near, {}) is Cause.MET_NEAR
    assert meeting({}, far) is meeting(far, {}) is Cause.MET_FAR
