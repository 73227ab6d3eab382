"""A transaction of a million rows passes through sealing in a bounded amount of memory."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.live.node import served
from tests.service.store.tools import ask, raw_connection, read

ROWS = 1_000_000
MOST_MEMORY = 256 * 1024
LONGEST = 600.0
"""Seconds in which it must be over, on a slow machine too."""


def peak_memory(pid: int) -> int:
    """The most memory that a process has had, in KB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def write_a_million(url: str) -> None:
    """All in one transaction."""
    digits = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
    places = ", ".join(f"({digits}) AS d{place}" for place in range(6))
    number = " + ".join(f"d{place}.d * {10**place}" for place in range(6))
    with raw_connection(url, autocommit=False) as connection:
        ask(
            connection,
            f"INSERT INTO sample (id, normal) SELECT UNHEX(LPAD(HEX({number}), 32, '0')), 1 "
            f"FROM {places}",
        )
        connection.commit()


@pytest.mark.slow
def test_a_million_rows_in_one_transaction(tmp_path: Path, database: str) -> None:
    """Each has its position; the node stays small; what others write meanwhile is sealed too."""
    with served(tmp_path, database) as node:
        write_a_million(database)
        node.call("sample.create", {"tiny": 1})
        deadline = time.monotonic() + LONGEST
        while read(database, "SELECT `position` FROM herdbook_sealer")[0][0] <= ROWS:
            assert time.monotonic() < deadline, "it is not sealed in time"
            time.sleep(0.2)
        assert peak_memory(node.pid) < MOST_MEMORY
    ends = "SELECT COUNT(*), COUNT(DISTINCT row_key), MIN(`position`), MAX(`position`)"
    expected = [(ROWS + 1, ROWS + 1, 1, ROWS + 1)]
    assert read(database, f"{ends} FROM herdbook_changelog") == expected
    assert read(database, "SELECT COUNT(*) FROM herdbook_inbox") == [(0,)]
