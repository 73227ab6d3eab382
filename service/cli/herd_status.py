"""`herd.status` for people: a line for each sibling, and what needs somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service.cli.output import Output

_COLUMNS = ("sibling", "state", "lacks", "for", "we lack", "schema", "seen", "why")
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def show_status(found: Mapping[str, Any], output: Output) -> None:
    """Print what a node tells of itself."""
    if output.as_json:
        output.result(found)
        return
    output.say(f"{found['name']} (origin {found['origin']}), schema {found['schema']}")
    for alarm in found["alarms"]:
        output.say(f"ALARM {alarm['code']}: {alarm['text']}")
    rows = list(_rows(found))
    if rows:
        output.table(_COLUMNS, rows)
    else:
        output.say("no siblings")
    output.say(_held(found["held"]))
    output.say(_journal(found["journal"]))


def needs_somebody(found: Mapping[str, Any]) -> bool:
    """Whether something is held or an alarm stands."""
    return bool(found["alarms"]) or any(found["held"].values())


def duration(seconds: float | None) -> str:
    """A duration as people say it."""
    if seconds is None:
        return ""
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _rows(found: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for sibling in found["siblings"]:
        other = sibling.get("schema")
        same = other is not None and other == found["schema"]
        yield (
            sibling["name"] or sibling["address"],
            sibling["state"],
            _count(sibling["they_lack"]),
            duration(sibling["they_lack_seconds"]),
            _count(sibling.get("we_lack")),
            "same" if same else other or "",
            (sibling["seen_at"] or "")[:19],
            sibling.get("reason") or "",
        )


def _count(changes: int | None) -> object:
    return "" if changes is None else changes


def _held(held: Mapping[str, int]) -> str:
    there = {reason: count for reason, count in held.items() if count}
    if not there:
        return "held: nothing"
    listed = ", ".join(f"{count} {reason}" for reason, count in there.items())
    return f"held: {listed}; `herdbook held list` tells why"


def _journal(journal: Mapping[str, Any]) -> str:
    more = "among the newest entries " if journal["counted_above"] else ""
    return (
        f"journal: {more}{journal['conflicts']} conflicts, {journal['repairs']} repairs; "
        f"in the last hour {journal['conflicts_last_hour']} and {journal['repairs_last_hour']}"
    )
