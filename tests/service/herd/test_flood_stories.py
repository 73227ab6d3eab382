"""Single interleavings around one node: what comes, and what it does, line by line."""

from __future__ import annotations

from service.herd.flood_events import LinkClosed
from service.herd.link_hoping import ANSWER_TICKS, GRAFT_TICKS
from service.herd.link_receiving import STALLED_TICKS
from service.herd.link_roles import FAR, Manner, Role
from service.herd.link_stream import REMIND_TICKS
from service.herd.messages import Graft, Have, Prune
from tests.service.herd.conversation import Conversation, delta, hello


def test_a_change_goes_to_every_neighbour_that_lacks_it() -> None:
    """A change here is read and sent on each link, and after the acknowledgement nothing more."""
    node = Conversation()
    assert node.meet(1, hello(2)) == ["to 1: Hello -"]
    assert node.meet(2, hello(3)) == ["to 2: Hello -"]
    assert node.grow({1: 1}) == ["build 1.0 for 1 above -", "build 1.0 for 2 above -"]
    assert node.built(1, delta({}, {1: 1}, 1)) == ["to 1: Portion 1.0 up to 1:1"]
    assert node.built(2, delta({}, {1: 1}, 1)) == ["to 2: Portion 1.0 up to 1:1"]
    assert node.acknowledge(1, {1: 1}) + node.acknowledge(2, {1: 1}) == []
    assert node.tick(20) == []


def test_a_delta_is_acknowledged_after_its_commit_and_then_passed_on() -> None:
    """Before the commit nothing is said; after it the sender hears of it, then the next node."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    assert node.portion(1, delta({}, {2: 1})) == ["apply 1.0 of 1"]
    assert node.committed(1, {2: 1}) == [
        "to 1: Applied 1.0 at 2:1",
        "build 1.0 for 2 above -",
    ]


def test_a_delta_that_fails_is_never_acknowledged() -> None:
    """What could not be committed is not spoken of, neither to the sender nor to others."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    node.portion(1, delta({}, {2: 1}))
    assert node.not_applied(1) == ["alarm delta.not_applied"]
    assert node.tick(3) == []


def test_while_a_delta_is_on_its_way_everything_newer_gathers() -> None:
    """Three changes during one delta make one more delta, above what was acknowledged."""
    node = Conversation()
    node.meet(1, hello(2))
    node.grow({1: 1})
    node.built(1, delta({}, {1: 1}, 1))
    assert node.grow({1: 2}) + node.grow({1: 3}) + node.grow({1: 4}) == []
    assert node.acknowledge(1, {1: 1}) == ["build 2.0 for 1 above 1:1"]
    assert node.built(1, delta({1: 1}, {1: 4}, 1), 2) == ["to 1: Portion 2.0 up to 1:4"]


def test_the_second_way_of_a_change_becomes_lazy() -> None:
    """A delta that brings nothing is pruned before it is acknowledged, and the link is lazy."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    node.portion(1, delta({}, {2: 1}))
    assert node.portion(2, delta({}, {2: 1}, 3)) == []
    assert node.committed(1, {2: 1}) == [
        "to 1: Applied 1.0 at 2:1",
        "to 2: Prune 1",
        "to 2: Applied 1.0 at 2:1",
    ]
    assert node.grow({1: 1, 2: 1}) == ["build 1.0 for 1 above 2:1"]


def test_a_pruned_link_only_tells_what_there_is() -> None:
    """After Prune there is one Have at the next tick, and no delta."""
    node = Conversation()
    node.meet(1, hello(2))
    node.grow({1: 1})
    node.built(1, delta({}, {1: 1}, 1))
    assert node.hear(1, Prune(1)) + node.acknowledge(1, {1: 1}) == []
    assert node.grow({1: 2}) + node.grow({1: 3}) == []
    assert node.tick(10) == ["to 1: Have 1:3"]


def test_nothing_is_told_to_one_who_has_it() -> None:
    """A lazy neighbour that told of a change first is not told of it."""
    node = Conversation()
    node.meet(1, hello(2))
    node.hear(1, Prune(0))
    node.hear(1, Have({3: 1}))
    assert node.grow({3: 1}) + node.tick(2) == []


def test_what_was_heard_of_and_does_not_come_is_asked_for() -> None:
    """A few ticks after a Have the neighbour is asked, and not again at once."""
    node = Conversation()
    node.meet(1, hello(2))
    node.hear(1, Prune(0))
    node.hear(1, Have({3: 1}))
    assert node.tick(GRAFT_TICKS) == []
    assert node.tick() == ["to 1: Graft -"]
    assert node.flood.streams[0].role is Role.EAGER
    assert node.tick(ANSWER_TICKS - 1) == []
    assert node.portion(1, delta({}, {3: 1})) == ["apply 1.0 of 1"]
    node.committed(1, {3: 1})
    assert node.tick(30) == []


def test_what_comes_in_time_is_not_asked_for() -> None:
    """A Have that the tree overtakes leads to nothing."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    node.hear(2, Prune(0))
    node.hear(2, Have({2: 1}))
    node.tick(GRAFT_TICKS)
    node.portion(1, delta({}, {2: 1}))
    node.committed(1, {2: 1})
    assert node.tick(30) == []


