"""Looks through all rows for what no trigger saw, with little memory however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, ForeignKeyConstraint, Table, text

from records.kinds.base import Kind
from schema.capture.columns import LIFE, graveyard_of
from schema.capture.key_lookup import KeyLookup, KeyValues
from schema.capture.key_words import in_words
from schema.capture.quoting import literal, quoted
from schema.capture.row_key import key_expression
from schema.capture.shape import Capture
from schema.system import changelog, inbox
from schema.tables import KIND

SHOWN_KEYS = 3
ENTRIES_A_PASS = 1_000
COUNTED_KEYS = 10_000
"""Missing keys are counted once each up to this many; beyond it the count is a lower bound."""

OnShare = Callable[[float], None]
"""Told which share of the whole work was done just now."""


@dataclass(frozen=True)
class _Keyed:
    """A table with its key, and the kinds of its columns as declared."""

    lookup: KeyLookup
    key: tuple[str, ...]
    kinds: Mapping[str, Kind]

    @staticmethod
    def of(connection: Connection, table: Table, capture: Capture) -> _Keyed:
        """The key as it is captured."""
        kinds = {column.name: column.info[KIND] for column in table.columns}
        names = tuple(part.name for part in capture.key)
        return _Keyed(KeyLookup(connection, table.name, capture.key), names, kinds)

    def in_words(self, keys: Sequence[KeyValues]) -> str:
        """Some keys as people read them."""
        return ", ".join(in_words(self.key, values, self.kinds) for values in keys)


@dataclass
class _Missing:
    """Keys of one table that the database does not have, and whose end the changelog lacks."""

    keyed: _Keyed
    keys: dict[int, KeyValues] = field(default_factory=dict)
    unread: int = 0
    overflown: bool = False

    def add(self, row_key: bytes, values: KeyValues) -> None:
        """One more key, or one that was met before."""
        if hash(row_key) in self.keys:
            return
        self.overflown = self.overflown or len(self.keys) >= COUNTED_KEYS
        if not self.overflown:
            self.keys[hash(row_key)] = values

    def seen_to_go(self, row_key: bytes) -> None:
        """A key whose last entry until now is a deletion; its dead row may be gone as well."""
        self.keys.pop(hash(row_key), None)

    @property
    def shown(self) -> list[KeyValues]:
        """A few of the keys."""
        return list(self.keys.values())[:SHOWN_KEYS]


def _parts_of(connection: Connection, captures: Mapping[str, Capture]) -> int:
    """How many parts the work has: some for each table, and the changelog by the thousand."""
    entries = 0
    for log, column in ((changelog, "position"), (inbox, "entry")):
        first, last = connection.exec_driver_sql(
            f"SELECT MIN(`{column}`), MAX(`{column}`) FROM `{log.name}`"
        ).one()
        entries += 0 if first is None else last - first + 1
    return len(captures) * 2 + -(-entries // ENTRIES_A_PASS) + 2


def findings_in_rows(
    connection: Connection,
    captures: Mapping[str, Capture],
    tables: Sequence[Table],
    on_share: OnShare,
) -> Iterator[str]:
    """What is wrong with the rows, in words, with a few keys each.

    `captures` are those of the declared `tables`. Rows change meanwhile, so each question is asked
    in one snapshot.
    """
    share = 1 / _parts_of(connection, captures)
    keyed = {
        table.name: _Keyed.of(connection, table, captures[table.name])
        for table in sorted(tables, key=lambda table: table.name)
    }
    for name, one in keyed.items():
        yield from _never_captured(connection, one)
        on_share(share)
        yield from _alive_and_dead(connection, one, captures[name])
        on_share(share)
    for table in tables:
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
            yield from _orphans(connection, keyed[table.name], key)
    yield from _gone_unseen(connection, keyed, lambda: on_share(share))


def _never_captured(connection: Connection, keyed: _Keyed) -> Iterator[str]:
    """Rows that came while there were no triggers: by a restored backup, for example."""
    table = keyed.lookup.table
    where = f"FROM {quoted(table)} WHERE {LIFE} = 0"
    yield from _counted(connection, keyed, where, f"table {table}: rows that were never captured")


def _alive_and_dead(connection: Connection, keyed: _Keyed, capture: Capture) -> Iterator[str]:
    """A row that is born again lies in the graveyard until its birth is sealed, not longer."""
    lookup = keyed.lookup
    names = [quoted(part.name) for part in capture.key]
    same = " AND ".join(f"alive.{name} = dead.{name}" for name in names)
    born = (
        f"SELECT row_key FROM {inbox.name} WHERE table_name = {literal(lookup.table)} "
        "AND kind = 'insert'"
    )
    where = (
        f"FROM {quoted(lookup.table)} AS alive WHERE EXISTS (SELECT 1 FROM "
        f"{quoted(graveyard_of(lookup.table))} AS dead WHERE {same}) "
        f"AND {key_expression(capture.key, 'alive')} NOT IN ({born})"
    )
    what = f"table {lookup.table}: rows that are in its graveyard as well"
    yield from _counted(connection, keyed, where, what)


def _orphans(connection: Connection, keyed: _Keyed, key: ForeignKeyConstraint) -> Iterator[str]:
    """Rows whose parent is not there: written or deleted with foreign_key_checks = 0."""
    child = keyed.lookup.table
    here = [quoted(column.name) for column in key.columns]
    there = [quoted(part.column.name) for part in key.elements]
    same = " AND ".join(f"parent.{b} = child.{a}" for a, b in zip(here, there, strict=True))
    set_here = " AND ".join(f"child.{name} IS NOT NULL" for name in here)
    parent = key.elements[0].column.table.name
    where = (
        f"FROM {quoted(child)} AS child WHERE {set_here} AND NOT EXISTS "
        f"(SELECT 1 FROM {quoted(parent)} AS parent WHERE {same})"
    )
    what = f"table {child}: rows whose row of {parent} is not there ({key.name})"
    yield from _counted(connection, keyed, where, what)


def _counted(connection: Connection, keyed: _Keyed, where: str, what: str) -> Iterator[str]:
    """A line with the number of rows and some of their keys, if there are any."""
    count = connection.exec_driver_sql(f"SELECT COUNT(*) {where}".replace("%", "%%")).scalar_one()
    if count:
        some = f"SELECT {keyed.lookup.selected} {where} LIMIT {SHOWN_KEYS}"
        keys = connection.exec_driver_sql(some.replace("%", "%%")).all()
        yield f"{what}: {count}, such as {keyed.in_words([tuple(key) for key in keys])}"
    connection.rollback()


def _gone_unseen(
    connection: Connection, keyed: Mapping[str, _Keyed], on_pass: Callable[[], None]
) -> Iterator[str]:
    """Keys in the changelog whose row is neither in its table nor in the graveyard.

    Whatever a trigger saw go lies in the graveyard as long as the changelog tells of it, unless
    the table was released meanwhile or got another key; but then its last entry is a deletion. What
    else is missing went by TRUNCATE, or by a session that had capture off.
    """
    missing = {name: _Missing(one) for name, one in keyed.items()}
    connection.rollback()
    for log, column in ((changelog.name, "position"), (inbox.name, "entry")):
        after: int | None = 0
        while after is not None:
            after = _look_through(connection, log, column, after, missing)
            on_pass()
    for name, found in sorted(missing.items()):
        if found.keys:
            more = "at least " if found.overflown else ""
            yield (
                f"table {name}: rows that are gone and nobody saw them go (TRUNCATE, or capture "
                f"was off): {more}{len(found.keys)}, such as "
                f"{found.keyed.in_words(found.shown)}"
            )
        if found.unread:
            yield (
                f"table {name}: entries of the changelog about keys that it cannot have: "
                f"{found.unread}"
            )


def _look_through(
    connection: Connection, log: str, column: str, after: int, missing: Mapping[str, _Missing]
) -> int | None:
    """Look at the next entries, in a snapshot of their own; the last one's number, if any."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    entries = connection.execute(
        text(
            f"SELECT {quoted(column)}, table_name, row_key, kind FROM {log} "
            f"WHERE {quoted(column)} > :after ORDER BY {quoted(column)} LIMIT {ENTRIES_A_PASS}"
        ),
        {"after": after},
    ).all()
    keys: dict[str, dict[bytes, KeyValues]] = {}
    ended = {(table, bytes(row_key)): kind == "delete" for _, table, row_key, kind in entries}
    for _number, table, row_key, _kind in entries:
        found = missing.get(table)
        if found is None:
            continue
        try:
            values = found.keyed.lookup.values_of(bytes(row_key))
            keys.setdefault(table, {})[bytes(row_key)] = values
        except (ValueError, ArithmeticError):
            found.unread += 1
    for table, asked in keys.items():
        for row_key in _absent(connection, missing[table].keyed.lookup, asked, list(asked)):
            if ended[table, row_key]:
                missing[table].seen_to_go(row_key)
            else:
                missing[table].add(row_key, asked[row_key])
    connection.rollback()
    return entries[-1][0] if entries else None


def _absent(
    connection: Connection,
    lookup: KeyLookup,
    asked: Mapping[bytes, KeyValues],
    keys: Sequence[bytes],
) -> Iterator[bytes]:
    """Those of the keys that neither the table nor the graveyard holds, by halves."""
    found = lookup.count_kept(connection, [asked[key] for key in keys])
    if found >= len(keys):
        return
    if not found:
        yield from keys
        return
    middle = len(keys) // 2
    for half in (keys[:middle], keys[middle:]):
        yield from _absent(connection, lookup, asked, half)
