"""Whatever happens to a small herd, in the end all nodes have everything.

The network itself asserts at every step: nothing is said that is not committed, no delta is applied
above a gap, nothing below a vector is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from service.herd.link_roles import Manner
from tests.service.herd.network import TICK, Faults, Network, ring_with_chords

LONG = 500
"""Ticks in which a herd with every fault and a part for each entry comes to rest."""

Step = tuple[str, int, int]
"""What happens, to whom, and how many moments pass before the next."""

STEPS = ("write", "write many", "cut", "kill", "start", "connect")


def write(network: Network, pick: int) -> None:
    """A change at some node that runs."""
    up = running(network)
    if up:
        network.write(up[pick % len(up)])


def write_many(network: Network, pick: int) -> None:
    """More than one delta part's worth of them."""
    for _ in range(12):
        write(network, pick)


def cut(network: Network, pick: int) -> None:
    """A connection breaks, to be made again."""
    wires = sorted(network.wires(), key=lambda wire: (wire.edge, sorted(wire.ends.values())))
    if wires:
        network.cut(wires[pick % len(wires)])


def kill(network: Network, pick: int) -> None:
    """A process ends between any two of its steps."""
    up = running(network)
    if up:
        network.kill(up[pick % len(up)])


def start(network: Network, pick: int) -> None:
    """A process that ended is started again."""
    down = sorted(set(network.nodes) - set(running(network)))
    if down:
        network.start(down[pick % len(down)])


def connect(network: Network, pick: int) -> None:
    """A second connection between two nodes."""
    edges = [edge for edge in sorted(network.edges) if set(edge) <= set(running(network))]
    if edges:
        network.connect(edges[pick % len(edges)])


DO: Mapping[str, Callable[[Network, int], None]] = {
    "write": write,
    "write many": write_many,
    "cut": cut,
    "kill": kill,
    "start": start,
    "connect": connect,
}


def running(network: Network) -> list[int]:
    """The nodes that run."""
    return [origin for origin, process in network.processes.items() if process.alive]


faults = st.builds(
    Faults,
    apply_fails=st.sampled_from((0.0, 0.2, 0.5)),
    build_fails=st.sampled_from((0.0, 0.2)),
    repeats=st.sampled_from((0.0, 0.3)),
)
steps = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 99), st.integers(0, 5 * TICK)),
    min_size=15,
    max_size=50,
)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(2, 7),
    manner=st.sampled_from(Manner),
    part_size=st.sampled_from((1, 3, 1000)),
    faults=faults,
    steps=steps,
)
def test_in_the_end_all_have_everything(
    seed: int, size: int, manner: Manner, part_size: int, faults: Faults, steps: list[Step]
) -> None:
    """In every manner, with cuts, crashes, failures and repeats, and no rule broken on the way."""
    edges = ring_with_chords(size, 3, seed)
    network = Network(range(1, size + 1), edges, seed, manner, part_size, faults)
    network.run(3)
    for name, pick, moments in steps:
        DO[name](network, pick)
        network.run_moments(moments)
    for _ in network.nodes:
        start(network, 0)
    network.faults = Faults()
    network.run(1)
    assert network.settle(LONG) < LONG
    assert not network.broken_rules()
    assert all(
        network.everywhere(change) for node in network.nodes.values() for change in node.entries
    )