def test_a_neighbour_that_is_always_ahead_by_the_newest_is_not_asked() -> None:
    """Under steady load each Have names something new, and each comes in time by the tree."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    node.hear(2, Prune(0))
    said: list[str] = []
    for position in range(1, 40):
        node.hear(2, Have({2: position + 1}))
        node.portion(1, delta({2: position - 1}, {2: position}), position)
        node.committed(1, {2: position}, position)
        said += node.tick()
    assert [line for line in said if "Graft" in line] == []


def test_of_two_who_have_it_one_is_asked_and_then_the_other() -> None:
    """Asking both would bring it twice; the second is asked when the first does not answer."""
    node = Conversation()
    for link in (1, 2):
        node.meet(link, hello(link + 1))
        node.hear(link, Prune(0))
        node.hear(link, Have({4: 1}))
    assert node.tick(GRAFT_TICKS + 1) == ["to 1: Graft -"]
    assert node.tick(ANSWER_TICKS) == ["to 2: Graft -"]


def test_who_asks_is_sent_what_it_lacks_and_stays_eager() -> None:
    """A Graft is answered from the vector in it, and later changes follow unasked."""
    node = Conversation({2: 5, 3: 1})
    node.meet(1, hello(2))
    node.not_built(1)
    node.hear(1, Prune(0))
    node.tick(5)
    assert node.hear(1, Graft({2: 5})) == ["build 2.0 for 1 above 2:5"]
    node.built(1, delta({2: 5}, {2: 5, 3: 1}, 1), 2)
    node.acknowledge(1, {2: 5, 3: 1}, 2)
    assert node.grow({1: 1}) == ["build 3.0 for 1 above 2:5,3:1"]


def test_a_cut_heals_through_a_lazy_link() -> None:
    """When the eager neighbour is gone, the lazy one's Have is answered with a Graft."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    node.hear(2, Prune(0))
    node.event(LinkClosed(1))
    node.hear(2, Have({2: 1}))
    assert node.tick(GRAFT_TICKS + 1) == ["to 2: Graft -"]
    assert node.portion(2, delta({}, {2: 1}, 3)) == ["apply 1.0 of 2"]


def test_an_acknowledgement_lost_with_its_link_is_made_up_by_the_greeting() -> None:
    """On the new link the neighbour shows that it has the delta; it is not sent again."""
    node = Conversation()
    node.meet(1, hello(2))
    node.grow({1: 1})
    node.built(1, delta({}, {1: 1}, 1))
    node.event(LinkClosed(1))
    assert node.meet(2, hello(2, {1: 1})) == ["to 2: Hello 1:1"]
    assert node.tick(20) == []


def test_who_lacks_much_asks_one_neighbour() -> None:
    """Two neighbours have a long history; one is asked for it, neither sends it unasked."""
    node = Conversation()
    for link in (1, 2):
        node.meet(link, hello(link + 1, {9: FAR + 1}))
    assert [stream.role for stream in node.flood.streams] == [Role.LAZY, Role.LAZY]
    assert node.tick(GRAFT_TICKS + 1) == ["to 1: Graft -"]


def test_a_snapshot_comes_from_one_neighbour_only() -> None:
    """While the parts of one come, another's is declined, and nobody else is asked for it."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    long = delta({}, {9: 50}, last=False)
    assert node.portion(1, long) == ["apply 1.0 of 1"]
    assert node.portion(2, delta({}, {9: 51}, 3, last=False)) == ["to 2: Prune 1"]
    assert node.portion(2, delta({}, {9: 51}, 3, last=False), part=1) == []
    assert node.committed(1, {}) == ["to 1: Applied 1.0 at -"]
    assert node.tick(STALLED_TICKS - 1) == []


def test_a_snapshot_that_stalls_is_asked_for_elsewhere() -> None:
    """When no more parts come for a while, the neighbour that was declined is asked."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    node.portion(1, delta({}, {9: 50}, last=False))
    node.portion(2, delta({}, {9: 51}, 3, last=False))
    node.committed(1, {})
    assert node.tick(STALLED_TICKS) == ["to 2: Graft -"]


def test_a_long_delta_holds_up_no_other_link() -> None:
    """Between two parts of one link comes the delta of another."""
    node = Conversation()
    node.meet(1, hello(2))
    node.meet(2, hello(3))
    for part in range(3):
        node.portion(1, delta({}, {2: 9}, last=False), part=part)
    node.portion(2, delta({}, {3: 1}, 3))
    assert node.committed(1, {})[1:] == ["apply 1.0 of 2"]
    assert node.committed(2, {3: 1}) == [
        "to 2: Applied 1.0 at 3:1",
        "apply 1.1 of 1",
        "build 1.0 for 1 above 2:9",
    ]


def test_what_is_known_is_told_again_once_in_a_while() -> None:
    """At rest a link carries a Have each minute and nothing else."""
    node = Conversation({1: 3})
    node.meet(1, hello(2, {1: 3}))
    assert node.tick(REMIND_TICKS - 1) == []
    assert node.tick(REMIND_TICKS) == ["to 1: Have 1:3"]


def test_on_request_nothing_comes_unasked() -> None:
    """With flooding off a change is told of, asked for, and sent once."""
    node = Conversation(manner=Manner.ON_REQUEST)
    node.meet(1, hello(2))
    assert node.grow({1: 1}) == []
    assert node.tick() == ["to 1: Have 1:1"]
    assert node.hear(1, Graft({})) == ["build 1.0 for 1 above -"]
    node.built(1, delta({}, {1: 1}, 1))
    node.acknowledge(1, {1: 1})
    assert node.grow({1: 2}) == []
    assert node.tick() == ["to 1: Have 1:2"]


def test_with_every_link_eager_nothing_is_pruned() -> None:
    """A delta that brings nothing is acknowledged, and the next one comes the same way."""
    node = Conversation({3: 1}, Manner.EVERY_LINK)
    node.meet(1, hello(2, {3: 1}))
    assert node.portion(1, delta({}, {3: 1})) == ["to 1: Applied 1.0 at 3:1"]
    assert node.grow({1: 1}) == ["build 1.0 for 1 above 3:1"]
