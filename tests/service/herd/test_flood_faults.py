"""What goes wrong around one node: it says so, goes on with everything else, and tries again."""

from __future__ import annotations

from service.herd.flood_events import LinkClosed
from service.herd.link_sending import PARTS_AHEAD, RETRY_TICKS
from service.herd.messages import Applied, Have
from tests.service.herd.conversation import Conversation, delta, hello


def test_a_delta_that_fails_is_tried_again_and_told_once() -> None:
    """A full disk: one alarm, a try a second, and the acknowledgement when it has worked."""
    node = Conversation()
    node.meet(1, hello(2))
    node.portion(1, delta({}, {2: 1}))
    assert node.not_applied(1) == ["alarm delta.not_applied"]
    assert node.tick(RETRY_TICKS) == ["apply 1.0 of 1"]
    assert node.not_applied(1) == []
    assert node.tick(RETRY_TICKS) == ["apply 1.0 of 1"]
    assert node.committed(1, {2: 1}) == ["to 1: Applied 1.0 at 2:1"]


def test_it_is_told_again_when_it_fails_anew() -> None:
    """After a success the next failure is news."""
    node = Conversation()
    node.meet(1, hello(2))
    node.portion(1, delta({}, {2: 1}))
    node.not_applied(1)
    node.tick(RETRY_TICKS)
    node.committed(1, {2: 1})
    node.portion(1, delta({2: 1}, {2: 2}), 2)
    assert node.not_applied(1, 2) == ["alarm delta.not_applied"]


def test_one_delta_that_fails_stops_no_other() -> None:
    """While one waits to be tried again, another link's delta is applied."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    node.portion(1, delta({}, {2: 1}))
    node.portion(2, delta({}, {3: 1}, 3))
    assert node.not_applied(1) == ["alarm delta.not_applied", "apply 1.0 of 2"]
    assert node.committed(2, {3: 1})[0] == "to 2: Applied 1.0 at 3:1"


def test_what_failed_and_came_another_way_is_not_tried_again() -> None:
    """The next look finds that the delta brings nothing any more."""
    node = Conversation()
    node.meet(1, hello(2))
    node.portion(1, delta({}, {3: 1}))
    node.not_applied(1)
    node.grow({3: 1})
    assert node.flood.alarms != []
    assert node.tick(RETRY_TICKS) == ["to 1: Prune 1", "to 1: Applied 1.0 at 3:1"]
    assert node.flood.alarms == []


def test_what_cannot_be_read_is_read_later_as_a_new_delta() -> None:
    """The database was away: one alarm, then the next number from part 0."""
    node = Conversation()
    node.meet(1, hello(2))
    node.grow({1: 1})
    assert node.not_built(1) == ["alarm delta.not_read"]
    assert node.tick(RETRY_TICKS) == ["build 2.0 for 1 above -"]
    assert node.not_built(1, 2) == []


def test_what_could_not_be_read_and_got_there_another_way_is_no_trouble_any_more() -> None:
    """Nothing is left to read for that neighbour."""
    node = Conversation()
    node.meet(1, hello(2))
    node.grow({1: 1})
    node.not_built(1)
    assert node.flood.alarms != []
    node.hear(1, Have({1: 1}))
    node.tick(1)
    assert node.flood.alarms == []


def test_a_delta_that_would_leave_a_gap_is_refused() -> None:
    """A delta above what this node has is not applied; the link is closed, whose fault is said."""
    node = Conversation({2: 3})
    node.meet(1, hello(2, {2: 3}))
    assert node.portion(1, delta({2: 5}, {2: 6})) == [
        "to 1: Refusal portion.gap",
        "close 1: portion.gap, theirs to mend",
    ]


def test_a_part_that_skips_one_is_refused() -> None:
    """The last part after a lost one would raise the vector over a gap."""
    node = Conversation()
    node.meet(1, hello(2))
    node.portion(1, delta({}, {2: 9}, last=False))
    assert node.portion(1, delta({}, {2: 9}), part=2) == [
        "to 1: Refusal portion.misplaced",
        "close 1: portion.misplaced, theirs to mend",
    ]


def test_the_same_delta_a_thousand_times_is_applied_once() -> None:
    """Each repeat is acknowledged again, and that is all."""
    node = Conversation()
    node.meet(1, hello(2))
    assert node.portion(1, delta({}, {2: 1})) == ["apply 1.0 of 1"]
    assert {tuple(node.portion(1, delta({}, {2: 1}))) for _ in range(500)} == {()}
    node.committed(1, {2: 1})
    repeats = {tuple(node.portion(1, delta({}, {2: 1}))) for _ in range(500)}
    assert repeats == {("to 1: Applied 1.0 at 2:1",)}


def test_the_same_delta_under_new_numbers_is_applied_once() -> None:
    """A neighbour that sends the same again and again is told each time that it is known."""
    node = Conversation({2: 1})
    node.meet(1, hello(2, {2: 1}))
    for number in range(1, 500):
        assert node.portion(1, delta({}, {2: 1}), number) == [
            f"to 1: Prune {number}",
            f"to 1: Applied {number}.0 at 2:1",
        ]


def test_an_acknowledgement_nobody_waits_for_changes_nothing() -> None:
    """Numbers that were never given, parts never sent, and repeats are passed over."""
    node = Conversation({1: 1})
    node.meet(1, hello(2))
    node.built(1, delta({}, {1: 1}, 1))
    for number, part in ((7, 0), (1, 5), (0, 0)):
        assert node.hear(1, Applied(number, part, {})) == []
    assert node.acknowledge(1, {1: 1}) == []
    assert node.acknowledge(1, {1: 1}) == []
    assert node.grow({1: 2}) == ["build 2.0 for 1 above 1:1"]


def test_a_neighbour_that_acknowledges_and_keeps_nothing_makes_no_storm() -> None:
    """It is sent the same again after a pause, not in a circle."""
    node = Conversation({1: 1})
    node.meet(1, hello(2))
    node.built(1, delta({}, {1: 1}, 1))
    assert node.acknowledge(1, {}) == []
    assert node.tick(RETRY_TICKS - 1) == []
    assert node.tick() == ["build 2.0 for 1 above -"]


def test_parts_wait_for_room() -> None:
    """Only some parts are on the way; the next is read when one of them was acknowledged."""
    node = Conversation({1: 100})
    node.meet(1, hello(2))
    part = delta({}, {1: 100}, 1, last=False)
    for number in range(PARTS_AHEAD - 1):
        assert node.built(1, part, part=number)[1:] == [f"build 1.{number + 1} for 1 above -"]
    assert node.built(1, part, part=PARTS_AHEAD - 1) == [
        f"to 1: Portion 1.{PARTS_AHEAD - 1} up to 1:100"
    ]
    assert node.acknowledge(1, {}) == [f"build 1.{PARTS_AHEAD} for 1 above -"]


def test_more_parts_than_agreed_are_refused() -> None:
    """A neighbour cannot fill this node's memory with parts that it does not wait for."""
    node = Conversation()
    node.meet(1, hello(2))
    for part in range(PARTS_AHEAD):
        node.portion(1, delta({}, {2: 9}, last=False), part=part)
    assert node.portion(1, delta({}, {2: 9}, last=False), part=PARTS_AHEAD) == [
        "to 1: Refusal portion.too_many",
        "close 1: portion.too_many, theirs to mend",
    ]


