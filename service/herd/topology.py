"""Which nodes of a herd are to be linked, told from their records alone: all nodes choose alike.

The nodes of a site are linked each with each. Between any two sites there are two links, which
share no node where that can be: so no single node tears the herd apart. Which nodes these are is
told by rendezvous hashing (Thaler, Ravishankar, 1998): each node of a site has a rank towards each
other site, by a hash and its weight. A node that comes or goes moves no links between sites but
those that it has or gets.

A link needs one node that has an address. Where nobody at a site has one, its nodes cannot be
linked with each other, and each of them stands for a site by itself.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple, TypeAlias

BETWEEN_SITES = 2

_HASHES = 2.0**64


class Member(NamedTuple):
    """A node as its record tells it. `address` is where it takes links; None: nowhere."""

    id: str
    origin: int | None = None
    site: str = ""
    weight: int = 1
    state: str = "active"
    address: str | None = None


class Roll(NamedTuple):
    """All nodes of a herd, and which one this node is; None: it has no record yet."""

    members: tuple[Member, ...] = ()
    own: str | None = None


Pair: TypeAlias = tuple[str, str]
"""The ids of two nodes that are linked, the lower one first."""

_Site: TypeAlias = tuple[str, str]


def chosen(members: Iterable[Member]) -> frozenset[Pair]:
    """The links of a herd, whoever asks, in whatever order its nodes are told."""
    sites = _sites(each for each in members if each.state != "retired")
    links = {link for site in sites.values() for link in combinations(site, 2) if _can_be(link)}
    for one, other in combinations(sorted(sites), 2):
        here = sorted(sites[one], key=lambda each: _rank(each, one, other))
        there = sorted(sites[other], key=lambda each: _rank(each, one, other))
        links.update(_between(here, there))
    return frozenset((min(a.id, b.id), max(a.id, b.id)) for a, b in links)


def to_dial(roll: Roll, away: Collection[str] = ()) -> Mapping[str, str]:
    """Whom this node dials: ids with addresses.

    Those who are `away` are dialled on, and others are so in their place. Both ends of a link dial
    where both can be: one of the two may be hindered.
    """
    links = chosen(roll.members)
    if away:
        links |= chosen(each for each in roll.members if each.id not in away)
    addresses = {each.id: each.address for each in roll.members}
    found = {}
    for link in links:
        if roll.own in link:
            other = link[link[0] == roll.own]
            if (address := addresses[other]) is not None:
                found[other] = address
    return found


def _sites(members: Iterable[Member]) -> dict[_Site, list[Member]]:
    """The members of each site, by id."""
    listed = sorted(members, key=lambda each: each.id)
    open_sites = {each.site for each in listed if each.address is not None}
    sites: dict[_Site, list[Member]] = {}
    for each in listed:
        alone = "" if each.site in open_sites else each.id
        sites.setdefault((each.site, alone), []).append(each)
    return sites


def _between(here: Sequence[Member], there: Sequence[Member]) -> Iterator[tuple[Member, Member]]:
    """The links between two sites, whose nodes are told in the order of their ranks."""
    pairs = [pair for pair in product(here, there) if _can_be(pair)]
    for first in pairs:
        for second in pairs:
            if first[0] != second[0] and first[1] != second[1]:
                yield from (first, second)
                return
    yield from pairs[:BETWEEN_SITES]


def _can_be(pair: tuple[Member, Member]) -> bool:
    return pair[0].address is not None or pair[1].address is not None


def _rank(member: Member, one: _Site, other: _Site) -> tuple[bool, bool, float, str]:
    """Who comes first has more links. Who is about to come or to go comes last."""
    text = "\0".join((*one, *other, member.id))
    drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    waits = -math.log((drawn + 0.5) / _HASHES) / (member.weight or 1)
    return member.state != "active", not member.weight, waits, member.id
