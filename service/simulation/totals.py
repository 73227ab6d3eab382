"""What many seeds came to, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from service.simulation.run import Run


@dataclass
class Totals:
    """Sums over the seeds that were run."""

    seeds: int = 0
    hours: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, ended: Run) -> None:
        """One more seed."""
        self.seeds += 1
        self.hours += ended.hours
        self.counts += ended.world.counts

    def __iadd__(self, other: Totals) -> Totals:
        """The seeds of both."""
        self.seeds += other.seeds
        self.hours += other.hours
        self.counts += other.counts
        return self

    def of(self, name: str) -> int:
        """How often something was counted."""
        return self.counts[name]

    @property
    def faults(self) -> dict[str, int]:
        """How often each thing went wrong."""
        prefix = "fault "
        named = sorted(name for name in self.counts if name.startswith(prefix))
        return {name.removeprefix(prefix): self.counts[name] for name in named}
