"""Whether sealing keeps up: several processes write, a node seals.

The writers hold a rate together, with statements of many rows. Sampled is how far sealing is
behind: entries that are committed and not sealed, and how long it took until they were.
"""

from __future__ import annotations

import multiprocessing
import time
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import Any

from bench.machine import ask, plain_connection, server_of
from bench.report import Report, Value, options, percentile, progress, run, servers
from bench.stream import node_on

TARGET = 10_000
"""Changes a second."""

_SAMPLE_SECONDS = 0.02
_DRAIN_SECONDS = 120.0
_NUMBERS_OF_A_WRITER = 100_000_000


@dataclass(frozen=True)
class Load:
    """What is written: changes a second of all writers together, for how long."""

    rate: int
    seconds: float
    writers: int
    rows: int


@dataclass(frozen=True)
class Sample:
    """How far writers and sealer were at a moment."""

    at: float
    committed: int
    sealed: int


def write(url: str, number: int, load: Load, committed: Synchronized[int], ready: Any) -> None:
    """One writer: a statement whenever it is due, each its own transaction; all begin together."""
    pause = load.rows * load.writers / load.rate
    with plain_connection(url) as connection, connection.cursor() as cursor:
        ready.wait()
        time.sleep(pause * number / load.writers)
        began = time.monotonic()
        for turn in range(int(load.seconds / pause)):
            time.sleep(max(0.0, began + turn * pause - time.monotonic()))
            start = number * _NUMBERS_OF_A_WRITER + turn * load.rows
            values = ", ".join(f"({n}, 'aa', 'city {n}')" for n in range(start, start + load.rows))
            cursor.execute(f"INSERT INTO city (number, country_code, name) VALUES {values}")
            with committed.get_lock():
                committed.value += load.rows


def watch(connection: Any, writers: list[Any], committed: Synchronized[int]) -> list[Sample]:
    """Samples until the writers are done and all is sealed."""
    question = "SELECT position FROM herdbook_sealer"
    first = ask(connection, question)[0][0]
    samples: list[Sample] = []
    deadline = float("inf")
    while time.monotonic() < deadline:
        done = committed.value
        sealed = ask(connection, question)[0][0] - first
        samples.append(Sample(time.monotonic(), done, sealed))
        if not any(writer.is_alive() for writer in writers):
            deadline = min(deadline, time.monotonic() + _DRAIN_SECONDS)
            if sealed >= committed.value:
                break
        time.sleep(_SAMPLE_SECONDS)
    return samples


def delays(samples: list[Sample]) -> list[float]:
    """For each sample, the seconds until all that was committed then was sealed."""
    found, later = [], 0
    for sample in samples:
        while later < len(samples) and samples[later].sealed < sample.committed:
            later += 1
        if later == len(samples):
            break
        found.append(max(0.0, samples[later].at - sample.at))
    return found


def measure(kind: str, load: Load, report: Report) -> None:
    """One server."""
    with ExitStack() as held:
        server = held.enter_context(server_of(kind))
        server.create_database("bench")
        url = server.url("bench")
        held.enter_context(node_on(url))
        connection = held.enter_context(plain_connection(url))
        ask(connection, "INSERT INTO country (code, name) VALUES ('aa', 'A')")
        time.sleep(1)
        progress(f"{kind}: {load.rate:,} changes a second for {load.seconds:g} s")
        context = multiprocessing.get_context("spawn")
        committed: Any = context.Value("q", 0)
        ready = context.Barrier(load.writers)
        writers = [
            context.Process(target=write, args=(url, number, load, committed, ready), daemon=True)
            for number in range(load.writers)
        ]
        for writer in writers:
            writer.start()
        samples = watch(connection, writers, committed)
        for writer in writers:
            writer.join()
        add_row(report, kind, samples)


def add_row(report: Report, kind: str, samples: list[Sample]) -> None:
    """One line of the results; the time counts from the first commit."""
    last = samples[-1]
    first = next(sample for sample in samples if sample.committed)
    written = next(sample for sample in samples if sample.committed == last.committed)
    done = next(sample for sample in samples if sample.sealed == last.sealed)
    behind = [sample.committed - sample.sealed for sample in samples]
    waits = delays(samples)
    sealed = last.sealed / (done.at - first.at)
    values: dict[str, Value] = {
        "measured": kind,
        "changes": last.committed,
        "committed/s": last.committed / (written.at - first.at),
        "sealed/s": sealed,
        "behind, p50": max(0, int(percentile(behind, 0.5))),
        "behind, most": max(behind),
        "ms to be sealed, p50": percentile(waits, 0.5) * 1_000,
        "p99": percentile(waits, 0.99) * 1_000,
        "at the end, s": max(0.0, done.at - written.at),
        "all sealed": last.sealed == last.committed,
    }
    report.add(**values)


def main() -> None:
    """Measure on each server and print the results."""
    parser = options("Whether sealing keeps up with several writers.")
    parser.add_argument("--rate", type=int, default=TARGET, help="changes a second, all together")
    parser.add_argument("--seconds", type=float, default=20, help="how long they write")
    parser.add_argument("--writers", type=int, default=4, help="processes that write")
    parser.add_argument("--rows", type=int, default=100, help="rows in each statement")
    arguments = parser.parse_args()
    load = Load(arguments.rate, arguments.seconds, arguments.writers, arguments.rows)
    report = Report(
        f"Sealing while {load.rate:,} changes a second are asked for",
        (
            "measured",
            "changes",
            "committed/s",
            "sealed/s",
            "behind, p50",
            "behind, most",
            "ms to be sealed, p50",
            "p99",
            "at the end, s",
            "all sealed",
        ),
    )
    for kind in servers(arguments):
        measure(kind, load, report)
    report.show(as_json=arguments.json)


if __name__ == "__main__":
    run(main)
