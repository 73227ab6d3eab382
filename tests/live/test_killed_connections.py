"""The server kills connections at any moment; answers stay true, and the next call works."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import MySQLdb
import pytest

from service.database_url import DatabaseUrl
from service.server import PrivateServer
from tests.live.node import CallFailed, NodeProcess, served

CALLS = 300
NO_SUCH_THREAD = 1094
"""The connection ended by itself before it was killed."""


def administrator(database: str) -> Any:
    """A connection beside the node's."""
    url = DatabaseUrl.parse(database)
    return MySQLdb.connect(
        user=url.user,
        db=url.database,
        unix_socket=url.unix_socket,
        autocommit=True,
        # The process list shows statements, which may hold bytes that are no text.
        use_unicode=False,
    )


def kill_all(connection: Any) -> int:
    """Kill every other connection to the database; how many there were."""
    cursor = connection.cursor()
    cursor.execute("SELECT CONNECTION_ID(), DATABASE()")
    own, here = cursor.fetchone()
    cursor.execute("SHOW PROCESSLIST")
    others = [row[0] for row in cursor.fetchall() if row[3] == here and row[0] != own]
    killed = 0
    for number in others:
        try:
            cursor.execute(f"KILL {number}")
            killed += 1
        except MySQLdb.Error as error:
            if error.args[0] != NO_SUCH_THREAD:
                raise
    return killed


@contextmanager
def killing(database: str) -> Iterator[list[int]]:
    """Kill all connections again and again while the block runs; the list counts them."""
    stop = threading.Event()
    counts: list[int] = []

    def kill() -> None:
        with closing(administrator(database)) as connection:
            while not stop.wait(0.003):
                counts.append(kill_all(connection))

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield counts
    finally:
        stop.set()
        thread.join()


def test_idle_connections_that_were_killed_are_not_noticed(tmp_path: Path, database: str) -> None:
    """A call after a quiet night works, though the server has closed every connection."""
    with served(tmp_path, database) as node, closing(administrator(database)) as connection:
        node.call("farm.create", {"name": "first"})
        node.call("farm.count")
        assert kill_all(connection) >= 2
        assert node.call("farm.create", {"name": "second"})["name"] == "second"
        kill_all(connection)
        assert node.call("farm.count") == 2


def test_under_constant_killing_every_answer_is_true(tmp_path: Path, database: str) -> None:
    """What is answered as written is there once; what is answered as failed is not there.

    Only an answer that says it does not know may be either.
    """
    answers: dict[str, set[str]] = defaultdict(set)
    with served(tmp_path, database) as node:
        with killing(database) as counts:
            for number in range(CALLS):
                name = f"farm {number}"
                try:
                    answers["ok"].add(node.call("farm.create", {"name": name})["name"])
                except CallFailed as failed:
                    answers[failed.code].add(name)
        there = {record["name"] for page in pages(node, "farm.list") for record in page}
    assert sum(counts) > 10, "hardly anything was killed; the test shows nothing"
    assert answers.keys() <= {"ok", "server.unavailable", "server.outcome_unknown"}
    assert answers["ok"] <= there
    assert not answers["server.unavailable"] & there
    assert there <= answers["ok"] | answers["server.outcome_unknown"]
    assert len(answers["ok"]) > CALLS / 2


def test_reads_under_constant_killing_are_right_or_refused(tmp_path: Path, database: str) -> None:
    """A read is answered with what is there, or with an error that may be tried again."""
    with served(tmp_path, database) as node:
        node.call("farm.create", {"records": [{"name": f"farm {n}"} for n in range(40)]})
        answers: Counter[tuple[object, ...]] = Counter()
        with killing(database):
            for _ in range(CALLS):
                try:
                    answers["ok", len(node.call("farm.list")["records"])] += 1
                except CallFailed as failed:
                    answers[failed.code, failed.error["data"]["retryable"]] += 1
        assert answers.keys() <= {("ok", 40), ("server.unavailable", True)}, node.log()
        assert answers["ok", 40] > CALLS / 2
        assert len(node.call("farm.list")["records"]) == 40


