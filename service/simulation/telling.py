"""A story in words: what each node did, in order, up to the rule that broke."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from records.stamps import Version
from records.states import RowState
from service.herd.deltas import DeltaRow, LogEntry
from service.herd.journal import JournalEntry
from service.herd.planning.plan import Plan
from service.herd.shapes import Place
from service.simulation.clock import START
from service.simulation.durable import name_of
from service.simulation.run import Run
from service.simulation.story import Applied, Event, Happened, Moment, Read, Retried, Sealed, Wrote
from service.simulation.timeline import SECOND

Chosen = Collection[Place] | None
"""The rows that are told of; None: all."""


def told(ended: Run, whole: bool = False) -> list[str]:
    """The lines of a seed's story; only of the rows in question, unless the whole is wanted."""
    broken = ended.broken
    chosen = None if whole or broken is None or not broken.places else set(broken.places)
    lines = [f"seed {ended.seed}: {_herd(ended)}"]
    for moment in ended.world.story:
        lines += _lines_of(moment, chosen)
    if broken is not None:
        lines.append(f"{_time(ended.world.timeline.now)}  broken: {broken}")
    for place in sorted(chosen or (), key=repr):
        lines += _in_the_end(ended, place)
    return lines


def _herd(ended: Run) -> str:
    setting = ended.world.setting
    links = " ".join(f"{chr(65 + one)}-{chr(65 + other)}" for one, other in setting.edges)
    rules = ", ".join(
        f"{reference.name} {reference.on_delete}"
        for shape in setting.shapes.values()
        for reference in shape.references
    )
    faults = ", ".join(setting.faults) or "none"
    return (
        f"{setting.nodes} nodes, links {links} ({setting.manner.value}), parts of"
        f" {setting.most_rows} rows; {rules}; faults: {faults}"
    )


def _lines_of(moment: Moment, chosen: Chosen) -> Iterator[str]:
    head = f"{_time(moment.now)}  {moment.node}  "
    for text in _TOLD[type(moment.event)](moment.event, chosen):
        yield head + text


def _time(now: int) -> str:
    seconds, moments = divmod(now, SECOND)
    return f"{seconds // 60:3}:{seconds % 60:02}.{moments:03}"


def _wrote(event: Wrote, chosen: Chosen) -> Iterator[str]:
    for place, before, after in event.rows:
        if _is_chosen(place, chosen):
            yield f"writes {_row(place)}: {_change(before, after)}"


def _change(before: RowState | None, after: RowState) -> str:
    """What became of a row."""
    if not after.alive:
        return f"deletes it, life {after.life}"
    if before is None or before.life != after.life:
        values = " ".join(f"{column}={value!r}" for column, value in after.values.items())
        return f"inserts {values}, life {after.life} {_version(after.born)}"
    return " ".join(
        f"{column}={value!r} {_version(after.version(column))}"
        for column, value in after.values.items()
        if after.version(column) != before.version(column)
    )


def _sealed(event: Sealed, chosen: Chosen) -> Iterator[str]:
    entries = [entry for entry in event.entries if _is_chosen(entry.place, chosen)]
    if entries:
        yield "seals " + ", ".join(map(_entry, entries))


def _entry(entry: LogEntry) -> str:
    columns = "".join(f" {column}" for column in entry.columns)
    return f"{_row(entry.place)} {entry.kind}{columns} at {name_of(entry.origin)}:{entry.position}"


def _read(event: Read, chosen: Chosen) -> Iterator[str]:
    if chosen is None:
        rows = ", ".join(_row(row.place) for row in event.delta.rows)
        yield f"reads a delta for link {event.link}: {rows or 'no rows'}"


