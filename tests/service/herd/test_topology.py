"""Which nodes are linked, by their records alone: laws over any herd."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.herd.graph import articulation_points, components, joined
from service.herd.link_urls import endpoint_in, link_url, with_link
from service.herd.topology import BETWEEN_SITES, Member, Pair, Roll, chosen, to_dial


def member(number: int, site: int = 0, **said: object) -> Member:
    """A node that can be dialled."""
    address = f"tcp:10.0.0.{number}:1"
    plain = Member(f"{number:04}", number, f"s{site}", address=address)
    return plain._replace(**said)  # type: ignore[arg-type]


@st.composite
def herds(draw: st.DrawFn, all_open: bool = True) -> list[Member]:
    """Some nodes at some sites."""
    sites = draw(st.lists(st.integers(0, 4), min_size=1, max_size=14))
    members = []
    for number, site in enumerate(sites):
        said: dict[str, object] = {
            "weight": draw(st.sampled_from([0, 1, 1, 5])),
            "state": draw(st.sampled_from(["active", "active", "draining", "joining"])),
        }
        if not all_open and draw(st.booleans()):
            said["address"] = None
        members.append(member(number, site, **said))
    return members


def parts(members: list[Member], links: frozenset[Pair]) -> int:
    """Into how many parts a herd falls."""
    return len(components(joined([graph(members, links)])))


def graph(members: list[Member], links: frozenset[Pair]) -> dict[int, set[int]]:
    """The herd as a graph."""
    found: dict[int, set[int]] = {int(each.id): set() for each in members}
    for one, other in links:
        found[int(one)].add(int(other))
        found[int(other)].add(int(one))
    return found


def possible(members: list[Member]) -> frozenset[Pair]:
    """Every link that could be made at all."""
    return frozenset((a.id, b.id) for a, b in combinations(members, 2) if a.address or b.address)


@given(herds(all_open=False))
def test_a_herd_is_whole_whenever_it_can_be(members: list[Member]) -> None:
    """And no link is chosen that nobody could dial."""
    links = chosen(members)
    assert links <= possible(members)
    assert parts(members, links) == parts(members, possible(members))


@given(herds(), st.randoms())
def test_all_nodes_choose_alike(members: list[Member], random: object) -> None:
    """In whatever order they know each other; and who is to be linked dials."""
    mixed = list(members)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert chosen(mixed) == chosen(members)
    dialled = {
        (min(each.id, other), max(each.id, other))
        for each in members
        for other in to_dial(Roll(tuple(mixed), each.id))
    }
    assert dialled == chosen(members)


@given(herds())
def test_no_single_node_tears_a_herd_apart(members: list[Member]) -> None:
    """Two links between two sites share no node, where both sites have two."""
    assert articulation_points(joined([graph(members, chosen(members))])) == frozenset()


@given(herds())
def test_sites_are_meshed_and_joined_by_two_links(members: list[Member]) -> None:
    """So the links of a node are bounded by the size of its site and the number of sites."""
    sites = {each.id: each.site for each in members}
    sizes = Counter(sites.values())
    between: Counter[tuple[str, ...]] = Counter()
    degree: Counter[str] = Counter()
    for link in chosen(members):
        ends = sorted({sites[each] for each in link})
        between[tuple(ends)] += 1
        degree.update(link)
    for one, other in combinations(sorted(sizes), 2):
        assert between[one, other] == min(BETWEEN_SITES, sizes[one] * sizes[other])
    for site, size in sizes.items():
        assert between[(site,)] == size * (size - 1) // 2
    for each in members:
        most = sizes[each.site] - 1 + BETWEEN_SITES * (len(sizes) - 1)
        assert degree[each.id] <= most


@given(herds(), st.data())
def test_who_goes_takes_his_own_links_only(members: list[Member], data: st.DataObject) -> None:
    """Others get new ones only between two sites where he had one."""
    gone = data.draw(st.sampled_from(members))
    left = [each for each in members if each.id != gone.id]
    before, after = chosen(members), chosen(left)
    sites = {each.id: each.site for each in members}
    touched = {
        frozenset(sites[each] for each in link)
        for link in before
        if gone.id in link and sites[link[0]] != sites[link[1]]
    }
    others = {link for link in before if gone.id not in link}
    moved = after ^ others
    assert {frozenset(sites[each] for each in link) for link in moved} <= touched
    assert len(moved) <= 2 * BETWEEN_SITES * len(touched)


@given(herds())
def test_who_is_retired_has_no_links(members: list[Member]) -> None:
    """As if he were not there."""
    first, *others = members
    assert chosen([first._replace(state="retired"), *others]) == chosen(others)


def test_who_is_draining_joins_sites_last() -> None:
    """Nor does one without weight, as long as there are two others."""
    two = [member(1, 1), member(2, 1)]
    for said in ({"state": "draining"}, {"state": "joining"}, {"weight": 0}):
        for number in range(3, 40):
            members = [*two, member(number, 1, **said), member(90, 2), member(91, 2)]
            sites = {each.id: each.site for each in members}
            ends = {
                a for link in chosen(members) if len({sites[e] for e in link}) == 2 for a in link
            }
            assert f"{number:04}" not in ends


def test_weight_draws_links() -> None:
    """Of two links, a node of weight 8 beside two of weight 1 has one with 98 of 100 sites."""
    here = [member(1), member(2), member(3, weight=8)]
    met = Counter(
        end
        for site in range(1, 301)
        for link in chosen([*here, member(9, site)])
        if "0009" in link
        for end in link
    )
    assert met["0009"] == 600
    assert met["0003"] > 285
    assert abs(met["0001"] - met["0002"]) < 60


@pytest.mark.parametrize("own", ["0001", "0002"])
def test_where_somebody_is_away_others_take_his_place(own: str) -> None:
    """He is dialled all the same, so that he is linked when he is back."""
    members = (member(1, 1), member(2, 1), member(3, 2), member(4, 2))
    before = to_dial(Roll(members, own))
    [across] = [each for each in before if each in ("0003", "0004")]
    after = to_dial(Roll(members, own), {across})
    assert set(after) == {*before, "0003", "0004"}


def test_who_has_no_record_dials_nobody() -> None:
    """Nobody knows where he stands."""
    assert to_dial(Roll((member(1), member(2)), None)) == {}
    assert to_dial(Roll((member(1), member(2)), "0009")) == {}


@dataclass(frozen=True)
class Url:
    """A URL, and where it leads."""

    text: str
    endpoint: str | None


@pytest.mark.parametrize(
    "url",
    [
        Url("herdbook+tcp://barn.example.org:8653", "tcp:barn.example.org:8653"),
        Url("herdbook+tcp://192.0.2.7:1/", "tcp:192.0.2.7:1"),
        Url("herdbook+tcp://[2001:db8::7]:8653", r"tcp:2001\:db8\:\:7:8653"),
        Url("https://barn.example.org/", None),
        Url("herdbook+tcp://barn", None),
        Url("herdbook+tcp://barn:0", None),
        Url("herdbook+tcp://barn:65536", None),
        Url("herdbook+tcp://barn:8653:timeout=1", None),
        Url("herdbook+tcp://a:b@barn:8653", None),
        Url("herdbook+tcp://barn\\:1:8653", None),
        Url("herdbook+tcp://barn:8653\n", None),
    ],
)
def test_a_url_leads_to_an_address_or_nowhere(url: Url) -> None:
    """Nothing of it gets into Twisted's string that was not read."""
    assert endpoint_in([3, None, "x", url.text]) == url.endpoint


def test_what_stands_in_a_record_is_passed_over_where_it_is_no_list() -> None:
    """Anybody writes records."""
    for urls in (None, "herdbook+tcp://barn:1", {"a": 1}, 7):
        assert endpoint_in(urls) is None
        assert with_link(urls, "x") == ["x"]


def test_the_place_of_links_takes_the_place_of_the_former_one() -> None:
    """What people have said stays."""
    former = ["https://barn/", link_url("10.0.0.1", "7"), "http://b/"]
    assert with_link(former, link_url("::1", "8")) == [
        "https://barn/",
        "http://b/",
        "herdbook+tcp://[::1]:8",
    ]
