"""Whether capture is what it should be: its triggers, its definer, and what goes past it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from schema.capture.catalogue import FoundTrigger, columns_of, hidden_among, triggers_in
from schema.capture.columns import META, graveyard_of
from schema.capture.install import origin_of, recorded_in
from schema.capture.shape import Capture
from schema.capture.triggers import Trigger, triggers_of
from schema.connection import error_code

_MAY_NOT_READ = frozenset({1044, 1142, 1143, 1146, 1227})
_HARMLESS_RULES = ("NO ACTION", "RESTRICT")

_ENGINES = text(
    "SELECT table_name, engine FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
)
_FOREIGN_KEYS = text(
    "SELECT constraint_schema = DATABASE(), constraint_schema, constraint_name, table_name, "
    "referenced_table_name, delete_rule, update_rule "
    "FROM information_schema.referential_constraints "
    "WHERE constraint_schema = DATABASE() OR unique_constraint_schema = DATABASE()"
)
_ACCOUNT = text("SELECT 1 FROM mysql.user WHERE User = :user AND Host = :host")

UNSEEN = "this account lacks the TRIGGER privilege"
"""How a finding begins that says what could not be looked at, and not what is wrong."""


@dataclass(frozen=True)
class Captured:
    """One captured table: what is noted of it, what it needs, and what the server shows.

    `hidden` are triggers that are there and that this account may not see.
    """

    capture: Capture
    definer: str
    wanted: Mapping[str, Trigger]
    found: tuple[FoundTrigger, ...]
    hidden: frozenset[str]

    @property
    def table(self) -> str:
        """The table's name."""
        return self.capture.table

    @property
    def ours(self) -> tuple[FoundTrigger, ...]:
        """Those of the triggers found that belong to capture."""
        return tuple(trigger for trigger in self.found if trigger.is_ours)

    @property
    def missing(self) -> frozenset[str]:
        """The triggers that are needed and not there."""
        shown = {trigger.name for trigger in self.found}
        return frozenset(self.wanted) - shown - self.hidden


def read_captured(connection: Connection) -> list[Captured]:
    """All captured tables that are there, by name."""
    origin = origin_of(connection)
    tables = columns_of(connection)
    shown: dict[str, list[FoundTrigger]] = {}
    for trigger in triggers_in(connection):
        shown.setdefault(trigger.table, []).append(trigger)
    read = []
    for name, (capture, definer) in sorted(recorded_in(connection).items()):
        if name in tables:
            wanted = {made.name: made for made in triggers_of(capture, origin, definer)}
            found = tuple(shown.get(name, ()))
            unseen = wanted.keys() - {trigger.name for trigger in found}
            hidden = hidden_among(connection, sorted(unseen))
            read.append(Captured(capture, definer, wanted, found, hidden))
    return read


def stale_captures(captured: Iterable[Captured]) -> Iterator[str]:
    """The tables whose triggers are missing, or not those that this code makes."""
    for one in captured:
        if not one.missing:
            continue
        if not one.ours and not one.hidden:
            yield f"the capture of table {one.table} has lost its triggers"
        else:
            lost = [one.wanted[name] for name in sorted(one.missing)]
            yield (
                f"the capture of table {one.table} is stale: {len(lost)} of its {len(one.wanted)} "
                "triggers are missing, or those of another release: "
                f"{', '.join(f'{made.timing} {made.event}' for made in lost)}"
            )


def changed_triggers(captured: Iterable[Captured]) -> Iterator[str]:
    """The triggers that have the right name and are not what they are to be."""
    for one in captured:
        for trigger in one.ours:
            wanted = one.wanted.get(trigger.name)
            if wanted is not None and trigger.differs_from(wanted):
                yield f"trigger {trigger.name} of table {one.table} was changed by hand"


def without_all(captured: Iterable[Captured]) -> Iterator[str]:
    """The tables that lack a trigger altogether, or where one is another: some writes go unseen."""
    for one in captured:
        good = {
            (trigger.timing, trigger.event)
            for trigger in one.ours
            if trigger.name not in one.wanted or not trigger.differs_from(one.wanted[trigger.name])
        }
        hidden = {one.wanted[name] for name in one.hidden}
        seen = good | {(trigger.timing, trigger.event) for trigger in hidden}
        if not {(trigger.timing, trigger.event) for trigger in one.wanted.values()} <= seen:
            yield one.table


