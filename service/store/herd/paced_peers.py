"""The `peers` ranges, read whenever something was sealed; where there are many, not each time."""

from __future__ import annotations

import time
from collections.abc import Callable

from service.herd.peers import Network
from service.store.herd.siblings import peers
from service.store.transaction import Transaction

QUICK_SECONDS = 0.05
"""What takes no longer is read each time: thousands of ranges."""

SHARE = 20
"""What takes longer is not read again for so many times as long: a twentieth of a thread."""


class PacedPeers:
    """Reads them for one node; one transaction at a time. `now` tells seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: dict[str, tuple[Network, ...]] = {}
        self._good_until = float("-inf")

    def read(self, tx: Transaction) -> dict[str, tuple[Network, ...]]:
        """The blocks of each node, by its name; as of now, or as of when they were read last."""
        begun = self._now()
        if begun >= self._good_until:
            self._known = peers(tx)
            took = self._now() - begun
            self._good_until = begun if took <= QUICK_SECONDS else begun + took * SHARE
        return self._known