def test_writers_in_each_others_way_are_tried_again(tmp_path: Path, database: str) -> None:
    """Calls that update the same records in opposite orders all succeed: deadlocks are retried."""
    with served(tmp_path, database) as node, closing(administrator(database)) as connection:
        made = node.call("farm.create", {"records": [{"name": f"farm {n}"} for n in range(6)]})
        before = deadlocks(connection)
        failures: list[Exception] = []

        def write(turn: int) -> None:
            order = made if turn % 2 else made[::-1]
            changes = [{"id": farm["id"], "name": f"{farm['name']} by {turn}"} for farm in order]
            try:
                for _ in range(20):
                    node.call("farm.update", {"records": changes})
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=write, args=(turn,)) for turn in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        last = {farm["name"].rpartition(" ")[2] for farm in node.call("farm.list")["records"]}
        assert len(last) == 1, "one call's changes are never mixed with another's"
        assert deadlocks(connection) >= before


def test_rows_that_stay_locked_give_a_clear_answer_in_time(tmp_path: Path, database: str) -> None:
    """A call that waits for a DBA's open transaction ends with an error that may be tried again."""
    with (
        served(tmp_path, database, HERDBOOK_DATABASE_LOCK_WAIT_SECONDS="1") as node,
        closing(administrator(database)) as connection,
    ):
        farm = node.call("farm.create", {"name": "locked"})
        connection.autocommit(False)
        connection.cursor().execute("SELECT * FROM farm FOR UPDATE")
        with pytest.raises(CallFailed) as failed:
            node.call("farm.update", {"id": farm["id"], "name": "changed"})
        assert failed.value.code == "server.busy"
        assert failed.value.error["data"]["retryable"] is True
        connection.rollback()
        assert node.call("farm.update", {"id": farm["id"], "name": "changed"})["name"] == "changed"


def test_a_server_that_restarts_is_found_again(
    tmp_path: Path, server: PrivateServer, database: str
) -> None:
    """While the server is down calls are refused with what to do; then the node works again."""
    with served(tmp_path, database) as node:
        node.call("farm.create", {"name": "before"})
        server.kill()
        try:
            with pytest.raises(CallFailed) as failed:
                node.call("farm.create", {"name": "during"})
            assert failed.value.code == "server.unavailable"
            assert ready(node) is False
        finally:
            server.start()
        assert node.call("farm.create", {"name": "after"})["name"] == "after"
        assert ready(node) is True
        names = [record["name"] for record in node.call("farm.list", {"order": "name"})["records"]]
        assert names == ["after", "before"]


def test_no_answer_and_no_log_line_of_a_failure_shows_sql_to_the_client(
    tmp_path: Path, server: PrivateServer, database: str
) -> None:
    """Whatever breaks below, the client reads no SQL and no traceback."""
    with served(tmp_path, database) as node, closing(administrator(database)) as connection:
        connection.cursor().execute("ALTER TABLE cow RENAME TO cattle")
        replies = [
            node.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            for method, params in (
                ("cow.list", {}),
                ("cow.create", {"farm_id": "00000000-0000-7000-8000-000000000000", "tag": 1}),
                ("cow.list", {"where": ["name", "=", "'; DROP TABLE farm; --"]}),
            )
        ]
        for reply in replies:
            text = str(reply)
            assert reply["error"]["data"]["trace"]
            for word in ("SELECT", "INSERT", "Traceback", "MySQLdb", "storm", 'File "'):
                assert word not in text


def pages(node: NodeProcess, method: str) -> Iterator[list[dict[str, Any]]]:
    """All pages of a list."""
    params: dict[str, Any] = {"limit": 100}
    for _ in range(100):
        page = node.call(method, params)
        yield page["records"]
        if page["next"] is None:
            return
        params["next"] = page["next"]


def deadlocks(connection: Any) -> int:
    """How many deadlocks the server counted, as far as it says."""
    cursor = connection.cursor()
    cursor.execute(
        "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def ready(node: NodeProcess, within: float = 10.0) -> bool:
    """Whether /readyz says so; a node may need a moment to see that its database is back."""
    deadline = time.monotonic() + within
    while True:
        try:
            with urlopen(f"{node.admin}readyz", timeout=5) as reply:
                return bool(reply.status == 200)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
