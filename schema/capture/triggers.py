"""The text of the triggers that capture one table.

What a trigger writes stays when IGNORE lets a statement go on without the row, so whatever a row's
change leaves behind is written after it: before it, only the row itself is touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schema.capture.columns import (
    CLOCK,
    DIED,
    LIFE,
    META,
    NUMBER_BYTES,
    ORIGIN,
    SLOT_BYTES,
    STAMP,
    VERSION_BYTES,
    WRITER,
    WRITER_LENGTH,
    graveyard_of,
    number_bytes,
)
from schema.capture.quoting import listed, literal, quoted
from schema.capture.row_key import key_expression
from schema.capture.shape import BYTES, CASCADE, FLOATING, Capture, CapturedColumn, ChildRule

QUIET = "@herdbook_applying"
"""1 while a session applies what siblings did: the triggers then do nothing. Else NULL or 0."""

PRINCIPAL = "@herdbook_principal"
"""Who a session writes for; where it is NULL, its account is noted."""

MOMENT = "@herdbook_moment"
"""The moment of a deletion of several statements, in microseconds; NULL: that of each statement."""

MENDING = "@herdbook_mending"
"""1 while the sealer gives rows that are born again their lives. Else NULL or 0."""

INBOX = "herdbook_inbox"
TRIGGER_PREFIX = "herdbook_"

TRIGGER_MODE = "STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"
"""The sql_mode in which any value that a table may hold is copied or asked for: also dates that no
calendar has, which laxer sessions write. Nothing is cut."""

NOW = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
WRITTEN_BY = f"LEFT(COALESCE({PRINCIPAL}, CONCAT('sql:', USER())), {WRITER_LENGTH})"
"""The SQL for who writes, as entries and graveyards note it."""

_DIED = "@herdbook_died"
_LIFE_KEPT = f"IF(COALESCE({MENDING}, 0) = 1, NEW.{LIFE}, OLD.{LIFE})"
_ZEROS = f"REPEAT(X'00', {VERSION_BYTES})"


@dataclass(frozen=True)
class Trigger:
    """One trigger, with the rights of its definer.

    Its name holds a digest of all that it is, so a changed one has another name.
    """

    table: str
    timing: str
    event: str
    body: str
    definer: str

    @property
    def name(self) -> str:
        """Unique in the database."""
        whole = f"{self.table}\0{self.timing}\0{self.event}\0{self.body}\0{self.definer}"
        digest = hashlib.sha256(whole.encode()).hexdigest()[:24]
        return f"{TRIGGER_PREFIX}{self.timing[0]}{self.event[0]}_{digest}".lower()

    @property
    def stand_in(self) -> str:
        """The name under which it stands in for a trigger that has its name and is another one."""
        digest = hashlib.sha256(self.name.encode()).hexdigest()[:24]
        return f"{TRIGGER_PREFIX}{self.timing[0]}{self.event[0]}_{digest}".lower()

    @property
    def statement(self) -> str:
        """The SQL that makes it."""
        return self.named(self.name)

    def named(self, name: str) -> str:
        """The SQL that makes it under another name."""
        return (
            f"CREATE TRIGGER `{name}` {self.timing} {self.event} ON {quoted(self.table)} "
            f"FOR EACH ROW\n{self.body}"
        )


def triggers_of(capture: Capture, origin: int, definer: str) -> list[Trigger]:
    """The triggers of one table, on a node with this origin, made by the account `definer`.

    They are made in this order, while others write. A row that met no BEFORE trigger has no life
    yet, and is adopted later; one that met no AFTER trigger, but was given a life, would stay
    unnoted. A deletion is noted first of all, so that no entry tells of a row that went unseen.
    """
    made: list[tuple[str, str, str]] = [
        ("AFTER", "DELETE", _after_delete(capture, origin)),
        ("AFTER", "INSERT", _after_insert(capture, origin)),
        ("AFTER", "UPDATE", _after_update(capture, origin)),
        # To look for a dead row here would cost each insert about a tenth of its speed, and not be
        # exact without locks that keep others from deleting. The life of a key that was used
        # before is set when the birth is sealed.
        ("BEFORE", "INSERT", _birth(origin)),
        ("BEFORE", "UPDATE", _before_update(capture, origin)),
    ]
    if capture.children:
        made.append(("BEFORE", "DELETE", _before_delete(capture)))
    return [
        Trigger(capture.table, timing, event, _unless_quiet(body), definer)
        for timing, event, body in made
    ]


def _unless_quiet(body: str) -> str:
    # Not `IS NULL`: where a trigger runs for the first time in a quiet session, MySQL takes it for
    # settled that the variable is none, and later sessions that share the trigger were quiet too.
    return f"BEGIN\nIF COALESCE({QUIET}, 0) = 0 THEN\n{body}\nEND IF;\nEND"


def _birth(origin: int) -> str:
    return (
        f"SET NEW.{LIFE} = 1, NEW.{STAMP} = {NOW}, NEW.{ORIGIN} = {origin:d}, NEW.{CLOCK} = NULL;"
    )


def _after_insert(capture: Capture, origin: int) -> str:
    """Note the birth; a row without a life came past the trigger before, and is adopted later."""
    return f"IF NEW.{LIFE} <> 0 THEN\n{_note(capture, 'insert', 'NEW', origin)}\nEND IF;"


def _before_update(capture: Capture, origin: int) -> str:
    """Stamp each column that really changes, and all that is written together with it.

    What is usual is asked for first, by one condition.
    """
    changes = ", ".join(
        f"IF({' OR '.join(map(_differs, columns))}, X'{_numbers(columns)}', '')"
        for columns in _written_together(capture)
    )
    changed = _changed_variable(capture)
    return f"""SET {changed} = CONCAT({changes}, '');
