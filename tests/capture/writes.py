"""Writes at random: plain SQL of every kind, and operations of the API, on the same rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import MySQLdb

from records.catalogue import catalogue_of
from records.validation import Row
from service.errors import Refused
from service.methods.ports import Change, Existing
from service.store.records import StoredRecords
from service.store.threads import Lane
from service.store.undo import StoredUndo
from tests.capture import zoo
from tests.capture.witness import Session, connected
from tests.service.store.direct import DirectLane, done
from tests.service.store.specimens import FIELD_NAMES, SPECIMEN, Specimen, extreme_rows
from tests.service.store.tools import full_row, working

CATALOGUE = catalogue_of(
    [zoo.Boot, zoo.Medal, zoo.Branch, zoo.Word, zoo.Leaf, zoo.Pair, zoo.Ticket, Specimen]
)
INFO = CATALOGUE.records
SAMPLES = [
    (name, row[name]) for row in extreme_rows() for name in FIELD_NAMES if row[name] is not None
]
WORDS = ("Foo", "foo", "FOO ", "Fóo", "bar", "", " ")
NUMBERS = range(1, 7)
LEVELS = (("club", ""), ("team", "club"), ("player", "team"), ("boot", "player"))

Choice = Callable[[], None]


class Writes:
    """Does one thing after the other; what a constraint refuses is a try like any other."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self._chance = chance
        self._closing = ExitStack()
        connection = self._closing.enter_context(connected(url, autocommit=True))
        self._sql = Session(connection)
        self._sql.run("SET time_zone = '+00:00', innodb_lock_wait_timeout = 1")
        lane = cast(Lane, DirectLane(self._closing.enter_context(working(url, CATALOGUE))))
        self._records = StoredRecords(CATALOGUE, lane, lane)
        self._undo = StoredUndo(lane, lane)
        self.done = self.refused = 0

    def close(self) -> None:
        """Give the connections back."""
        self._closing.close()

    def anything(self) -> None:
        """One more write, or several in a transaction that is kept or not."""
        if self._chance.random() < 0.2:
            self._transaction()
        else:
            self._once()

    def _once(self) -> None:
        choices: list[Choice] = [
            *(self._family_by_sql, self._family_by_api, self._delete_by_sql, self._delete_by_api),
            *(self._words, self._pairs, self._specimen_by_sql, self._specimen_by_api),
            *(self._tree, self._restore, self._leaves, self._tickets),
        ]
        try:
            self._chance.choice(choices)()
            self.done += 1
        except (MySQLdb.Error, Refused):
            self.refused += 1

    def _transaction(self) -> None:
        """Some plain SQL that is committed, rolled back, or half of each."""
        self._sql.run("BEGIN")
        by_sql = [self._family_by_sql, self._delete_by_sql, self._words, self._pairs]
        for turn in range(self._chance.randint(1, 4)):
            if turn == 2:
                self._sql.run("SAVEPOINT here")
            try:
                self._chance.choice(by_sql)()
            except MySQLdb.Error:
                self.refused += 1
        if self._chance.random() < 0.3:
            self._sql.attempt("ROLLBACK TO SAVEPOINT here")
        self._sql.run(self._chance.choice(("COMMIT", "COMMIT", "ROLLBACK")))

    def _number(self) -> int:
        return self._chance.choice(NUMBERS)

    def _verb(self) -> str:
        return self._chance.choice(("INSERT", "INSERT", "INSERT IGNORE", "REPLACE"))

    def _family_by_sql(self) -> None:
        """A row or two of some level: new, changed, or under another key."""
        table, above = self._chance.choice(LEVELS)
        columns = ["number", *([f"{above}_number"] if above else ["name"])]
        one, other = self._number(), self._number()
        values = [[self._number(), self._number()] for _ in range(self._chance.randint(1, 3))]
        rows = ", ".join(f"({first}, {second})" for first, second in values)
        listed = ", ".join(columns)
        statement = self._chance.choice(
            (
                f"{self._verb()} INTO {table} ({listed}) VALUES {rows}",
                f"INSERT INTO {table} ({listed}) VALUES {rows} "
                f"ON DUPLICATE KEY UPDATE {columns[1]} = {other}",
                f"UPDATE {table} SET {columns[1]} = {other} WHERE number <= {one}",
                f"UPDATE IGNORE {table} SET {columns[1]} = {other} WHERE number <= {one}",
                f"UPDATE {table} SET number = {other} WHERE number = {one}",
                f"UPDATE IGNORE {table} SET number = number + 1 WHERE number >= {one}",
                f"UPDATE {table} SET number = number + 1 ORDER BY number DESC",
            )
        )
        self._sql.run(statement)

    def _family_by_api(self) -> None:
        """The same by operations."""
        table, above = self._chance.choice(LEVELS)
        record = INFO[table]
        values: Row = {"number": self._number()}
        field = f"{above}_number" if above else "name"
        values[field] = self._number() if above else str(self._number())
        if self._chance.random() < 0.5:
            done(self._records.create(record, [full_row(record, **values)], ()))
        else:
            change = Change((values.pop("number"),), values)
            done(self._records.update(record, [change], ()))

    def _delete_by_sql(self) -> None:
        """Of one row or some, with all that triggers take along."""
        table = self._chance.choice(("club", "team", "player", "boot", "word", "pair", "specimen"))
        ignore = self._chance.choice(("", "IGNORE "))
        key = {"word": "word", "pair": "`left`"}.get(table, "number")
        value: Any = self._chance.choice(WORDS) if table == "word" else self._number()
        operator = self._chance.choice(("=", "=", "<="))
        self._sql.run(f"DELETE {ignore}FROM {table} WHERE {key} {operator} %s", value)

    def _delete_by_api(self) -> None:
        """Of one record, with what its children's references say."""
        table = self._chance.choice(("club", "team", "player", "branch"))
        done(self._records.delete(INFO[table], [(self._number(),)], ()))

    def _restore(self) -> None:
        """What was deleted comes back, perhaps with its children."""
        table = self._chance.choice(("club", "team", "player", "branch"))
        children = self._chance.random() < 0.7
        done(self._undo.restore(INFO[table], [(self._number(),)], children, ()))

    def _words(self) -> None:
        """Keys that are the same to the server and not to others."""
        one, other = self._chance.choice(WORDS), self._chance.choice(WORDS)
        verb = self._verb()
        statement, parameters = self._chance.choice(
            (
                (f"{verb} INTO word (word, label) VALUES (%s, %s)", (one, other)),
                ("UPDATE word SET word = %s WHERE word = %s", (one, other)),
                ("UPDATE word SET label = %s WHERE word = %s", (one, other)),
                (
                    "INSERT INTO word (word) VALUES (%s) ON DUPLICATE KEY UPDATE word = %s",
                    (one, other),
                ),
            )
        )
        self._sql.run(statement, *parameters)

    def _pairs(self) -> None:
        """Keys of two fields, one of them changing its bytes only."""
        left, right, note = self._number(), self._chance.choice(WORDS), self._chance.choice(WORDS)
        statement, parameters = self._chance.choice(
            (
                (f"{self._verb()} INTO pair VALUES (%s, %s, %s)", (left, right, note)),
                ("UPDATE pair SET `right` = %s WHERE `left` = %s LIMIT 1", (right, left)),
                ("UPDATE pair SET note = %s WHERE `left` = %s", (note, left)),
            )
        )
        self._sql.run(statement, *parameters)

    def _leaves(self) -> None:
        """Texts that some collation takes for the same."""
        column = self._chance.choice(("plain", "general", "exact", "story"))
        self._sql.run(
            f"INSERT INTO leaf (number, `{column}`) VALUES (%s, %s) "
            f"ON DUPLICATE KEY UPDATE `{column}` = VALUES(`{column}`)",
            self._number(),
            self._chance.choice(WORDS),
        )

    def _tickets(self) -> None:
        """Keys that look different in another time zone."""
        zone = self._chance.choice(("+00:00", "+05:30", "-11:00"))
        self._sql.run(f"SET time_zone = '{zone}'")
        try:
            self._sql.run(
                f"{self._verb()} INTO ticket VALUES (FROM_UNIXTIME(%s), %s, UNHEX(%s), %s)",
                self._number() + 0.25,
                self._number(),
                f"{self._number():032x}",
                zone,
            )
            self._sql.run("UPDATE ticket SET note = 'x' ORDER BY moment LIMIT 1")
            if self._chance.random() < 0.3:
                self._sql.run("DELETE FROM ticket ORDER BY bits LIMIT 1")
        finally:
            self._sql.run("SET time_zone = '+00:00'")

    def _specimen_by_sql(self) -> None:
        """A value of any type, or one that another row has."""
        name, value = self._chance.choice(SAMPLES)
        info = SPECIMEN.fields[name]
        number = self._number()
        if self._chance.random() < 0.5:
            self._sql.run("INSERT IGNORE INTO specimen (number) VALUES (%s)", number)
            self._sql.run(
                f"UPDATE specimen SET `{info.column}` = %s WHERE number = %s",
                info.kind.to_database(value),
                number,
            )
        else:
            self._sql.run(
                f"UPDATE specimen AS a JOIN specimen AS b ON a.number = %s AND b.number = %s "
                f"SET a.`{info.column}` = b.`{info.column}`",
                number,
                self._number(),
            )

    def _specimen_by_api(self) -> None:
        """Some values of any type in one write."""
        values = dict(self._chance.sample(SAMPLES, 8))
        row = full_row(SPECIMEN, number=self._number(), **values)
        if self._chance.random() < 0.5:
            done(self._records.create(SPECIMEN, [row], ()))
        else:
            change = Change((row["number"],), values)
            done(self._records.update(SPECIMEN, [change], ()))

    def _tree(self) -> None:
        """A branch: new, moved by a statement, or moved as somebody's child."""
        one, other = self._number(), self._number()
        way = self._chance.randrange(3)
        if way == 0:
            self._sql.run(
                f"{self._verb()} INTO branch VALUES (%s, %s)",
                one,
                self._chance.choice((None, other)),
            )
        elif way == 1:
            self._sql.run("UPDATE branch SET above_number = %s WHERE number = %s", other, one)
        else:
            collection = INFO["branch"].collections["below"]
            children = [Existing((other,))]
            done(self._records.add(INFO["branch"], collection, (one,), children, ()))


@contextmanager
def writing(url: str, seed: int) -> Iterator[Writes]:
    """Writes that are the same for the same seed."""
    writes = Writes(url, random.Random(seed))
    try:
        yield writes
    finally:
        writes.close()
