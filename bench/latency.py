"""From a commit to the message of the feed, over loopback, through a node as it runs in earnest.

Writes come one at a time, with pauses, so that what is measured is a delay and not a queue.

Nobody outside the node can see when an API write is committed: after its call is sent, and before
its answer is there. So such a write is timed twice, from the call and from the answer, and the
delay from the commit lies between the two. Plain SQL is timed from the moment the server has
acknowledged the commit; nobody tells the node of it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing

from bench.machine import ask, plain_connection, server_of
from bench.report import Report, options, percentile, progress, run, servers
from bench.stream import Stream, node_on

TARGETS = {"API": 5.0, "SQL": 120.0}
"""Milliseconds at the median, from the commit."""

MOMENTS = {"API": ("call", "answer"), "SQL": ("commit",)}
"""From when each way of writing is timed."""

_LONGEST_PAUSE = 0.06
"""Longer than the interval at which the node looks by itself, so every phase of it is met."""

_INSERT = "INSERT INTO city (number, country_code, name) VALUES (%s, 'aa', %s)"

Write = Callable[[int], tuple[float, ...]]
"""Writes the city of this number; the moments from which its message is timed."""


def wait_for(stream: Stream, number: int) -> float:
    """The moment at which the change of this city is told."""
    while True:
        message = stream.next_message()
        if message.get("method") == "feed.change":
            told = [change["key"] for change in message["params"]["changes"]]
            if {"number": number} in told or {"number": str(number)} in told:
                return time.perf_counter()


def delays(stream: Stream, write: Write, first: int, count: int) -> list[tuple[float, ...]]:
    """Milliseconds to the message of each write, from each of the write's moments."""
    chance = random.Random(first)
    found = []
    for number in range(first, first + count):
        time.sleep(chance.random() * _LONGEST_PAUSE)
        moments = write(number)
        told = wait_for(stream, number)
        found.append(tuple((told - moment) * 1_000 for moment in moments))
    return found


def measure(kind: str, count: int, report: Report) -> None:
    """Both ways to write, on one server."""
    with ExitStack() as held:
        server = held.enter_context(server_of(kind))
        server.create_database("bench")
        url = server.url("bench")
        node = held.enter_context(node_on(url))
        connection = held.enter_context(plain_connection(url))
        reader = held.enter_context(closing(Stream(node)))
        caller = held.enter_context(closing(Stream(node)))
        ask(connection, "INSERT INTO country (code, name) VALUES ('aa', 'A')")
        reader.send("feed.subscribe", {"from": "now", "records": ["city"]})
        reader.next_message()

        def by_api(number: int) -> tuple[float, ...]:
            city = {"number": number, "country_code": "aa", "name": f"city {number}"}
            began = time.perf_counter()
            caller.send("city.create", city)
            caller.next_message()
            return began, time.perf_counter()

        def by_sql(number: int) -> tuple[float, ...]:
            ask(connection, _INSERT, (number, f"city {number}"))
            return (time.perf_counter(),)

        for name, write, first in (("API", by_api, 1_000_000), ("SQL", by_sql, 2_000_000)):
            progress(f"{kind}: {count} writes by {name}")
            delays(reader, write, first - 50, 50)
            found = delays(reader, write, first, count)
            for moment, from_it in zip(MOMENTS[name], zip(*found, strict=True), strict=True):
                add_row(report, f"{kind}, {name}, {moment}", from_it, TARGETS[name])


def add_row(report: Report, measured: str, found: Sequence[float], target: float) -> None:
    """One line of the results."""
    middle = percentile(found, 0.50)
    report.add(
        measured=measured,
        writes=len(found),
        p50=middle,
        p95=percentile(found, 0.95),
        p99=percentile(found, 0.99),
        most=max(found),
        target=target,
        reached=middle <= target,
    )


def main() -> None:
    """Measure on each server and print the results."""
    parser = options("From a commit to the message of the feed, in milliseconds.")
    parser.add_argument("--writes", type=int, default=500, help="writes of each kind")
    arguments = parser.parse_args()
    report = Report(
        "Milliseconds to the feed's message, from the call, its answer, or the acknowledged commit",
        ("measured", "writes", "p50", "p95", "p99", "most", "target", "reached"),
    )
    for kind in servers(arguments):
        measure(kind, arguments.writes, report)
    report.show(as_json=arguments.json)


if __name__ == "__main__":
    run(main)
