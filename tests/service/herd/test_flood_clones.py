"""Two running nodes of one origin that meet by way of this one, and a copy that met this one."""

from __future__ import annotations

from itertools import count

import pytest

from service.herd.flood_clones import MOST_ORIGINS, MOST_RUNS, QUIET_TICKS, Clones
from service.herd.flood_events import LinkClosed, LinkOpened
from service.herd.link_actions import Alarm
from service.herd.messages import Have, Hello, Refusal
from tests.service.herd.conversation import US, Conversation, delta, hello

ONE, OTHER, THIRD = 501, 502, 503


def met(*runs: int) -> Conversation:
    """A node to which these runs of origin 2 have come, each over a link of its own."""
    node = Conversation()
    for link, run in enumerate(runs, 1):
        node.meet(link, hello(2, run=run))
    return node


def codes(node: Conversation) -> list[str]:
    """What is wrong at present."""
    return [alarm.code for alarm in node.flood.alarms]


def linked(node: Conversation) -> list[int]:
    """The origins that are linked."""
    return [stream.peer.origin for stream in node.flood.streams]


def test_a_run_that_comes_again_after_another_is_one_of_two_nodes() -> None:
    """Both links are closed, with the reason, and an alarm stands; others go on."""
    node = Conversation()
    node.meet(1, hello(2, run=ONE))
    node.meet(2, hello(2, run=OTHER))
    node.meet(9, hello(7))
    assert codes(node) == []
    assert node.meet(10, hello(2, run=ONE))[1:] == [
        "alarm origin.cloned",
        "to 2: Refusal origin.cloned",
        "close 2: origin.cloned, theirs to mend",
        "to 10: Refusal origin.cloned",
        "close 10: origin.cloned, theirs to mend",
    ]
    assert codes(node) == ["origin.cloned"]
    assert linked(node) == [7]
    assert node.grow({US.origin: 1}) == ["build 1.0 for 9 above -"]


def test_the_alarm_says_who_and_what_to_do() -> None:
    """The names, the origin, and the command, in a text that fits on a line."""
    node = met(ONE, OTHER)
    node.meet(3, hello(2, run=ONE)._replace(name="barn\nyard" + "x" * 999))
    [alarm] = node.flood.alarms
    assert alarm.text.startswith("two running nodes show one origin, 2: barn?yardx")
    assert " and node-2." in alarm.text
    assert "herdbook herd new-origin --dir … --yes" in alarm.text
    assert len(alarm.text) < 300


