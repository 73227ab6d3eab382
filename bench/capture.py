"""What capture costs: single-row inserts and updates in a plain loop, with and without it.

Both ways are measured in one run, in turn, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any

from bench.machine import ask, new_database, plain_connection, server_of
from bench.report import Report, options, progress, run, servers

TARGETS = {"insert": 0.60, "update": 0.50}
"""The least part of the plain rate that is to be left."""

_UPDATED_ROWS = 500
_INSERT = "INSERT INTO city (number, country_code, name, population) VALUES (%s, 'aa', %s, 1)"
_UPDATE = "UPDATE city SET population = population + 1 WHERE number = %s"

Loop = Callable[[Any, int, int], None]


def insert(connection: Any, start: int, count: int) -> None:
    """New rows, each by a statement and a commit of its own."""
    with connection.cursor() as cursor:
        for number in range(start, start + count):
            cursor.execute(_INSERT, (number, f"city {number}"))


def update(connection: Any, start: int, count: int) -> None:
    """The same rows again and again, one at a time."""
    with connection.cursor() as cursor:
        for number in range(start, start + count):
            cursor.execute(_UPDATE, (number % _UPDATED_ROWS,))


LOOPS: dict[str, Loop] = {"insert": insert, "update": update}


def rate(loop: Loop, connection: Any, start: int, count: int) -> float:
    """Rows a second."""
    began = time.perf_counter()
    loop(connection, start, count)
    return count / (time.perf_counter() - began)


def measure(kind: str, rounds: int, count: int, report: Report) -> None:
    """Both loops on one server."""
    rates: dict[tuple[str, bool], list[float]] = {}
    with server_of(kind) as server, ExitStack() as held:
        urls = {way: new_database(server, f"bench_{way:d}", captured=way) for way in (False, True)}
        connections = {way: held.enter_context(plain_connection(url)) for way, url in urls.items()}
        for connection in connections.values():
            ask(connection, "INSERT INTO country (code, name) VALUES ('aa', 'A')")
            insert(connection, 0, _UPDATED_ROWS)
            update(connection, 0, _UPDATED_ROWS)
        for turn in range(rounds):
            progress(f"{kind}: round {turn + 1} of {rounds}")
            # The other one comes first in every second round.
            for way in (False, True) if turn % 2 else (True, False):
                for name, loop in LOOPS.items():
                    start = 1_000_000 + turn * count
                    found = rate(loop, connections[way], start, count)
                    rates.setdefault((name, way), []).append(found)
            # Sealing takes entries out of the inbox; here nothing seals.
            ask(connections[True], "TRUNCATE TABLE herdbook_inbox")
    for name in LOOPS:
        plain, captured = median(rates[name, False]), median(rates[name, True])
        report.add(
            measured=f"{kind}, {name}",
            plain=plain,
            captured=captured,
            ratio=captured / plain,
            target=TARGETS[name],
            reached=captured / plain >= TARGETS[name],
        )


def main() -> None:
    """Measure on each server and print the results."""
    parser = options("Single-row inserts and updates in a loop, with and without capture.")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each kind")
    parser.add_argument("--rows", type=int, default=1_000, help="rows in each round")
    arguments = parser.parse_args()
    report = Report(
        "Rows a second, each its own statement and commit (medians of the rounds)",
        ("measured", "plain", "captured", "ratio", "target", "reached"),
    )
    for kind in servers(arguments):
        measure(kind, arguments.rounds, arguments.rows, report)
    report.show(as_json=arguments.json)


if __name__ == "__main__":
    run(main)
