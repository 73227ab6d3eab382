"""Which claims cannot stand beside each other on one node."""

from __future__ import annotations

import pytest
from netaddr import IPNetwork

from service.herd.blocks import Claim, in_the_way


def claim(node: str, purpose: str, block: str) -> Claim:
    """A claim."""
    return Claim(node, purpose, IPNetwork(block))


WANTED = claim("barn", "serves", "10.0.0.0/16")
POOL = claim("barn", "pool", "10.0.0.0/16")


@pytest.mark.parametrize(
    ("wanted", "known", "refused"),
    [
        (WANTED, claim("barn", "serves", "10.0.0.0/16"), True),
        (WANTED, claim("barn", "serves", "10.0.3.0/24"), True),
        (WANTED, claim("barn", "serves", "10.0.0.0/8"), True),
        (WANTED, claim("barn", "serves", "10.1.0.0/16"), False),
        (WANTED, claim("barn", "peers", "10.0.0.0/16"), False),
        (WANTED, claim("stall", "serves", "10.0.0.0/16"), False),
        (POOL, claim("stall", "pool", "10.0.3.0/24"), True),
        (POOL, claim("stall", "pool", "10.1.0.0/16"), False),
        (POOL, claim("stall", "serves", "10.0.0.0/16"), False),
    ],
)
def test_a_purpose_is_disjoint_on_a_node_and_pools_are_everywhere(
    wanted: Claim, known: Claim, refused: bool
) -> None:
    """The claim in the way is told."""
    assert in_the_way(wanted, [known]) == (known if refused else None)


def test_a_claim_is_told_in_words() -> None:
    """Block, purpose and node."""
    assert str(POOL) == "10.0.0.0/16 (pool of node barn)"
