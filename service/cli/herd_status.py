"""`herd.status` for people: a line for each sibling, and what needs somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.cli.output import Output, counted
from service.methods.held_json import DROPPED

_COLUMNS = ("sibling", "state", "lacks", "for", "we lack", "schema", "seen", "why")
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def show_status(found: Mapping[str, Any], output: Output) -> None:
    """Print what a node tells of itself."""
    if output.as_json:
        output.result(found)
        return
    output.say(f"{found['name']} (origin {found['origin']}), {_schema(found['schema'])}")
    for alarm in found["alarms"]:
        output.say(f"ALARM {alarm['code']}: {alarm['text']}")
    for warning in found.get("warnings", ()):
        output.say(f"WARNING {warning['code']}: {warning['text']}")
    for sibling in found["siblings"]:
        _show_clock(sibling, output)
    rows = list(_rows(found))
    if rows:
        output.table(*_without_empty(rows))
    else:
        output.say("no siblings")
    output.say(_held(found["held"]))
    output.say(_journal(found["journal"]))


def _show_clock(sibling: Mapping[str, Any], output: Output) -> None:
    ahead = sibling.get("clock_ahead_seconds")
    if ahead is not None:
        output.say(
            f"CLOCK the last write of {sibling['name']} was stamped {duration(ahead)} ahead of "
            "this node's clock; set the clocks of both by NTP"
        )


def needs_somebody(found: Mapping[str, Any]) -> bool:
    """Whether something is held or an alarm stands."""
    return bool(found["alarms"]) or any(_waiting(found["held"]).values())


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
            sibling["name"] or _place(sibling["address"]),
            _state(sibling),
            _count(sibling["they_lack"]),
            duration(sibling["they_lack_seconds"]),
            _count(sibling.get("we_lack")),
            "same" if same else _schema(other) if other else "",
            (sibling["seen_at"] or "")[:19],
            sibling.get("reason") or "",
        )


def _state(sibling: Mapping[str, Any]) -> str:
    state: str = sibling["state"]
    return f"{state}, retired here" if sibling.get("retired") and state != "retired" else state


def _without_empty(
    rows: Sequence[tuple[object, ...]],
) -> tuple[Sequence[str], Sequence[tuple[object, ...]]]:
    """The columns that say something of any sibling, and the rows with these."""
    kept = [at for at in range(len(_COLUMNS)) if any(row[at] != "" for row in rows)]
    return [_COLUMNS[at] for at in kept], [tuple(row[at] for at in kept) for row in rows]


def _schema(identity: str) -> str:
    """What a node says of its schema: its module, and how many revisions Herdbook's tables have."""
    module, _, number = identity.rpartition(" ")
    return f"records {module}, Herdbook's tables {number}" if module else identity


def _place(address: str | None) -> str:
    return "a unix socket" if address == "unix:" else address or ""


def _count(changes: int | None) -> object:
    return "" if changes is None else changes


def _waiting(held: Mapping[str, int]) -> Mapping[str, int]:
    """How much waits, by reason, without what was given up."""
    return {reason: count for reason, count in held.items() if count and reason != DROPPED}


def _held(held: Mapping[str, int]) -> str:
    there, dropped = _waiting(held), held.get(DROPPED, 0)
    given_up = f"; given up: {counted(dropped, 'row')} (`herdbook held list --reason dropped`)"
    more = given_up if dropped else ""
    if not there:
        return f"held: nothing{more}"
    listed = ", ".join(f"{reason} {count}" for reason, count in there.items())
    rows = counted(sum(there.values()), "row")
    return f"held: {rows} ({listed}); `herdbook held list` tells why{more}"


def _journal(journal: Mapping[str, Any]) -> str:
    more = "among the newest entries " if journal["counted_above"] else ""
    conflicts = counted(journal["conflicts"], "conflict")
    return (
        f"journal: {more}{conflicts}, {counted(journal['repairs'], 'repair')}; "
        f"in the last hour {journal['conflicts_last_hour']} and {journal['repairs_last_hour']}"
    )