def _applied(event: Applied, chosen: Chosen) -> Iterator[str]:
    delta, plan = event.delta, event.plan
    rows = [row for row in delta.rows if _is_chosen(row.place, chosen)]
    repaired = {entry.place for entry in plan.noted if _is_chosen(entry.place, chosen)}
    lost = [entry for entry in plan.journal if _is_chosen(entry.place, chosen)]
    if not rows and not repaired and not lost:
        return
    last = ", the last" if delta.last else ""
    yield (
        f"applies part {event.part}{last} of delta {event.number} from {name_of(delta.sender)},"
        f" which has {_vector(delta.covers)}"
    )
    waiting = {row.place for row in plan.waiting}
    for row in rows:
        if row.place in waiting:
            yield f"  {_row(row.place)} waits"
        elif row.place not in plan.rows:
            yield f"  {_row(row.place)} stays as it is"
        else:
            yield f"  {_row(row.place)} {_came(row)}"
            yield f"    becomes {_state(plan.rows[row.place])}"
    yield from _outcome(plan, chosen)


def _retried(event: Retried, chosen: Chosen) -> Iterator[str]:
    plan = event.plan
    places = [place for place in plan.rows.keys() | plan.released if _is_chosen(place, chosen)]
    if places or any(_is_chosen(held.row.place, chosen) for held in plan.held):
        yield "tries again what it holds"
        for place in sorted(places, key=repr):
            becomes = _state(plan.rows[place]) if place in plan.rows else "as it is"
            yield f"  {_row(place)} is {becomes}"
        yield from _outcome(plan, chosen)


def _outcome(plan: Plan, chosen: Chosen) -> Iterator[str]:
    """What a plan holds, repairs and puts aside."""
    for held in plan.held:
        if _is_chosen(held.row.place, chosen):
            yield f"  holds {_row(held.row.place)} ({held.text}): {_state(held.row.state)}"
    for place in sorted({entry.place for entry in plan.noted}, key=repr):
        if _is_chosen(place, chosen):
            yield f"  repairs {_row(place)}: {_state(plan.rows[place])}"
    for line in sorted(_lost(entry) for entry in plan.journal if _is_chosen(entry.place, chosen)):
        yield f"  {line}"


def _came(row: DeltaRow) -> str:
    return f"came {'whole' if row.whole else 'in part'}: {_state(row.state)}"


def _lost(entry: JournalEntry) -> str:
    values = " ".join(
        f"{loss.column}={loss.value!r} {_version(loss.version)}" for loss in entry.losses
    )
    return f"journal, {entry.rule}: {_row(entry.place)} life {entry.life} {values}".rstrip()


def _happened(event: Happened, chosen: Chosen) -> Iterator[str]:
    if event.weighty or chosen is None:
        yield event.text


def _in_the_end(ended: Run, place: Place) -> Iterator[str]:
    yield f"{_row(place)} in the end:"
    for node in ended.nodes:
        state = node.tables.states.get(place)
        yield f"  {node.name} at {_vector(node.known)}: {_state(state)}"


def _is_chosen(place: Place, chosen: Chosen) -> bool:
    return chosen is None or place in chosen


def _row(place: Place) -> str:
    return f"{place[0]} {','.join(map(str, place[1]))}"


def _vector(vector: Mapping[int, int]) -> str:
    return " ".join(f"{name_of(origin)}:{vector[origin]}" for origin in sorted(vector))


def _version(version: Version) -> str:
    """Seconds since the first moment, and who wrote."""
    return f"@{(version.stamp - START) / 1_000_000:.6f}{name_of(version.origin)}"


def _state(state: RowState | None) -> str:
    if state is None:
        return "not there"
    slots = state.slots
    values = " ".join(
        f"{column}={value!r}{_version(slots[column].version) if column in slots else ''}"
        for column, value in state.values.items()
    )
    lives = "live" if state.alive else "dead"
    return f"{lives}, life {state.life} {_version(state.born)} {values}"


_TOLD: Mapping[type[Event], Callable[[Any, Chosen], Iterable[str]]] = {
    Wrote: _wrote,
    Sealed: _sealed,
    Read: _read,
    Applied: _applied,
    Retried: _retried,
    Happened: _happened,
}
