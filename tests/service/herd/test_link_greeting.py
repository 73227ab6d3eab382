"""Who may talk to whom, and what each state allows to be said."""

from __future__ import annotations

import pytest

from service.herd.messages import (
    PROTOCOL,
    Applied,
    Graft,
    Have,
    Hello,
    Message,
    Portion,
    Prune,
    Refusal,
)
from tests.service.herd.conversation import US, Conversation, delta, hello

EVERY_MESSAGE: dict[type, Message] = {
    Hello: hello(2),
    Have: Have({}),
    Portion: Portion(1, 0, delta({}, {2: 1})),
    Applied: Applied(1, 0, {}),
    Prune: Prune(1),
    Graft: Graft({}),
    Refusal: Refusal("some.reason", "because"),
}
REFUSED = ["to 1: Refusal message.unexpected", "close 1: message.unexpected, theirs to mend"]


@pytest.mark.parametrize("early", sorted(EVERY_MESSAGE.keys() - {Hello, Refusal}, key=str))
def test_nothing_comes_before_the_greeting(early: type) -> None:
    """A node that begins with anything else is refused."""
    node = Conversation()
    node.meet(1, EVERY_MESSAGE[early])
    assert node.hear(1, hello(2)) == []
    assert node.flood.streams == []


@pytest.mark.parametrize("early", sorted(EVERY_MESSAGE.keys() - {Hello, Refusal}, key=str))
def test_who_speaks_too_early_is_told_so(early: type) -> None:
    """The refusal says that it is the other one's fault."""
    node = Conversation()
    assert node.meet(1, EVERY_MESSAGE[early])[1:] == REFUSED


def test_a_second_greeting_is_refused() -> None:
    """A node says only once who it is."""
    node = Conversation()
    node.meet(1, hello(2))
    assert node.hear(1, hello(2)) == REFUSED


def test_after_a_refusal_nothing_is_said() -> None:
    """A refused node closes, with the reason it was given, and answers nothing more."""
    node = Conversation()
    node.meet(1, hello(2))
    assert node.hear(1, Refusal("portion.gap", "")) == ["close 1: portion.gap, ours to mend"]
    assert [node.hear(1, message) for message in EVERY_MESSAGE.values()] == [[]] * 7


@pytest.mark.parametrize(("protocol", "whose"), [(PROTOCOL + 1, "ours"), (PROTOCOL - 1, "theirs")])
def test_another_protocol_is_refused(protocol: int, whose: str) -> None:
    """Who has the older protocol is the one to upgrade."""
    node = Conversation()
    assert node.meet(1, hello(2, protocol=protocol))[1:] == [
        "to 1: Refusal protocol.unknown",
        f"close 1: protocol.unknown, {whose} to mend",
    ]


def test_a_node_that_reached_itself_only_closes() -> None:
    """An address that leads back is no copy: the origin is the same, and the run too."""
    node = Conversation()
    assert node.meet(1, hello(US.origin, run=US.run))[1:] == [
        "to 1: Refusal link.self",
        "close 1: link.self, ours to mend",
    ]
    assert node.meet(2, hello(2)) == ["to 2: Hello -"]


def test_a_copy_stops_this_node_loudly() -> None:
    """Two nodes with one origin: all links are closed, and new ones refused with the reason.

    It still says who it is: the copy has to hear that it is there.
    """
    node = Conversation()
    node.meet(1, hello(3))
    assert node.meet(2, hello(US.origin))[1:] == [
        "alarm origin.cloned",
        "to 1: Refusal origin.cloned",
        "close 1: origin.cloned, ours to mend",
        "to 2: Refusal origin.cloned",
        "close 2: origin.cloned, ours to mend",
    ]
    assert node.grow({US.origin: 1}) + node.tick(20) == []
    assert node.meet(3, hello(3)) == [
        "to 3: Hello 1:1",
        "to 3: Refusal origin.cloned",
        "close 3: origin.cloned, ours to mend",
    ]


@pytest.mark.parametrize(
    "message",
    [Have({1: 6}), Graft({1: 6}), Applied(1, 0, {1: 6}), Portion(1, 0, delta({}, {1: 6}))],
    ids=lambda message: type(message).__name__,
)
def test_whoever_knows_more_of_us_than_we_do_stops_us(message: Message) -> None:
    """A backup was restored: whatever message shows it, nothing is sent any more."""
    node = Conversation({1: 5})
    node.meet(1, hello(2))
    assert node.hear(1, message)[0] == "alarm origin.restored"
    assert node.grow({1: 6}) + node.tick(20) == []


def test_a_restored_backup_is_seen_at_the_greeting() -> None:
    """Before anything is sent under the old origin."""
    node = Conversation({1: 5})
    assert node.meet(1, hello(2, {1: 6}))[1] == "alarm origin.restored"


def test_a_delta_that_was_read_before_its_news_came_is_no_restored_backup() -> None:
    """The snapshot of a delta may be ahead of what the node was told; then it has learned it."""
    node = Conversation({1: 5})
    node.meet(1, hello(2))
    node.built(1, delta({}, {1: 7}, 1))
    assert node.acknowledge(1, {1: 7}) == []


def test_of_two_links_both_ends_keep_the_one_the_lower_origin_dialled() -> None:
    """Both nodes dialled at once: this one has the lower origin, so its own call stays."""
    node = Conversation()
    node.meet(1, hello(2), dialled=True)
    assert node.meet(2, hello(2), dialled=False)[1:] == [
        "to 2: Refusal link.twin",
        "close 2: link.twin, nobody's to mend",
    ]


def test_of_two_links_that_one_side_dialled_the_later_stays() -> None:
    """The earlier one may be dead without this node having been told."""
    node = Conversation()
    node.meet(1, hello(2))
    assert node.meet(2, hello(2))[-1] == "close 1: link.twin, nobody's to mend"


def test_a_node_that_was_started_again_loses_its_former_link() -> None:
    """Whoever dialled: the former run is over. What was dialled may be looked at again."""
    node = Conversation()
    node.meet(1, hello(2, run=1), dialled=True)
    assert node.meet(2, hello(2, run=2), dialled=False)[1:] == [
        "to 1: Refusal link.twin",
        "close 1: link.former, nobody's to mend",
    ]
