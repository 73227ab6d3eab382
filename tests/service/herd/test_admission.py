"""Whom a certified link may be with, and that nobody else can do anything to this node."""

from __future__ import annotations

import pytest

from service.herd.admission import Admission, Bearer
from service.herd.flood_events import Admissions, LinkOpened
from service.herd.messages import Hello
from service.herd.peers import Peers
from service.herd.retirement import NOBODY, Retired, retired_among
from tests.service.herd.blocks import networks
from tests.service.herd.conversation import US, Conversation, hello


def open_link(
    node: Conversation, link: int, certified: str | None = "node-2", address: str | None = None
) -> list[str]:
    """A link with the bearer of a certificate."""
    bearer = None if certified is None else Bearer(certified, address)
    return node.event(LinkOpened(link, False, bearer))


def retire(retired: Retired) -> Admissions:
    """These are retired now."""
    return Admissions(Admission(retired))


def peers(required: bool = False, **blocks: str) -> Admissions:
    """From here links may come, by name with - for _ ; blocks are separated by spaces."""
    read = {name.replace("_", "-"): networks(text.split()) for name, text in blocks.items()}
    return Admissions(Admission(peers=Peers(read, required)))


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
    node.event(retire(Retired(frozenset(), frozenset({"node-2"}))))
    assert open_link(node, 1) == RETIRED
    assert node.hear(1, hello(2)) == []
    open_link(node, 2, "node-1")
    assert "alarm origin.cloned" in node.hear(2, hello(US.origin))
    assert open_link(node, 3) == refused("sibling.retired", 3)


def test_a_retired_origin_is_refused_under_any_name() -> None:
    """Whoever says that it is his."""
    node = Conversation()
    node.event(retire(Retired(frozenset({2}), frozenset())))
    open_link(node, 1)
    assert node.hear(1, hello(2)) == RETIRED


def test_who_is_retired_while_he_is_linked_is_linked_no_more() -> None:
    """At once; others stay, and he may come again when he is taken back."""
    node = Conversation()
    for link, origin in ((1, 2), (2, 3)):
        open_link(node, link, f"node-{origin}")
        node.hear(link, hello(origin))
    assert node.event(retire(Retired(frozenset({2}), frozenset()))) == RETIRED
    assert [stream.peer.name for stream in node.flood.streams] == ["node-3"]
    node.event(retire(NOBODY))
    open_link(node, 3)
    node.hear(3, hello(2))
    assert len(node.flood.streams) == 2


def test_without_certificates_a_retired_sibling_may_come_back() -> None:
    """Anybody could say that he is another one, so it would keep nobody out."""
    node = Conversation()
    node.event(retire(Retired(frozenset({2}), frozenset({"node-2"}))))
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


WRONG = refused("sibling.wrong_address")


@pytest.mark.parametrize(
    ("blocks", "address", "is_taken"),
    [
        ("10.0.0.0/24", "10.0.0.1", True),
        ("10.0.0.0/24", "10.0.0.255", True),
        ("10.0.0.0/24", "10.0.1.0", False),
        ("10.0.0.0/24", "9.255.255.255", False),
        ("10.0.0.0/24 fd00::/64", "fd00::9", True),
        ("10.0.0.0/24", "fd00::9", False),
        ("10.0.0.0/24", "::ffff:10.0.0.1", True),
        ("10.0.0.0/24", "::ffff:10.0.1.1", False),
        ("::/0", "10.0.0.1", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("10.0.0.0/24", "no address", False),
        ("10.0.0.0/24", None, True),
    ],
)
def test_a_link_comes_from_the_ranges_of_its_node(
    blocks: str, address: str | None, is_taken: bool
) -> None:
    """Who comes from elsewhere is told nothing but that; a socket has no address."""
    node = Conversation()
    node.event(peers(node_2=blocks))
    assert open_link(node, 1, "node-2", address) == (["to 1: Hello -"] if is_taken else WRONG)
    node.hear(1, hello(2))
    assert len(node.flood.streams) == is_taken


def test_the_ranges_of_others_are_no_matter() -> None:
    """A node of which nothing is said may come from anywhere, unless ranges are required."""
    node = Conversation()
    node.event(peers(node_3="10.0.0.0/24"))
    assert open_link(node, 1, "node-2", "10.9.9.9") == ["to 1: Hello -"]
    node = Conversation()
    node.event(peers(required=True, node_3="10.0.0.0/24"))
    assert open_link(node, 1, "node-2", "10.0.0.1") == WRONG
    assert open_link(node, 2, "node-3", "10.0.0.1") == ["to 2: Hello -"]
    assert open_link(node, 3, "node-2", None) == ["to 3: Hello -"]
    assert open_link(node, 4, None, "10.9.9.9") == ["to 4: Hello -"]


def test_who_is_linked_from_an_address_that_is_taken_away_is_linked_no_more() -> None:
    """At once; it may come again when the range is given back."""
    node = Conversation()
    node.event(peers(node_2="10.0.0.0/24"))
    for link, origin in ((1, 2), (2, 3)):
        open_link(node, link, f"node-{origin}", "10.0.0.1")
        node.hear(link, hello(origin))
    assert node.event(peers(node_2="10.0.1.0/24")) == WRONG
    assert [stream.peer.name for stream in node.flood.streams] == ["node-3"]
    node.event(peers(node_2="10.0.1.0/24 10.0.0.0/24"))
    assert open_link(node, 3, "node-2", "10.0.0.1") == ["to 3: Hello -"]


def test_a_node_that_is_halted_takes_nobody_from_a_wrong_address() -> None:
    """He could end the alarm."""
    node = Conversation()
    node.event(peers(node_2="10.0.0.0/24"))
    open_link(node, 1, "node-1")
    node.hear(1, hello(US.origin))
    halting = node.flood.halting
    assert halting is not None
    assert open_link(node, 2, "node-2", "10.0.1.1") == refused("sibling.wrong_address", 2)
    node.hear(2, hello(2))
    assert node.flood.halting == halting