def findings(connection: Connection) -> list[str]:
    """Everything about capture that is not as it should be, in words; full of rows or not."""
    captured = read_captured(connection)
    lines = [*stale_captures(captured), *changed_triggers(captured)]
    for one in captured:
        lines += [*_wrong_triggers(one), *_late_triggers(one)]
    return [
        *lines,
        *_unreadable(captured),
        *_lost_definers(connection, captured),
        *_lost_columns(columns_of(connection), captured),
        *_cascades(connection, captured),
        *_engines(connection, captured),
    ]


def _wrong_triggers(one: Captured) -> Iterator[str]:
    """Triggers of ours that do not belong there, or run with the rights of somebody else."""
    for trigger in one.ours:
        where = f"trigger {trigger.name} of table {one.table}"
        wanted = one.wanted.get(trigger.name)
        if wanted is None:
            yield f"{where} belongs to another capture than the one that is noted"
            continue
        if trigger.definer not in ("", one.definer):
            yield f"{where} has the definer {trigger.definer}, and {one.definer} is noted"


def _late_triggers(one: Captured) -> Iterator[str]:
    """Triggers of the application's that change a row after ours have looked at it."""
    for trigger in one.found:
        if trigger.is_ours or trigger.timing != "BEFORE" or trigger.event == "DELETE":
            continue
        before = [
            ours for ours in one.ours if (ours.timing, ours.event) == ("BEFORE", trigger.event)
        ]
        if any(ours.order < trigger.order for ours in before):
            yield (
                f"trigger {trigger.name} of table {one.table} runs after Herdbook's, so what it "
                f"changes is not noted; make it anew with PRECEDES {before[0].name}"
            )


def _unreadable(captured: Iterable[Captured]) -> Iterator[str]:
    tables = [
        one.table
        for one in captured
        if one.hidden or any(trigger.body is None for trigger in one.ours)
    ]
    if tables:
        yield (
            f"{UNSEEN}, so nobody can say whether the triggers are unchanged of: "
            f"{', '.join(tables)}"
        )


def _lost_definers(connection: Connection, captured: Iterable[Captured]) -> Iterator[str]:
    """Accounts that own triggers and are gone: every write fails."""
    for definer in sorted({one.definer for one in captured}):
        user, _, host = definer.rpartition("@")
        try:
            there = connection.execute(_ACCOUNT, {"user": user, "host": host}).first()
        except DBAPIError as error:
            if error_code(error) in _MAY_NOT_READ:
                return
            raise
        if there is None:
            yield (
                f"the account {definer} owns triggers of capture and does not exist: every write "
                "to their tables fails"
            )


def _lost_columns(tables: Mapping[str, set[str]], captured: Iterable[Captured]) -> Iterator[str]:
    """Columns that triggers name and that are gone."""
    for one in captured:
        for column in one.capture.columns:
            if column.name not in tables[one.table]:
                yield (
                    f"column {one.table}.{column.name} is captured and is gone: every write to the "
                    "table fails"
                )
            elif column.name not in tables.get(graveyard_of(one.table), ()):
                yield (
                    f"the graveyard of table {one.table} lacks column {column.name}: every "
                    "deletion from the table fails"
                )
        lost = [name for name in META if name not in tables[one.table]]
        if lost:
            yield f"table {one.table} lacks {', '.join(lost)}: every write to it fails"


def _cascades(connection: Connection, captured: Iterable[Captured]) -> Iterator[str]:
    """Foreign keys by which the server changes rows without any trigger."""
    names = {one.table for one in captured}
    keys = sorted(connection.execute(_FOREIGN_KEYS), key=lambda row: tuple(row[1:4]))
    for here, schema, key, table, parent, deleted, updated in keys:
        if parent not in names and not (here and table in names):
            continue
        rules = [
            f"ON {event} {rule}"
            for event, rule in (("DELETE", deleted), ("UPDATE", updated))
            if rule not in _HARMLESS_RULES
        ]
        if rules:
            child = table if here else f"{schema}.{table}"
            yield (
                f"foreign key {key} of table {child} does {' and '.join(rules)} by itself, which "
                "no trigger sees; make it NO ACTION"
            )


def _engines(connection: Connection, captured: Iterable[Captured]) -> Iterator[str]:
    engines = {str(table): engine for table, engine in connection.execute(_ENGINES)}
    for one in captured:
        for table in (one.table, graveyard_of(one.table)):
            engine = engines.get(table)
            if engine not in (None, "InnoDB"):
                yield f"table {table} is kept by {engine}, which has no transactions; use InnoDB"
