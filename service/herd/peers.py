"""From which addresses the links of a node come: its ranges with the purpose `peers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from service.addresses import plain


class Network(NamedTuple):
    """A block of addresses: the version of IP, and its first and last address as numbers."""

    version: int
    first: int
    last: int


class Peers(NamedTuple):
    """The blocks of each node that has any, by its name.

    `required`: a node that has none may come from nowhere; else from anywhere.
    """

    blocks: Mapping[str, tuple[Network, ...]]
    required: bool = False

    def take(self, name: str, address: str) -> bool:
        """Whether a node's link may come from an address; one that cannot be read is no address."""
        blocks = self.blocks.get(name)
        if blocks is None:
            return not self.required
        try:
            parsed = plain(address)
        except ValueError:
            return False
        version, number = parsed.version, int(parsed)
        return any(at == version and first <= number <= last for at, first, last in blocks)


EVERYWHERE: Mapping[str, tuple[Network, ...]] = {}
"""No node has any."""

ANYWHERE = Peers(EVERYWHERE)
