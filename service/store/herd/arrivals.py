"""Parts of deltas as they arrive over links; what waits for more of one is kept by link."""

from __future__ import annotations

from threading import Lock

from service.herd.messages import Portion
from service.herd.planning.draft import DeltaRefused
from service.herd.vectors import Vector
from service.herd.waiting_rows import Waiting
from service.store.herd.applier import Applier, Outcome
from service.store.herd.named import Named
from service.store.transaction import Transaction
from service.store.work import Work, Worker


class Arrivals:
    """Applies parts, each in a transaction. What waits is in memory: the vector moves last.

    `apply` belongs to the thread of the worker; links are forgotten from any.
    """

    def __init__(self, applier: Applier) -> None:
        self._applier = applier
        self._waiting: dict[int, Waiting] = {}
        self._named: dict[int, Named] = {}
        # The link of the part that was applied last; None once it is forgotten.
        self._applied: int | None = None
        self._lock = Lock()

    def apply(self, worker: Worker, link: int, portion: Portion) -> Vector:
        """Apply a part, the last one with all that waited; the node's vector after it.

        Raises DeltaRefused, and what a unit of work fails with: nothing is applied then, or as
        much as had not come before when it comes again.
        """
        outcome = worker.run(self.work(link, portion))
        return self.keep(link, portion, outcome)

    def work(self, link: int, portion: Portion) -> Work[Outcome]:
        """The unit of work that applies a part; `keep` is told once it is committed.

        Raises DeltaRefused where the part before it was not kept: what waited of that would be
        missing for good, as the last part moves the vector.
        """
        _number, part, delta = portion
        with self._lock:
            waiting = self._of(link, portion)
            whole = waiting.with_last(delta) if delta.last else delta
            self._applied = link
            named = self._named_of(link, portion)

        def apply(tx: Transaction) -> Outcome:
            if named is not None:
                self._applier.name(tx, delta, named)
            return self._applier.apply(tx, whole, parts_before=part > 0, named=named)

        return apply

    def keep(self, link: int, portion: Portion, outcome: Outcome) -> Vector:
        """Keep what waits for more of the delta; the node's vector."""
        with self._lock:
            if portion.delta.last or self._applied != link:
                self._waiting.pop(link, None)
                self._named.pop(link, None)
            else:
                self._waiting[link] = self._of(link, portion).and_more(outcome.plan)
        return outcome.vector

    def forget(self, link: int) -> None:
        """A link is closed: what waits for more of its delta is dropped."""
        with self._lock:
            self._waiting.pop(link, None)
            self._named.pop(link, None)
            if self._applied == link:
                self._applied = None

    def _named_of(self, link: int, portion: Portion) -> Named | None:
        """What the parts of this snapshot have named so far; None: it is none."""
        if portion.delta.floors is None:
            self._named.pop(link, None)
            return None
        named = self._named.get(link)
        if named is None or named.number != portion.number:
            named = self._named[link] = Named(portion.number)
        return named

    def _of(self, link: int, portion: Portion) -> Waiting:
        """What waits of this delta; of one that broke off nothing is kept."""
        number, part, _delta = portion
        waiting = self._waiting.get(link)
        if part == 0:
            return Waiting(number)
        if waiting is None or waiting.number != number:
            raise DeltaRefused(f"part {part} of delta {number} came, and no part before it")
        return waiting
