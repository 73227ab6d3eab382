"""A hundred nodes: what a change costs, and that no single loss keeps it from anybody."""

from __future__ import annotations

import pytest

from service.herd.link_roles import Role
from service.herd.messages import Have
from tests.service.herd.network import Edge, Network, ring_with_chords

NODES = 100
DEGREE = 4
ENOUGH = 1.1 * (NODES - 1)
"""Payload crossings of a change that are allowed at rest."""

HEALED = 30
"""Ticks within which a change is everywhere in spite of a cut."""


def warm(seed: int) -> Network:
    """A herd that has found its tree."""
    network = Network(range(1, NODES + 1), ring_with_chords(NODES, DEGREE, seed), seed)
    network.run(10)
    write_at_rest(network, 10)
    network.forget_counts()
    return network


def write_at_rest(network: Network, changes: int) -> None:
    """Changes anywhere, each when the one before is everywhere."""
    for _ in range(changes):
        change = network.write(network.random.choice(sorted(network.nodes)))
        assert network.settle(HEALED) < HEALED
        assert network.everywhere(change)
        network.run(8)


def eager_edges(network: Network) -> list[Edge]:
    """The links that carry deltas."""
    return sorted(
        (origin, stream.peer.origin)
        for origin, process in network.processes.items()
        for stream in process.flood.streams
        if stream.role is Role.EAGER and origin < stream.peer.origin
    )


@pytest.mark.parametrize("seed", range(3))
def test_at_rest_a_change_crosses_hardly_more_links_than_a_tree_has(seed: int) -> None:
    """After the first few changes each one crosses about n - 1 of the 200 links."""
    network = warm(seed)
    write_at_rest(network, 30)
    assert len(network.crossings) / 30 <= ENOUGH
    assert not network.broken_rules()


def test_the_first_changes_make_the_tree() -> None:
    """Before, a change crosses most links; the eager ones that are left are a tree."""
    network = Network(range(1, NODES + 1), ring_with_chords(NODES, DEGREE, 4), 4)
    network.run(10)
    write_at_rest(network, 1)
    assert len(network.crossings) > 1.5 * NODES
    write_at_rest(network, 9)
    assert NODES - 1 <= len(eager_edges(network)) <= ENOUGH


def test_many_writers_at_once_cost_no_more() -> None:
    """Under load changes travel together: fewer crossings for each, and none of them useless."""
    network = warm(5)
    for _ in range(60):
        network.write(network.random.choice(sorted(network.nodes)))
        network.run(1)
    assert network.settle(HEALED) < HEALED
    assert len(network.crossings) / 60 <= ENOUGH
    useless = sum(node.useless for node in network.nodes.values())
    assert useless <= 0.1 * len(network.crossings)


def test_a_herd_at_rest_is_silent() -> None:
    """No payload at all, and of reminders one for each end of a link in a minute."""
    network = warm(6)
    network.run(300)
    assert set(network.sent) == {Have}
    assert network.sent[Have] <= 2 * len(network.edges)


@pytest.mark.parametrize("seed", range(2))
def test_every_single_cut_heals(seed: int) -> None:
    """Whichever link of the tree is cut, the change that follows is everywhere within ticks."""
    network = warm(seed)
    crossings = []
    for edge in eager_edges(network)[:: 3 - seed]:
        network.sever(edge)
        write_at_rest(network, 1)
        network.edges.add(edge)
        network.connect(edge)
        network.run(3)
        crossings.append(len(network.crossings))
        network.forget_counts()
    assert sum(crossings) / len(crossings) <= ENOUGH
    assert not network.broken_rules()


def test_a_cut_in_the_middle_of_a_change_heals() -> None:
    """The change is on its way when the link breaks under it, sooner or later."""
    network = warm(7)
    for moments, edge in enumerate(eager_edges(network)[::5]):
        change = network.write(edge[0])
        network.run_moments(moments)
        network.sever(edge)
        assert network.settle(HEALED) < HEALED
        assert network.everywhere(change)
        network.edges.add(edge)
        network.connect(edge)
        network.run(8)


def test_every_death_heals() -> None:
    """Nodes die one after another and stay dead; the others go on, over a smaller tree."""
    network = warm(8)
    for victim in range(1, NODES):
        if len(network.nodes) <= NODES - 15:
            break
        if stays_connected(network, victim):
            network.remove(victim)
            write_at_rest(network, 1)
    assert len(network.nodes) == NODES - 15
    write_at_rest(network, 5)
    network.forget_counts()
    write_at_rest(network, 10)
    assert len(network.crossings) / 10 <= 1.1 * (len(network.nodes) - 1)


def stays_connected(network: Network, without: int) -> bool:
    """Whether all other nodes can still reach each other."""
    left = set(network.nodes) - {without}
    reached, border = set(), {min(left)}
    while border:
        reached |= border
        beside = {end for edge in network.edges if border & set(edge) for end in edge}
        border = (beside & left) - reached
    return reached == left
