"""What `herdbook verify` has found out about two nodes, and how it says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from service.cli.output import ExitCode, Output, counted, json_text
from service.cli.verify_node import Seen, Violation
from service.cli.verify_repair import Repaired
from service.cli.verify_rows import Difference
from service.cli.verify_tables import Found, Pair

MOST_SHOWN = 100
"""Differing rows that are told one by one."""

_COLUMNS = (
    *("table", "rows in A", "rows in B", "deleted in A", "deleted in B"),
    *("different", "on their way"),
)
_LONGEST_CELL = 60


class Broken(NamedTuple):
    """Rows of a node that break a rule between rows."""

    url: str
    table: str
    violation: Violation


@dataclass
class Verdict:
    """What the comparison of two nodes came to.

    `uncompared` names tables and columns that only one of them has. `repaired` is what was done
    before the comparison.
    """

    pair: Pair
    nodes: tuple[Seen, Seen]
    tables: list[Found] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    uncompared: list[str] = field(default_factory=list)
    repaired: Repaired | None = None

    @property
    def differs(self) -> bool:
        """Whether anything is not as it has to be."""
        return bool(self.broken) or any(one.differences or one.unseen for one in self.tables)

    @property
    def has_rows(self) -> bool:
        """Whether there are rows to be repaired."""
        return any(one.differences for one in self.tables)

    @property
    def moving(self) -> int:
        """How many rows are still on their way."""
        return sum(len(one.moving) for one in self.tables)

    @property
    def exit_code(self) -> ExitCode:
        """How the command ends."""
        if self.differs:
            return ExitCode.DIFFERENCES
        return ExitCode.FAILED if self.moving or self.uncompared else ExitCode.DONE

    @property
    def same_vector(self) -> bool:
        """Whether both nodes had the same changes at the beginning, and none without position."""
        one, other = self.nodes
        return one.vector == other.vector and not (one.unsealed or other.unsealed)


def show(verdict: Verdict, output: Output) -> None:
    """Say it, to people or to programs."""
    output.table(
        _COLUMNS,
        [
            (one.table, *one.living, *one.dead, _count(one), len(one.moving))
            for one in verdict.tables
        ],
    )
    shown = list(islice(_differences(verdict), MOST_SHOWN))
    if shown:
        output.say()
        output.table(("table", "key", "what", "in A", "in B", "versions"), _lines(shown))
    output.result(_document(verdict, shown), "\n".join(["", *_remarks(verdict, len(shown))]))


def _count(found: Found) -> str:
    return f"{len(found.differences)}{' or more' if found.unseen else ''}"


def _differences(verdict: Verdict) -> Iterator[Difference]:
    return (each for one in verdict.tables for each in one.differences)


def _lines(differences: list[Difference]) -> Iterator[tuple[str, ...]]:
    for one in differences:
        key = ", ".join(map(_cell, one.shown)) or one.key
        for part in one.parts:
            versions = " / ".join(part.versions) if any(part.versions) else ""
            yield one.table, key, part.what, _cell(part.ours), _cell(part.theirs), versions


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json_text(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"


def _remarks(verdict: Verdict, shown: int) -> Iterator[str]:
    """Everything that is not in the tables, the verdict last."""
    left = sum(len(one.differences) for one in verdict.tables) - shown
    if left:
        yield counted(left, "more row", "differs", "differ")
    for url, table, violation in verdict.broken:
        some = "; ".join(", ".join(map(_cell, values)) for values in violation.some[:3])
        yield (
            f"{url}: {counted(violation.rows, violation.rule)} in {table} by {violation.name}: "
            f"{', '.join(violation.columns)} = {some}"
        )
    if verdict.repaired is not None:
        yield from _of_repair(verdict.repaired)
    forgotten = sum(one.forgotten for one in verdict.tables)
    if forgotten:
        rows = counted(forgotten, "deleted row", "is", "are")
        yield f"{rows} kept by one node only: the other has pruned what it has not"
    for node, seen in zip(verdict.pair, verdict.nodes, strict=True):
        if seen.held:
            rows = counted(seen.held, "row", "is", "are")
            yield f"{rows} held and not written at {node.url}; what it passes on was compared"
    for name in verdict.uncompared:
        yield f"not compared, since only one node has it: {name}"
    if verdict.moving:
        rows = counted(verdict.moving, "row", "differs", "differ")
        yield (
            f"{rows}: the nodes are still exchanging changes, or are not linked "
            "(`herdbook herd status` tells)"
        )
    yield _conclusion(verdict)


def _of_repair(done: Repaired) -> Iterator[str]:
    yield f"{counted(done.rows, 'row', 'was', 'were')} merged on both nodes"
    if done.left:
        yield (
            f"{counted(done.left, 'row', 'was', 'were')} left as before: what a node cannot read, "
            "or never captured; `herdbook schema recapture` takes in the latter"
        )
    if done.held:
        what = counted(done.held, "row", "was", "were")
        yield f"{what} not taken by a database, and held there"


def _conclusion(verdict: Verdict) -> str:
    if verdict.differs:
        return "The nodes differ." if any(_differences(verdict)) else "A rule is broken."
    if verdict.exit_code is not ExitCode.DONE:
        return "Whether the nodes are equal cannot be told."
    return (
        "The nodes are equal."
        if verdict.same_vector
        else ("The rows are equal, though not all changes have been exchanged.")
    )


def _document(verdict: Verdict, shown: list[Difference]) -> dict[str, object]:
    return {
        "equal": verdict.exit_code is ExitCode.DONE,
        "differs": verdict.differs,
        "same_vector": verdict.same_vector,
        "nodes": [
            _node(node.url, seen) for node, seen in zip(verdict.pair, verdict.nodes, strict=True)
        ],
        "tables": [
            {
                "table": one.table,
                "rows": one.rows,
                "deleted": one.dead,
                "different": len(one.differences),
                "counted": not one.unseen,
                "moving": len(one.moving),
                "forgotten": one.forgotten,
            }
            for one in verdict.tables
        ],
        "differences": [one.as_json() for one in shown],
        "left_out": sum(len(one.differences) for one in verdict.tables) - len(shown),
        "violations": [_violation(one) for one in verdict.broken],
        "uncompared": verdict.uncompared,
        "repaired": None if verdict.repaired is None else verdict.repaired._asdict(),
    }


def _node(url: str, seen: Seen) -> dict[str, object]:
    return {
        "url": url,
        "origin": seen.origin,
        "vector": seen.vector,
        "unsealed": seen.unsealed,
        "held": seen.held,
    }


def _violation(broken: Broken) -> dict[str, object]:
    violation = broken.violation
    return {
        "url": broken.url,
        "table": broken.table,
        "rule": violation.rule,
        "name": violation.name,
        "columns": violation.columns,
        "rows": violation.rows,
        "some": violation.some,
    }