def test_both_are_refused_while_both_come_and_it_is_told_once() -> None:
    """Whichever comes."""
    node = met(ONE, OTHER, ONE)
    for link, run in zip(range(4, 40), (OTHER, ONE) * 18, strict=True):
        node.tick(QUIET_TICKS // 3)
        assert node.meet(link, hello(2, run=run))[1:] == [
            f"to {link}: Refusal origin.cloned",
            f"close {link}: origin.cloned, theirs to mend",
        ]
    assert codes(node) == ["origin.cloned"]
    assert linked(node) == []


@pytest.mark.parametrize("left", [ONE, OTHER], ids=["the first", "the other"])
def test_when_only_one_comes_any_more_it_is_linked_again(left: int) -> None:
    """After long enough, and with the alarm over; the other one would be noticed at once."""
    node = met(ONE, OTHER, ONE, OTHER)
    node.tick(QUIET_TICKS - 1)
    assert linked(node) == []
    assert codes(node) == ["origin.cloned"]
    node.tick(1)
    assert codes(node) == []
    node.meet(5, hello(2, run=left))
    assert linked(node) == [2]
    gone = OTHER if left == ONE else ONE
    node.meet(6, hello(2, run=gone))
    node.meet(7, hello(2, run=left))
    assert codes(node) == ["origin.cloned"]


def test_who_dials_on_alone_does_not_keep_the_alarm() -> None:
    """It is refused while the alarm stands, however often it comes, and then it is linked."""
    node = met(ONE, OTHER, ONE)
    links = count(4)
    for _ in range(9):
        node.meet(next(links), hello(2, run=ONE))
        node.tick(QUIET_TICKS // 9)
    assert linked(node) == []
    node.tick(QUIET_TICKS % 9)
    assert codes(node) == []
    node.meet(next(links), hello(2, run=ONE))
    assert linked(node) == [2]


def test_a_run_that_shows_another_origin_is_no_copy_any_more() -> None:
    """The alarm ends at once; the one that is left is linked when it comes again."""
    node = met(ONE, OTHER, ONE)
    node.meet(4, hello(70, run=OTHER))
    assert codes(node) == []
    node.meet(5, hello(2, run=ONE))
    assert sorted(linked(node)) == [2, 70]


def test_of_three_copies_one_with_another_origin_leaves_two() -> None:
    """The alarm goes on."""
    node = met(ONE, OTHER, THIRD, ONE)
    node.meet(5, hello(70, run=OTHER))
    assert codes(node) == ["origin.cloned"]
    node.meet(6, hello(2, run=ONE))
    assert linked(node) == [70]


def test_a_node_that_is_started_again_and_again_is_no_copy() -> None:
    """No run comes again after the next one."""
    node = met(*range(1, 40))
    assert codes(node) == []
    assert len(node.flood.streams) == 1


def test_two_ways_to_one_node_are_no_copies() -> None:
    """One run, over two addresses, also around a start: it is linked once."""
    node = met(ONE, ONE, ONE, OTHER, OTHER, OTHER)
    assert codes(node) == []
    assert len(node.flood.streams) == 1


def test_what_a_former_run_said_before_it_ended_may_come_late() -> None:
    """Its connection was made before that of the next run, so it proves nothing."""
    node = Conversation()
    node.meet(1, hello(2, run=ONE))
    node.event(LinkOpened(2, dialled=False))
    node.meet(3, hello(2, run=OTHER))
    node.hear(2, hello(2, run=ONE))
    assert codes(node) == []


def test_nothing_is_applied_of_a_copy_that_was_refused() -> None:
    """What it sends after its greeting is passed over."""
    node = met(ONE, OTHER)
    node.meet(3, hello(2, run=ONE))
    assert node.portion(2, delta({}, {2: 1})) == []
    assert node.portion(3, delta({}, {2: 1})) == []
    assert node.hear(3, Have({2: 1})) == []


def test_what_is_kept_of_others_is_bounded() -> None:
    """However many origins and runs show themselves, the latest are known."""
    clones, links = Clones(), count(1)
    for origin in range(3 * MOST_ORIGINS):
        for run in range(3 * MOST_RUNS):
            clones.greeted(hello(origin, run=100 * origin + run), next(links), 0)
    runs = clones._runs
    assert list(runs) == list(range(2 * MOST_ORIGINS, 3 * MOST_ORIGINS))
    assert {len(each) for each in runs.values()} == {MOST_RUNS}
    latest = 3 * MOST_ORIGINS - 1
    last = hello(latest, run=100 * latest + 3 * MOST_RUNS - 2)
    assert isinstance(clones.greeted(last, next(links), 0), Alarm)
    for origin in range(10_000, 10_000 + MOST_ORIGINS):
        clones.greeted(hello(origin, run=-origin), next(links), 0)
    assert clones.present == []


def copied() -> Conversation:
    """A node that has met its copy."""
    node = Conversation({US.origin: 1})
    node.meet(1, hello(3))
    node.meet(2, hello(US.origin))
    return node


def test_a_node_goes_on_when_its_copy_shows_another_origin() -> None:
    """The same run has a new one: at once, and whoever was refused may come again."""
    node = copied()
    assert node.meet(3, hello(50, run=499))[-1] == "close 3: origin.cloned, ours to mend"
    assert codes(node) == ["origin.cloned"]
    node.event(LinkOpened(4, dialled=False))
    assert node.meet(5, hello(50))[2:] == [
        "close 5: origin.cloned, ours to mend",
        "close 4: origin.cloned, ours to mend",
    ]
    assert codes(node) == []
    node.meet(6, hello(50))
    assert linked(node) == [50]


def test_a_node_goes_on_when_no_copy_has_come_for_long() -> None:
    """It was stopped, or has a new origin since it was started again."""
    node = copied()
    node.tick(QUIET_TICKS - 1)
    node.meet(3, hello(50, run=499))
    assert codes(node) == ["origin.cloned"]
    node.tick(1)
    assert codes(node) == []
    node.meet(4, hello(50, run=499))
    assert linked(node) == [50]


def test_a_node_goes_on_only_when_all_its_copies_are_other_nodes() -> None:
    """Of two copies one has another origin: the other one is still there."""
    node = copied()
    node.meet(3, hello(US.origin, run=OTHER))
    node.meet(4, hello(50))
    assert codes(node) == ["origin.cloned"]
    node.meet(5, hello(51, run=OTHER))
    assert codes(node) == []


@pytest.mark.parametrize(
    "greeting",
    [hello(US.origin), hello(US.origin, run=777)],
    ids=["as it was", "started again"],
)
def test_a_node_says_nothing_while_its_copy_still_comes(greeting: Hello) -> None:
    """The copy is refused like all others, and counts."""
    node = copied()
    for link in range(3, 9):
        node.tick(QUIET_TICKS - 1)
        assert node.meet(link, greeting) == [
            "to 3: Hello 1:1".replace("3", str(link), 1),
            f"to {link}: Refusal origin.cloned",
            f"close {link}: origin.cloned, ours to mend",
        ]
    assert codes(node) == ["origin.cloned"]


def test_two_copies_that_have_halted_hear_of_each_other() -> None:
    """What the one says over a connection that it refuses is what the other one counts."""
    node = copied()
    node.tick(QUIET_TICKS - 1)
    said = node.event(LinkOpened(3, dialled=True))
    assert said == ["to 3: Hello 1:1", "to 3: Refusal origin.cloned"]
    node.hear(3, hello(US.origin, {1: 1}))
    assert node.hear(3, Refusal("origin.cloned", "")) == []
    node.tick(QUIET_TICKS - 1)
    assert codes(node) == ["origin.cloned"]


def test_what_was_on_its_way_when_a_node_halted_holds_up_nothing_later() -> None:
    """A delta that was being applied is noted; a connection that said nothing is closed."""
    node = Conversation({US.origin: 1})
    node.meet(1, hello(3))
    node.portion(1, delta({}, {3: 1}, 3))
    node.meet(2, hello(US.origin))
    node.event(LinkOpened(3, dialled=False))
    node.event(LinkOpened(4, dialled=False))
    node.event(LinkClosed(4))
    assert node.committed(1, {1: 1, 3: 1}) == []
    assert node.tick(QUIET_TICKS) == ["close 3: origin.cloned, ours to mend"]
    assert node.hear(3, hello(50)) == []
    node.meet(5, hello(3, {3: 2}))
    assert node.portion(5, delta({3: 1}, {3: 2}, 3)) == ["apply 1.0 of 5"]


def test_a_node_that_was_set_back_does_not_go_on_by_itself() -> None:
    """Only a new origin helps, however quiet it is."""
    node = Conversation({US.origin: 5})
    node.meet(1, hello(2, {US.origin: 6}))
    assert node.tick(3 * QUIET_TICKS) == []
    assert codes(node) == ["origin.restored"]