IF OLD.{LIFE} <> 0 AND {changed} <> '' AND NOT {_key_differs(capture)} THEN
{_tick(origin, changed)}
ELSEIF OLD.{LIFE} = 0 THEN
{_birth(origin)}
ELSEIF {changed} = '' THEN
SET {_untouched()};
ELSE
{_birth(origin)}
IF {_same_key(capture, "OLD", "NEW")} THEN
SET NEW.{LIFE} = 2 + GREATEST(OLD.{LIFE}, 1 + COALESCE(
(SELECT dead.{LIFE} FROM {quoted(graveyard_of(capture.table))} AS dead
WHERE {_same_key(capture, "dead", "OLD")} FOR UPDATE), 0));
END IF;
SET NEW.{STAMP} = GREATEST(NEW.{STAMP}, OLD.{STAMP} + 2);
END IF;"""


def _written_together(capture: Capture) -> Iterator[list[CapturedColumn]]:
    """The columns, each alone or with all of its group, where the first of them stands."""
    columns = {column.number: column for column in capture.columns}
    groups = {number: group for group in capture.groups for number in group}
    for number in columns:
        group = groups.get(number, (number,))
        if number == group[0]:
            yield [columns[member] for member in group]


def _numbers(columns: Iterable[CapturedColumn]) -> str:
    """The numbers of columns as a clock has them, in hexadecimal digits."""
    return "".join(number_bytes(column.number).hex() for column in columns)


def _untouched() -> str:
    """What a statement writes into the invisible columns by hand does not count."""
    kept = (f"NEW.{name} = OLD.{name}" for name in META if name != LIFE)
    return ", ".join((f"NEW.{LIFE} = {_LIFE_KEPT}", *kept))


def _tick(origin: int, changed: str) -> str:
    """Write the new version of each changed column into the clock.

    Most updates change one column that was changed before. Its slot is written over by a single
    statement: going through all that changed takes ten, and on MariaDB each of them costs.
    """
    at = f"LOCATE({changed}, OLD.{CLOCK}, {VERSION_BYTES + 1})"
    return f"""SET NEW.{LIFE} = {_LIFE_KEPT}, NEW.{STAMP} = GREATEST({NOW}, OLD.{STAMP} + 1),
