"""Many writers at once: API and plain SQL, transactions that dawdle, give up, or are killed.

All that happens by chance comes from one seed; what the machine makes of it does not.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, NamedTuple

import MySQLdb

from service.store.translation import triggers_unread
from tests.live.node import CallFailed, NodeProcess
from tests.live.test_killed_connections import NO_SUCH_THREAD, administrator
from tests.service.store.tools import ask, raw_connection

FARMS, COWS, BELLS = 12, 60, 30
_LONGEST_PAUSE = 0.05
_REFUSED = {1062, 1048, 1205, 1213, 1216, 1217, 1451, 1452, 1020}
_LOST = {1053, 1317, 1927, 2006, 2013, 3169, 4031}
_AWAY = {2002, 2003}
_OUTAGE = 0.2
_REFUSALS = {
    "values.invalid",
    "record.not_found",
    "constraint.violated",
    "server.busy",
    "server.unavailable",
    "server.outcome_unknown",
}

Call = tuple[str, dict[str, Any]]
Statement = tuple[str, tuple[object, ...]]


class Kinds(NamedTuple):
    """What the writers do, drawn by chance; and whether node and server may be away meanwhile."""

    call: Callable[[random.Random], Call]
    statement: Callable[[random.Random], Statement]
    outages: bool = False


class Storm:
    """What the writers share: the node, the database, and what came of it."""

    def __init__(
        self,
        node: NodeProcess,
        database: str,
        seed: int | str,
        kinds: Kinds | None = None,
    ) -> None:
        self.node = node
        self.database = database
        self.seed = seed
        self._kinds = kinds or Kinds(some_call, some_statement)
        self.outcomes: Counter[str] = Counter()
        self.failures: list[BaseException] = []
        self._lock = threading.Lock()

    def note(self, outcome: str) -> None:
        """Count what came of one attempt."""
        with self._lock:
            self.outcomes[outcome] += 1

    def api_writer(self, number: int, turns: int) -> None:
        """Calls, one after the other."""
        chance = random.Random(f"{self.seed} api {number}")
        for _ in range(turns):
            method, parameters = self._kinds.call(chance)
            try:
                self.node.call(method, parameters)
                self.note("api done")
            except CallFailed as failed:
                if failed.code not in _REFUSALS:
                    raise
                self.note(f"api {failed.code}")
            except (OSError, http.client.HTTPException, ValueError):
                if not self._kinds.outages:
                    raise
                self._wait_for_the_outage("api away")

    def sql_writer(self, number: int, turns: int) -> None:
        """Transactions, on a connection that may be killed at any moment."""
        chance = random.Random(f"{self.seed} sql {number}")
        done = 0
        while done < turns:
            try:
                with raw_connection(self.database, autocommit=False) as connection:
                    level = chance.choice(["READ COMMITTED", "REPEATABLE READ"])
                    ask(connection, f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
                    ask(connection, "SET SESSION innodb_lock_wait_timeout = 1")
                    while done < turns:
                        done += 1
                        self._transaction(connection, chance)
            except MySQLdb.Error as error:
                if error.args[0] in _AWAY and self._kinds.outages:
                    done += 1
                    self._wait_for_the_outage("sql away")
                    continue
                if error.args[0] not in _LOST:
                    raise
                self.note("sql killed")

    def _wait_for_the_outage(self, outcome: str) -> None:
        self.note(outcome)
        time.sleep(_OUTAGE)

    def _transaction(self, connection: Any, chance: random.Random) -> None:
        """Some statements, a pause, and an end of either kind."""
        try:
            for _ in range(chance.choice([1, 1, 2, 3, 6])):
                ask(connection, *self._kinds.statement(chance))
            time.sleep(chance.random() * _LONGEST_PAUSE)
            if chance.random() < 0.2:
                undo(connection)
                self.note("sql undone")
            else:
                connection.commit()
                self.note("sql done")
        except MySQLdb.Error as error:
            unread = triggers_unread(error)
            if not unread and error.args[0] not in _REFUSED:
                raise
            undo(connection)
            if unread:
                ask(connection, "FLUSH LOCAL TABLES")
            self.note("sql told of unread triggers" if unread else "sql refused")

    def guarded(self, task: Callable[[], None]) -> Callable[[], None]:
        """The task; what it raises is kept for the test."""

        def work() -> None:
            try:
                task()
            except BaseException as error:
                self.failures.append(error)

        return work

    def blow(self, writers: int, turns: int) -> None:
        """All writers at once, half of them by API; returns when all are done."""
        threads = [
            threading.Thread(target=self.guarded(partial(self._writer, number, turns)))
            for number in range(writers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _writer(self, number: int, turns: int) -> None:
        write = self.sql_writer if number % 2 else self.api_writer
        write(number, turns)


def undo(connection: Any) -> None:
    """Undo a transaction. A cluster may have done so already, and says it only now."""
    try:
        connection.rollback()
    except MySQLdb.Error as error:
        if error.args[0] not in _REFUSED:
            raise


@contextmanager
def killing_now_and_then(storm: Storm, every: float = 0.15) -> Iterator[None]:
    """While the block runs, connections are killed one by one, whoever they belong to."""
    stop = threading.Event()
    chance = random.Random(f"{storm.seed} killer")

    def kill() -> None:
        with closing(administrator(storm.database)) as connection:
            while not stop.wait(every):
                if kill_one(connection, chance):
                    storm.note("killed")

    thread = threading.Thread(target=storm.guarded(kill))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def kill_one(connection: Any, chance: random.Random) -> bool:
    """Kill one of the other connections to this database, whatever it does just now.

    One that is killed while it opens a table may leave behind, on MariaDB, triggers that were read
    only in part; whoever writes to that table next has them read anew.
    """
    own, here = ask(connection, "SELECT CONNECTION_ID(), DATABASE()")[0]
    listed = ask(connection, "SHOW PROCESSLIST")
    others = [row[0] for row in listed if row[3] == here and row[0] != own]
    if not others:
        return False
    try:
        ask(connection, f"KILL {chance.choice(others)}")
    except MySQLdb.Error as error:
        if error.args[0] != NO_SUCH_THREAD:
            raise
    return True


def some_call(chance: random.Random) -> Call:
    """A call that writes; it may well be refused."""
    farm, cow, bell = _keys(chance)
    name = f"name {chance.randrange(FARMS * 2)}"
    cows = [{"number": n, "farm_code": farm, "tag": _tag(chance)} for n in _some(chance, COWS)]
    bells = {"number": bell, "farm_code": farm, "cow_number": cow, "tone": _tone(chance)}
    calls: list[Call] = [
        ("farm.create", {"code": farm, "name": name}),
        ("farm.upsert", {"code": farm, "name": name}),
        ("farm.delete", {"code": farm}),
        ("cow.create", {"records": cows}),
        ("cow.upsert", {"records": cows}),
        ("cow.update", {"number": cow, "weight": chance.randrange(1000)}),
        ("cow.update", {"number": cow, "tag": _tag(chance)}),
        ("cow.delete", {"number": cow}),
        ("bell.upsert", bells),
        ("bell.update", {"number": bell, "tone": _tone(chance)}),
        ("bell.delete", {"number": bell}),
    ]
    return chance.choice(calls)


def some_statement(chance: random.Random) -> Statement:
    """A statement that writes; it may well be refused."""
    farm, cow, bell = _keys(chance)
    name, tag, tone = f"name {chance.randrange(FARMS * 2)}", _tag(chance), _tone(chance)
    new_cow = "INTO cow (number, farm_code, tag, weight) VALUES (%s, %s, %s, 1)"
    statements: list[Statement] = [
        ("INSERT INTO farm (code, name) VALUES (%s, %s)", (farm, name)),
        ("INSERT IGNORE INTO farm (code, name) VALUES (%s, %s)", (farm, name)),
        ("REPLACE INTO farm (code, name) VALUES (%s, %s)", (farm, name)),
        ("UPDATE farm SET name = %s WHERE code = %s", (name, farm)),
        ("DELETE FROM farm WHERE code = %s", (farm,)),
        (f"INSERT {new_cow}", (cow, farm, tag)),
        (f"INSERT {new_cow}, (%s, %s, NULL, 2)", (cow, farm, tag, cow + 1, farm)),
        (f"INSERT {new_cow} ON DUPLICATE KEY UPDATE weight = weight + 1", (cow, farm, tag)),
        (f"REPLACE {new_cow}", (cow, farm, tag)),
        ("UPDATE cow SET weight = weight + 1 WHERE farm_code = %s", (farm,)),
        ("UPDATE IGNORE cow SET tag = %s WHERE number BETWEEN %s AND %s", (tag, cow, cow + 2)),
        ("UPDATE cow SET weight = weight WHERE number = %s", (cow,)),
        ("DELETE FROM cow WHERE number BETWEEN %s AND %s", (cow, cow + 3)),
        (
            "INSERT INTO bell (number, farm_code, cow_number, tone) VALUES (%s, %s, %s, %s)",
            (bell, farm, cow, tone),
        ),
        ("UPDATE bell SET number = %s WHERE number = %s", (bell + 1, bell)),
        ("UPDATE bell SET cow_number = %s WHERE number = %s", (cow, bell)),
        ("DELETE FROM bell WHERE number = %s", (bell,)),
    ]
    return chance.choice(statements)


def _keys(chance: random.Random) -> tuple[str, int, int]:
    return f"f{chance.randrange(FARMS)}", chance.randrange(COWS), chance.randrange(BELLS)


def _some(chance: random.Random, many: int) -> list[int]:
    return sorted(chance.sample(range(many), chance.choice([1, 2, 5])))


def _tag(chance: random.Random) -> int | None:
    return chance.choice([None, chance.randrange(COWS)])


def _tone(chance: random.Random) -> str | None:
    return chance.choice([None, f"tone {chance.randrange(BELLS)}"])
