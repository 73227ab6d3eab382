"""Whom a certified link may be with, and that nobody else can do anything to this node."""

from __future__ import annotations

import pytest

from service.herd.flood_events import LinkOpened, Retirements
from service.herd.messages import Hello
from service.herd.retirement import NOBODY, Retired, retired_among
from tests.service.herd.conversation import US, Conversation, hello


def open_link(node: Conversation, link: int, certified: str | None = "node-2") -> list[str]:
    """A link with the bearer of a certificate."""
    return node.event(LinkOpened(link, False, certified))


def refused(code: str, link: int = 1) -> list[str]:
    """What a node does with somebody who has to see to it himself."""
    return [f"to {link}: Refusal {code}", f"close {link}: {code}, theirs to mend"]


MISNAMED, RETIRED = refused("sibling.misnamed"), refused("sibling.retired")


def test_who_calls_himself_as_his_certificate_says_is_linked() -> None:
    """And can say what he likes."""
    node = Conversation()
    open_link(node, 1)
    assert node.hear(1, hello(2)) == []
    assert [stream.peer.name for stream in node.flood.streams] == ["node-2"]


def test_who_calls_himself_otherwise_is_refused() -> None:
    """The certificate says who he is."""
    node = Conversation()
    open_link(node, 1, "node-3")
    assert node.hear(1, hello(2)) == MISNAMED
    assert node.flood.streams == []


@pytest.mark.parametrize("said", [hello(US.origin), hello(2, {US.origin: 9})])
def test_who_lies_about_his_name_cannot_stop_this_node(said: Hello) -> None:
    """Neither as its copy nor as one that knows more of it: he is not listened to."""
    node = Conversation()
    open_link(node, 1, "somebody")
    assert node.hear(1, said) == MISNAMED
    assert node.flood.halting is None
    assert open_link(node, 2) == ["to 2: Hello -"]


def test_who_lies_about_his_name_cannot_end_an_alarm() -> None:
    """A node goes on when its copy shows another origin, and not when somebody else says so."""
    node = Conversation()
    open_link(node, 1, "node-1")
    assert "alarm origin.cloned" in node.hear(1, hello(US.origin))
    halting = node.flood.halting
    open_link(node, 2, "somebody")
    assert node.hear(2, hello(2)) == ["close 2: sibling.misnamed, theirs to mend"]
    assert node.flood.halting == halting
    open_link(node, 3, "node-2")
    node.hear(3, hello(2))
    assert node.flood.halting is None


def test_the_bearer_of_a_retired_name_is_told_nothing_but_that() -> None:
    """Not even who this is; also by a node that is halted itself."""
    node = Conversation()
    node.event(Retirements(Retired(frozenset(), frozenset({"node-2"}))))
    assert open_link(node, 1) == RETIRED
    assert node.hear(1, hello(2)) == []
    open_link(node, 2, "node-1")
    assert "alarm origin.cloned" in node.hear(2, hello(US.origin))
    assert open_link(node, 3) == refused("sibling.retired", 3)


def test_a_retired_origin_is_refused_under_any_name() -> None:
    """Whoever says that it is his."""
    node = Conversation()
    node.event(Retirements(Retired(frozenset({2}), frozenset())))
    open_link(node, 1)
    assert node.hear(1, hello(2)) == RETIRED


def test_who_is_retired_while_he_is_linked_is_linked_no_more() -> None:
    """At once; others stay, and he may come again when he is taken back."""
    node = Conversation()
    for link, origin in ((1, 2), (2, 3)):
        open_link(node, link, f"node-{origin}")
        node.hear(link, hello(origin))
    assert node.event(Retirements(Retired(frozenset({2}), frozenset()))) == RETIRED
    assert [stream.peer.name for stream in node.flood.streams] == ["node-3"]
    node.event(Retirements(NOBODY))
    open_link(node, 3)
    node.hear(3, hello(2))
    assert len(node.flood.streams) == 2


def test_without_certificates_a_retired_sibling_may_come_back() -> None:
    """Anybody could say that he is another one, so it would keep nobody out."""
    node = Conversation()
    node.event(Retirements(Retired(frozenset({2}), frozenset({"node-2"}))))
    assert open_link(node, 1, None) == ["to 1: Hello -"]
    assert node.hear(1, hello(2)) == []
    assert len(node.flood.streams) == 1


@pytest.mark.parametrize(
    ("known", "names"),
    [
        ([], set()),
        ([(1, "barn", False)], set()),
        ([(1, "barn", True)], {"barn"}),
        ([(1, "barn", True), (2, "barn", False)], set()),
        ([(1, "barn", True), (2, "barn", True)], {"barn"}),
        ([(1, "barn", True), (2, "shed", False)], {"barn"}),
    ],
)
def test_a_name_goes_with_the_last_of_its_origins(
    known: list[tuple[int, str, bool]], names: set[str]
) -> None:
    """A node that was set back keeps its name when its former origin is retired."""
    assert retired_among(known) == Retired(
        frozenset(origin for origin, _name, is_retired in known if is_retired), frozenset(names)
    )