NEW.{ORIGIN} = {origin:d};
IF LENGTH({changed}) = {NUMBER_BYTES} AND {at} % {SLOT_BYTES} = {VERSION_BYTES + 1} THEN
SET NEW.{CLOCK} = {_slot_written(f"OLD.{CLOCK}", at, origin)};
ELSE
{_tick_each(origin, changed)}
END IF;"""


def _tick_each(origin: int, changed: str) -> str:
    """Go through the changed columns; a slot that is not there yet is added at the end.

    Variables are few: to make room for each costs about as much as to run a statement.
    """
    number = f"SUBSTRING({changed}, i, {NUMBER_BYTES})"
    born = _version(f"OLD.{STAMP}", f"UNHEX(LPAD(HEX(OLD.{ORIGIN}), 8, '0'))")
    return f"""BEGIN
DECLARE clock BLOB DEFAULT COALESCE(OLD.{CLOCK}, {born});
DECLARE i, at INT DEFAULT 1;
WHILE i < LENGTH({changed}) DO
SET at = LOCATE({number}, clock, {VERSION_BYTES + 1});
WHILE at > 0 AND (at - {VERSION_BYTES + 1}) % {SLOT_BYTES} <> 0 DO
SET at = LOCATE({number}, clock, at + 1);
END WHILE;
IF at = 0 THEN
SET clock = CONCAT(clock, {number}, {_version(f"NEW.{STAMP}", f"X'{origin:08X}'")},
IF(SUBSTRING(clock, 9, 4) = X'{origin:08X}', {_ZEROS}, LEFT(clock, {VERSION_BYTES})));
ELSE
SET clock = {_slot_written("clock", "at", origin)};
END IF;
SET i = i + {NUMBER_BYTES};
END WHILE;
SET NEW.{CLOCK} = clock;
END;"""


def _slot_written(clock: str, at: str, origin: int) -> str:
    """The SQL for a clock with the new version in the slot that begins at `at`."""
    return f"""INSERT({clock}, {at} + {NUMBER_BYTES}, {2 * VERSION_BYTES}, CONCAT(
{_version(f"NEW.{STAMP}", f"X'{origin:08X}'")},
SUBSTRING({clock}, {at} + IF(SUBSTRING({clock}, {at} + 10, 4) = X'{origin:08X}', 14, 2), 12)))"""


def _after_update(capture: Capture, origin: int) -> str:
    """Note what changed. Every change has raised the stamp.

    A row whose key changes dies under the old key and is born under the new one. Where the
    collation takes both for the same, they are one place in the tables, and nothing is buried.
    """
    return f"""IF NEW.{STAMP} <> OLD.{STAMP} THEN
