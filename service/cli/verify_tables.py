"""How `herdbook verify` finds the rows in which two nodes differ.

tables     sums of all rows, by bucket
buckets    digests of single rows
rows       states, with the versions of their columns

A row that differs counts unless one node has changes of it that the other cannot have yet: they are
on their way, and it is looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, TypeVar

from service.cli.output import CommandFailed
from service.cli.verify_node import AskedNode, Rows, Seen, States
from service.cli.verify_rows import (
    NOT_THERE,
    Difference,
    Part,
    difference_of,
    is_forgotten,
    parts_of,
)
from service.herd.digests import PHANTOM, Sums, compared, digits_for, phantoms

BUCKETS_A_CALL = 500
KEYS_A_CALL = 200
MOST_ROUNDS = 3
"""So often a table is looked through while rows differ by their digests, and not when looked at."""

MOST_ROWS = 200_000
"""Differing rows of a table that are looked at one by one."""

Answer = TypeVar("Answer")
Digests: TypeAlias = tuple[str, str]
"""A row's digests on both nodes."""


class Pair(NamedTuple):
    """The two nodes."""

    ours: AskedNode
    theirs: AskedNode

    def both(self, ask: Callable[[AskedNode, int], Answer]) -> tuple[Answer, Answer]:
        """What both answer, asked at the same time; `ask` is told which one it asks, 0 or 1."""
        with ThreadPoolExecutor(2) as threads:
            first, second = threads.map(ask, self, (0, 1))
        return first, second


@dataclass(frozen=True)
class Task:
    """One table that both nodes have: the columns of both, and about how many rows."""

    table: str
    columns: Mapping[str, str]
    rows: int


@dataclass
class Found:
    """What a table's comparison came to.

    `dead` are those among `rows` that were deleted. `moving` are keys of rows that differ while
    changes of them are on their way, `forgotten` those of dead rows that one node keeps and the
    other has pruned. `unseen` says that there are more differing rows than were looked at.
    """

    table: str
    rows: tuple[int, int] = (0, 0)
    dead: tuple[int, int] = (0, 0)
    differences: list[Difference] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)
    forgotten: int = 0
    unseen: bool = False

    @property
    def living(self) -> tuple[int, int]:
        """The rows without those that were deleted."""
        return self.rows[0] - self.dead[0], self.rows[1] - self.dead[1]


def compare(pair: Pair, task: Task, seed: int) -> Found:
    """Compare one table; raises CommandFailed where that cannot be done.

    Rows whose digests differ and whose states do not have changed in between, unless their digests
    stay as they were.
    """
    suspects: dict[str, Digests] = {}
    found = Found(task.table)
    for turn in range(MOST_ROUNDS):
        found = Found(task.table)
        digests = _differing_rows(pair, task, seed + turn, found)
        alike = look(pair, task, list(digests), found)
        stuck = [key for key in alike if suspects.get(key) == digests[key]]
        found.differences += [
            Difference(task.table, key, [], [Part("digest", *digests[key])]) for key in stuck
        ]
        if stuck or not alike:
            break
        suspects = {key: digests[key] for key in alike}
    return found


def parts(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """So many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def look(pair: Pair, task: Task, keys: Sequence[str], found: Found) -> list[str]:
    """Look at single rows, and sort them into what is found; those that are alike come back."""
    alike: list[str] = []
    for some in parts(keys, KEYS_A_CALL):
        _look(pair, task, some, found, alike)
    return alike


def _look(pair: Pair, task: Task, keys: Sequence[str], found: Found, alike: list[str]) -> None:
    """The first node is asked last, since it has to know what the other had then."""
    vector = pair.ours.states(task.table, keys[:1], {}).vector
    theirs = pair.theirs.states(task.table, keys, vector)
    ours = pair.ours.states(task.table, keys, theirs.vector)
    for one, other in zip(ours.rows, theirs.rows, strict=True):
        unlike = parts_of(one, other, task.columns)
        if not unlike:
            alike.append(one.key)
        elif one.moving or other.moving:
            found.moving.append(one.key)
        elif is_forgotten(one, other) and _has_pruned(ours, theirs, one.state is None):
            found.forgotten += 1
        else:
            found.differences.append(difference_of(task.table, one, other, unlike))


def _has_pruned(ours: States, theirs: States, lacks: bool) -> bool:
    """Whether the node that has nothing of a dead row keeps its changelog from a later start."""
    lacking: Seen = ours if lacks else theirs
    return lacking.horizon > 0


def _differing_rows(pair: Pair, task: Task, seed: int, found: Found) -> dict[str, Digests]:
    """The rows that differ, up to a bound, with their digests on both nodes."""
    buckets, columns = _differing_buckets(pair, task, seed, found), list(task.columns)
    told: dict[str, Digests] = {}
    for some in parts(buckets, _buckets_a_call(buckets, found)):
        ours, theirs = pair.both(_asking_rows(task.table, some, columns))
        told |= _unequal(ours, theirs)
        if len(told) >= MOST_ROWS:
            found.unseen = True
            break
    return told


def _asking_rows(
    table: str, buckets: Sequence[str], columns: Sequence[str]
) -> Callable[[AskedNode, int], Rows]:
    return lambda node, _which: node.rows(table, buckets, columns)


def _differing_buckets(pair: Pair, task: Task, seed: int, found: Found) -> list[str]:
    """The buckets whose sums differ, small enough to be looked into."""
    digits = digits_for(task.rows)
    differing = _buckets_by(pair, task, digits, seed, found)
    # How many rows there are was only estimated.
    wanted = digits_for(max(found.rows))
    if not differing or wanted <= digits:
        return differing
    return _buckets_by(pair, task, wanted, seed, found)


def _buckets_by(pair: Pair, task: Task, digits: int, seed: int, found: Found) -> list[str]:
    """The same, by so many digits. A difference that was planted must be among those found."""
    planted, columns = phantoms(seed), list(task.columns)
    ours, theirs = pair.both(
        lambda node, which: node.digests(task.table, digits, columns, planted[which])
    )
    sums = compared(ours.sums, theirs.sums, len(planted[0]))
    if not sums.sound:
        raise CommandFailed(
            f"the comparison of {task.table} did not find a difference that was planted in it",
            "nothing can be said of these nodes; please report this",
            code="verify.selftest",
        )
    found.rows = (_rows_in(ours.sums), _rows_in(theirs.sums))
    found.dead = (ours.dead, theirs.dead)
    return sums.differing


def _rows_in(sums: Sums) -> int:
    return sum(one.rows for bucket, one in sums.items() if not bucket.startswith(PHANTOM))


def _buckets_a_call(buckets: Sequence[str], found: Found) -> int:
    """So many that their rows fit into an answer."""
    rows = max(found.rows) / 16 ** len(buckets[0]) if buckets else 1
    return max(1, min(BUCKETS_A_CALL, int(50_000 / max(rows, 1))))


def _unequal(ours: Rows, theirs: Rows) -> dict[str, Digests]:
    one, other = dict(ours.rows), dict(theirs.rows)
    keys = sorted(one.keys() | other.keys())
    both = {key: (one.get(key, NOT_THERE), other.get(key, NOT_THERE)) for key in keys}
    return {key: digests for key, digests in both.items() if digests[0] != digests[1]}
