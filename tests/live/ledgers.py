"""Writers that remember what they were promised: an acknowledged write has to be everywhere."""

from __future__ import annotations

import http.client
import random
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from tests.live.herds import LiveHerd
from tests.live.node import CallFailed
from tests.service.store.tools import read

_NOT_DONE = {"server.busy", "server.unavailable"}
_UNKNOWN = "server.outcome_unknown"
_FIRST = 10_000
"""Above the numbers that storms use; each node has as many for itself."""


class Ledger:
    """Cows that only one writer at one node writes, over the API."""

    def __init__(self, herd: LiveHerd, number: int, seed: int) -> None:
        self._herd = herd
        self._number = number
        self._chance = random.Random(f"{seed} ledger {number}")
        self._farm = f"keep{number}"
        self._next = _FIRST * (number + 1)
        self._has_farm = False
        self.promised: dict[int, set[int]] = defaultdict(set)
        """The weights that a cow may have in the end, of those that were surely created."""
        self.acknowledged = 0

    def write(self) -> None:
        """One more write; what is not acknowledged may or may not be there."""
        if not self._has_farm:
            name = f"farm of {self._farm}"
            self._has_farm = self._call("farm.upsert", {"code": self._farm, "name": name}) is True
            return
        weight = self._chance.randrange(1, 1_000_000)
        if self.promised and self._chance.random() < 0.5:
            number = self._chance.choice(list(self.promised))
            done = self._call("cow.update", {"number": number, "weight": weight})
            if done is True:
                self.promised[number] = {weight}
            elif done is None:
                self.promised[number].add(weight)
            return
        self._next += 1
        cow = {"number": self._next, "farm_code": self._farm, "weight": weight}
        if self._call("cow.create", cow) is True:
            self.promised[self._next] = {weight}

    def require_kept(self, database: str) -> None:
        """Everything that was acknowledged is in this database."""
        rows = dict(read(database, "SELECT number, weight FROM cow WHERE number > %s", (_FIRST,)))
        wrong = {
            number: (rows.get(number), weights)
            for number, weights in self.promised.items()
            if rows.get(number) not in weights
        }
        assert wrong == {}, f"acknowledged by node {self._number}, and lost"

    def _call(self, method: str, params: dict[str, object]) -> bool | None:
        """Whether it was done; None where nobody knows."""
        try:
            self._herd.nodes[self._number].call(method, params)
        except CallFailed as failed:
            if failed.code in _NOT_DONE:
                return False
            if failed.code == _UNKNOWN:
                return None
            raise
        except (OSError, http.client.HTTPException, ValueError):
            # The node was killed in the midst of it, or does not run.
            return None
        self.acknowledged += 1
        return True


@contextmanager
def ledgers_kept(herd: LiveHerd, seed: int, pause: float = 0.01) -> Iterator[list[Ledger]]:
    """A writer for each node writes while the block runs; raises what one of them raised."""
    stop = threading.Event()
    failures: list[BaseException] = []
    ledgers = [Ledger(herd, number, seed) for number in range(len(herd.sites))]

    def keep(ledger: Ledger) -> None:
        try:
            while not stop.wait(pause):
                ledger.write()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=keep, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    try:
        yield ledgers
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def require_all_kept(herd: LiveHerd, ledgers: list[Ledger]) -> None:
    """What any node acknowledged is at every node."""
    for ledger in ledgers:
        for site in herd.sites:
            ledger.require_kept(site.database)
