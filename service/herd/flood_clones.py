"""Two running nodes of one origin that both come here, and may never meet each other.

A process that was started again never shows its former run any more. So where of one origin a run
greets, then another, and then the first one again, two nodes are running.
"""

from __future__ import annotations

from typing import NamedTuple

from service.herd.link_actions import Alarm
from service.herd.link_greeting import CLONED, REMEDY, shown
from service.herd.messages import Hello

QUIET_TICKS = 450
"""A minute and a half: three times the longest wait before somebody dials again. Who has not shown
itself for so long is gone, or is another node since."""

MOST_ORIGINS = 256
MOST_RUNS = 4


class _Run(NamedTuple):
    """One start of a node: its name, and the latest link over which it has greeted."""

    name: str
    link: int


class _Proof(NamedTuple):
    """When it was last seen that two run, and what is told of it."""

    tick: int
    alarm: Alarm


class Clones:
    """Who has greeted, by origin. Of those that were heard of longest ago nothing is kept."""

    def __init__(self) -> None:
        self._runs: dict[int, dict[int, _Run]] = {}
        self._proofs: dict[int, _Proof] = {}

    @property
    def present(self) -> list[Alarm]:
        """The origins that two running nodes have, as far as is known."""
        return [proof.alarm for proof in self._proofs.values()]

    def greeted(self, hello: Hello, link: int, now: int) -> Alarm | None:
        """Somebody has greeted. The alarm that stands of its origin since, if there is one."""
        origin = hello.origin
        self._moved(hello)
        runs = self._runs.pop(origin, {})
        other = _between(runs, hello.run, link)
        if other is not None:
            known = self._proofs.get(origin)
            alarm = known.alarm if known else _alarm(origin, other.name, hello.name)
            self._proofs[origin] = _Proof(now, alarm)
        self._runs[origin] = _with(runs, hello, link)
        self._bound()
        proof = self._proofs.get(origin)
        return proof.alarm if proof else None

    def tick(self, now: int) -> None:
        """An interval has passed: what was not seen again for long is over, and begins anew."""
        over = [each for each, proof in self._proofs.items() if now - proof.tick >= QUIET_TICKS]
        for origin in over:
            del self._proofs[origin], self._runs[origin]

    def _moved(self, hello: Hello) -> None:
        """A run that shows another origin has got a new one: it is no copy any more."""
        for origin, runs in self._runs.items():
            if origin != hello.origin and hello.run in runs:
                del runs[hello.run]
                if len(runs) == 1:
                    self._proofs.pop(origin, None)

    def _bound(self) -> None:
        while len(self._runs) > MOST_ORIGINS:
            oldest = next(iter(self._runs))
            del self._runs[oldest]
            self._proofs.pop(oldest, None)


def _between(runs: dict[int, _Run], run: int, link: int) -> _Run | None:
    """Another run that has greeted since this one did before.

    Links are numbered in the order in which they were made; what is said over an older one may
    come later.
    """
    before = runs.get(run)
    if before is None:
        return None
    others = (each for number, each in runs.items() if number != run)
    return next((each for each in others if before.link < each.link < link), None)


def _with(runs: dict[int, _Run], hello: Hello, link: int) -> dict[int, _Run]:
    """The latest runs, and this one."""
    before = runs.get(hello.run)
    latest = max(link, before.link) if before else link
    known = {**runs, hello.run: _Run(hello.name, latest)}
    kept = sorted(known, key=lambda run: known[run].link)[-MOST_RUNS:]
    return {run: known[run] for run in kept}


def _alarm(origin: int, one: str, other: str) -> Alarm:
    names = " and ".join(sorted({shown(one), shown(other)}))
    return Alarm(
        CLONED,
        f"two running nodes show one origin, {origin}: {names}. One is a copy of the other, and"
        f" neither is linked here; {REMEDY}.",
    )