IF OLD.{LIFE} = 0 THEN
{_note(capture, "insert", "NEW", origin)}
ELSEIF NOT {_key_differs(capture)} THEN
{_note(capture, "update", "NEW", origin, fields=_changed_variable(capture))}
ELSEIF TRUE{_really_done(capture)} THEN
SET {_DIED} = NEW.{LIFE} - 1;
IF NOT ({_same_key(capture, "OLD", "NEW")}) THEN
{_bury(capture)}
END IF;
{_note(capture, "delete", "OLD", origin, _DIED)}
{_note(capture, "insert", "NEW", origin)}
END IF;
END IF;"""


def _really_done(capture: Capture) -> str:
    """MariaDB comes here also with a row that UPDATE IGNORE has left as it was.

    Such a row still stands where it stood, and must not be buried. Elsewhere an entry for it does
    no harm, and to look would cost every update a tenth of its speed. Only MariaDB reads what is
    in this comment.
    """
    return (
        f"/*M! AND NOT (OLD.{STAMP} <=> (SELECT this.{STAMP} FROM {quoted(capture.table)} AS this "
        f"WHERE {_same_key(capture, 'this', 'OLD')}))*/"
    )


def _after_delete(capture: Capture, origin: int) -> str:
    """Put the whole row into the graveyard and note its death."""
    return f"{_bury(capture)}\n{_note(capture, 'delete', 'OLD', origin, _DIED)}"


def _before_delete(capture: Capture) -> str:
    """The children go first, or let go: a foreign key is checked at once."""
    return "\n".join(_children_statement(rule) for rule in capture.children)


def _children_statement(rule: ChildRule) -> str:
    pairs = zip(rule.columns, rule.parent_columns, strict=True)
    match = " AND ".join(f"{quoted(here)} = OLD.{quoted(there)}" for here, there in pairs)
    if rule.on_delete == CASCADE:
        return f"DELETE FROM {quoted(rule.table)} WHERE {match};"
    assigned = ", ".join(f"{quoted(column)} = NULL" for column in rule.columns)
    return f"UPDATE {quoted(rule.table)} SET {assigned} WHERE {match};"


def _bury(capture: Capture) -> str:
    """Put the row into the graveyard; the variable holds then the life it is dead with.

    A dead row that is still there belongs to the life before: the birth in between is not sealed.
    It is met by writing, and read back as this session's own, because what a session merely reads
    may be older than the row it deletes.
    """
    grave = quoted(graveyard_of(capture.table))
    names = [column.name for column in capture.columns]
    died = f"OLD.{LIFE} + IF(OLD.{LIFE} = 0, 2, 1)"
    values = {
        **{name: f"OLD.{quoted(name)}" for name in names},
        LIFE: died,
        **{name: f"OLD.{name}" for name in (STAMP, ORIGIN, CLOCK)},
        # MySQL reads a variable that a session does not have as 0 and not as NULL, where it was a
        # number when the trigger ran for the first time.
        DIED: f"COALESCE(NULLIF({MOMENT}, 0), {NOW})",
        WRITER: WRITTEN_BY,
    }
    again = values | {LIFE: f"GREATEST({died}, {grave}.{LIFE} + 2)"}
    assigned = ", ".join(f"{quoted(name)} = {value}" for name, value in again.items())
    return (
        f"INSERT INTO {grave} ({listed(values)})\nVALUES ({', '.join(values.values())})\n"
        f"ON DUPLICATE KEY UPDATE {assigned};\n"
        f"SET {_DIED} = (SELECT dead.{LIFE} FROM {grave} AS dead "
        f"WHERE {_same_key(capture, 'dead', 'OLD')});"
    )


def _note(
    capture: Capture, kind: str, row: str, origin: int, life: str = "", fields: str = "NULL"
) -> str:
    """Write one entry; `row` is OLD or NEW."""
    stamp = NOW if kind == "delete" else f"NEW.{STAMP}"
    return (
        f"INSERT INTO `{INBOX}` (`table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, "
        f"`stamp`, `writer`)\nVALUES ({literal(capture.table)}, "
        f"{key_expression(capture.key, row)}, '{kind}', {fields}, {life or f'NEW.{LIFE}'}, "
        f"{origin:d}, {stamp}, {WRITTEN_BY});"
    )


def _version(stamp: str, origin: str) -> str:
    """The SQL for a version; `origin` gives bytes."""
    return f"CONCAT(UNHEX(LPAD(HEX({stamp}), 16, '0')), {origin})"


def _changed_variable(capture: Capture) -> str:
    """Carries the changed columns from before a row's update to after it.

    Each table has its own: a trigger of the application's may write to another table in between.
    """
    return f"@herdbook_{hashlib.sha256(capture.table.encode()).hexdigest()[:16]}"


def _same_key(capture: Capture, row: str, other: str) -> str:
    """Whether the server takes the keys of two rows for the same.

    Names stand with their rows: a bare one could be that of a variable.
    """
    names = [quoted(part.name) for part in capture.key]
    return " AND ".join(f"{row}.{name} = {other}.{name}" for name in names)


def _key_differs(capture: Capture) -> str:
    """Whether any byte of the key differs."""
    parts = {part.name for part in capture.key}
    columns = [column for column in capture.columns if column.name in parts]
    return "(" + " OR ".join(_differs(column) for column in columns) + ")"


def _differs(column: CapturedColumn) -> str:
    """The SQL for "this column really changes"."""
    old, new = f"OLD.{quoted(column.name)}", f"NEW.{quoted(column.name)}"
    if column.comparison == BYTES:
        return f"NOT (CAST({old} AS BINARY) <=> CAST({new} AS BINARY))"
    if column.comparison == FLOATING:
        signs = f"CAST({old} AS CHAR) <=> CAST({new} AS CHAR)"
        return f"(NOT ({old} <=> {new}) OR ({old} = 0 AND NOT ({signs})))"
    return f"NOT ({old} <=> {new})"