def test_new_numbers_do_not_fill_memory_either() -> None:
    """A newer delta takes the place of the unfinished one, of which nothing is kept."""
    node = Conversation()
    node.meet(1, hello(2))
    for number in range(1, 200):
        node.portion(1, delta({}, {2: 9}, last=False), number)
    assert node.committed(1, {})[1:] == ["apply 199.0 of 1"]


def test_what_is_being_applied_outlives_its_link() -> None:
    """The commit counts; only the acknowledgement has nowhere to go."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    node.portion(1, delta({}, {2: 1}))
    assert node.event(LinkClosed(1)) == []
    assert node.committed(1, {2: 1}) == ["build 1.0 for 2 above -"]


def test_answers_for_links_that_are_gone_are_passed_over() -> None:
    """Late answers of the shell and late messages harm nothing."""
    node = Conversation({1: 1})
    node.meet(1, hello(2))
    node.event(LinkClosed(1))
    assert node.built(1, delta({}, {1: 1}, 1)) == []
    assert node.not_built(1) == []
    assert node.not_applied(1) == []
    assert node.committed(1, {1: 1}) == []
    assert node.hear(1, Have({2: 1})) == []


def test_a_late_part_of_a_delta_that_is_over_is_not_sent() -> None:
    """A neighbour that got it all meanwhile, and a delta that was given up, cost nothing."""
    node = Conversation({3: 1})
    node.meet(1, hello(2))
    node.hear(1, Have({3: 1}))
    assert node.built(1, delta({}, {3: 1}, 1)) == []
    assert node.tick(2) == []
