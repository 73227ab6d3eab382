"""Whatever happens to a subscription, in whatever order: each change once, in order, or an end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.methods.subscriptions import (
    FIRST_REST,
    LONGEST_REST,
    TOLD_EVERY,
    AwaitDrain,
    End,
    Expect,
    GiveUp,
    Read,
    Rest,
    State,
    Subscription,
    Tell,
    TellOverflow,
)
from tests.service.methods.subscription_world import World, page_of

EVENTS = [
    "write",
    "seal",
    "seal and read",
    "page",
    "drain",
    "stop reading",
    "fail",
    "rested",
    "others send",
    "large",
]


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.booleans()), max_size=120), st.integers(1, 4))
def test_every_change_is_told_once_and_in_order(events: list[tuple[str, bool]], limit: int) -> None:
    """At any moment what was told is a beginning of what there is; in the end it is all of it."""
    world = World(limit=limit)
    for event, wanted in events:
        world.happen(event, wanted)
        assert world.told == world.expected()[: len(world.told)]
        assert max((len(page.changes) for page in world.pages), default=0) <= limit
    world.settle()
    assert world.told == world.expected()
    assert not world.ended
    assert world.machine.next == world.sealed


@given(
    st.lists(st.tuples(st.sampled_from([*EVENTS, "stalled", "unsubscribe"]), st.booleans())),
    st.integers(1, 4),
)
def test_after_its_end_a_subscription_does_nothing(
    events: list[tuple[str, bool]], limit: int
) -> None:
    """Where it ends, `next` is where another one takes up without a gap and without a repeat."""
    world = World(limit=limit)
    for event, wanted in events:
        if event == "stalled":
            world.do(world.machine.stalled())
        elif event == "unsubscribe":
            world.do(world.machine.end())
        else:
            world.happen(event, wanted)
    if world.ended:
        told = list(world.told)
        world.settle()
        assert world.told == told
        assert (world.asked, world.coming) == (None, None)
        again = World(world.machine.next, limit)
        again.written, again.sealed = world.written, world.sealed
        again.settle()
        assert told + again.told == world.expected()


def test_a_reader_that_stops_costs_one_page() -> None:
    """However much is written meanwhile, nothing more is read; then it is told to come again."""
    world = World(limit=2)
    world.is_reading_client = False
    for _ in range(100):
        world.happen("write", True)
    for _ in range(5):
        world.happen("seal", True)
        world.page()
    assert world.told == [1, 2]
    world.do(world.machine.stalled())
    assert world.overflow == TellOverflow(2, "stalled")
    assert world.ended


def test_a_page_that_was_expected_is_told_and_nothing_is_read_besides() -> None:
    """However often; the position that comes after the page wakes nobody."""
    world = World()
    world.page()
    for number in range(1, 4):
        world.happen("write", True)
        world.seal(with_page=True)
        assert world.told == list(range(1, number + 1))
        assert world.asked is None
        assert world.coming == Expect(number, 3)


def test_a_reader_that_stops_costs_one_page_that_was_expected() -> None:
    """The next one is expected only once it has read again."""
    world = World()
    world.page()
    world.is_reading_client = False
    for _ in range(5):
        world.happen("write", True)
        world.seal(with_page=True)
    assert world.told == [1]
    assert world.coming is None
    world.do(world.machine.stalled())
    assert world.overflow == TellOverflow(1, "stalled")


def test_who_is_woken_reads_and_expects_nothing_meanwhile() -> None:
    """A page that was expected and comes late is not told twice."""
    machine = Subscription(0, 10)
    machine.begin()
    machine.drained()
    assert machine.page(page_of([], 0, 0)) == (Expect(0, 10),)
    assert machine.sealed(1) == (GiveUp(), AwaitDrain())
    assert machine.page(page_of([1], 1, 1)) == ()
    assert machine.drained() == (Read(0, 10),)


def test_who_has_nothing_to_read_does_not_stall() -> None:
    """A subscriber that has read everything is not ended because others on its wire stall."""
    world = World()
    world.page()
    assert world.machine.state is State.WAITING
    world.do(world.machine.stalled())
    assert world.overflow is None
    assert not world.ended


def test_nothing_is_told_before_the_number_is() -> None:
    """A client learns the number of its subscription first."""
    machine = Subscription(0, 10)
    assert machine.sealed(7) == ()
    assert machine.drained() == ()
    assert machine.begin() == (AwaitDrain(),)
    assert machine.begin() == ()
    assert machine.drained() == (Read(0, 10),)


def test_what_is_sealed_while_a_page_is_read_is_read_next() -> None:
    """A change that comes while nobody waits for one wakes all the same."""
    machine = Subscription(0, 10)
    machine.begin()
    machine.drained()
    assert machine.sealed(5) == ()
    assert machine.page(page_of([1, 2], 2, 2))[-1] == AwaitDrain()
    assert machine.drained() == (Read(2, 10),)


def test_positions_that_are_passed_over_are_told_now_and_then() -> None:
    """A reader whose filter matches nothing need not begin at its old place again."""
    machine = Subscription(0, 10)
    machine.begin()
    told = []
    head = 5 * TOLD_EVERY
    for next_ in range(250, head + 1, 250):
        actions: Any = machine.drained()
        assert actions == (Read(next_ - 250, 10),)
        told += [
            act.page.next for act in machine.page(page_of([], next_, head)) if type(act) is Tell
        ]
    assert told == [1000, 2000, 3000, 4000, 5000]


def test_a_page_that_brings_nothing_is_not_asked_for_again_at_once() -> None:
    """No disagreement about the head makes the node run in circles."""
    machine = Subscription(3, 10)
    machine.begin()
    machine.drained()
    assert machine.page(page_of([], 3, 9)) == (Expect(3, 10),)
    assert machine.state is State.WAITING
    assert machine.sealed(10) == (GiveUp(), AwaitDrain())


def test_what_is_sealed_while_a_page_is_read_is_asked_for() -> None:
    """An empty page of an older snapshot does not put a subscription to sleep before a change."""
    machine = Subscription(3, 10)
    machine.begin()
    machine.drained()
    assert machine.sealed(4) == ()
    assert machine.page(page_of([], 3, 3)) == (AwaitDrain(),)
    assert machine.drained() == (Read(3, 10),)


def test_below_the_horizon_a_subscription_ends() -> None:
    """What is no longer kept is told, never passed over."""
    machine = Subscription(3, 10)
    machine.begin()
    machine.drained()
    page = page_of([], 3, 90, found=False, horizon=50)
    assert machine.page(page) == (TellOverflow(3, "pruned"), End())


def test_above_the_head_a_subscription_ends() -> None:
    """The database was restored below what was told: another reason than pruning."""
    machine = Subscription(90, 10)
    machine.begin()
    machine.drained()
    page = page_of([], 90, 20, found=False, horizon=10)
    assert machine.page(page) == (TellOverflow(90, "feed.beyond_head"), End())


def test_failures_that_may_pass_are_waited_out() -> None:
    """Each rest is twice as long as the one before, up to a limit; a page that comes ends that."""
    machine = Subscription(0, 10)
    machine.begin()
    rests = []
    for _ in range(8):
        machine.drained()
        [rest] = machine.failed("server.unavailable", passing=True)
        assert isinstance(rest, Rest)
        rests.append(rest.seconds)
        assert machine.rested() == (AwaitDrain(),)
    assert rests == [min(FIRST_REST * 2**turn, LONGEST_REST) for turn in range(8)]
    machine.drained()
    machine.page(page_of([1], 1, 2))
    machine.drained()
    assert machine.failed("server.busy", passing=True) == (Rest(FIRST_REST),)


def test_other_failures_end_it() -> None:
    """A schema that does not fit will not fit a moment later; the reason is told."""
    machine = Subscription(4, 10)
    machine.begin()
    machine.drained()
    assert machine.failed("server.schema", passing=False) == (
        TellOverflow(4, "server.schema"),
        End(),
    )


def test_a_page_too_large_for_one_message_is_told_in_parts() -> None:
    """Large rows cost smaller pages, which grow again behind them."""
    world = World(limit=8, largest=3)
    for _ in range(16):
        world.happen("write", True)
    world.settle()
    assert world.told == list(range(1, 17))
    assert [len(page.changes) for page in world.pages] == [2, 2, 2, 2, 2, 2, 2, 2]


def test_a_single_change_too_large_ends_it() -> None:
    """A row that finds no room in any message is named by the place before it."""
    world = World(after=0, limit=4, largest=0)
    for _ in range(4):
        world.happen("write", True)
    world.settle()
    assert world.overflow == TellOverflow(0, "too_large")


@pytest.mark.parametrize("state", [State.WAITING, State.READING, State.DRAINING])
def test_unsubscribing_works_at_any_moment(state: State) -> None:
    """The end is not answered by one more page."""
    machine = Subscription(0, 10)
    machine.begin()
    if state is not State.DRAINING:
        machine.drained()
    if state is State.WAITING:
        machine.page(page_of([], 0, 0))
    assert machine.state is state
    assert machine.end() == (End(),)
    assert machine.end() == ()
    assert machine.page(page_of([1], 1, 1)) == machine.drained() == machine.sealed(5) == ()
