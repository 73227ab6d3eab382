"""One transaction of a million rows through capture, seal and feed; the node's memory.

The reader subscribes from the beginning, takes all in, and checks that every row came once.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bench.machine import ask, plain_connection, server_of
from bench.report import Report, Value, options, progress, run, servers
from bench.stream import Stream, node_on

TARGET_MEGABYTES = 256
_ROWS_A_STATEMENT = 1_000
_TELL_EVERY = 100_000


def write_all(connection: Any, rows: int) -> float:
    """One transaction; how many seconds it took with its commit."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        for start in range(0, rows, _ROWS_A_STATEMENT):
            numbers = range(start, min(rows, start + _ROWS_A_STATEMENT))
            values = ", ".join(f"({number}, 'aa', 'city {number}', 1)" for number in numbers)
            cursor.execute(
                f"INSERT INTO city (number, country_code, name, population) VALUES {values}"
            )
    connection.commit()
    return time.perf_counter() - began


def read_all(stream: Stream, rows: int, pid: int) -> int:
    """Read until every row has come; the number of rows that came twice or out of order."""
    wrong, seen, last = 0, bytearray(rows), 0
    told = 0
    while told < rows:
        message = stream.next_message()
        if message.get("method") != "feed.change":
            continue
        for change in message["params"]["changes"]:
            wrong += change["position"] <= last
            last = change["position"]
            if change["record"] == "city":
                number = int(change["key"]["number"])
                wrong += seen[number]
                seen[number] = 1
                told += 1
                if told % _TELL_EVERY == 0:
                    progress(f"  told {told:,} of {rows:,}; the node's peak: {peak(pid):.0f} MB")
    return wrong


def peak(pid: int) -> float:
    """The most memory a process ever had, in megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell the memory of a process")


def measure(kind: str, rows: int, report: Report) -> None:
    """One server."""
    with ExitStack() as held:
        server = held.enter_context(server_of(kind))
        server.create_database("bench")
        url = server.url("bench")
        node = held.enter_context(node_on(url))
        connection = held.enter_context(plain_connection(url, autocommit=False))
        reader = held.enter_context(closing(Stream(node)))
        ask(connection, "INSERT INTO country (code, name) VALUES ('aa', 'A')")
        connection.commit()
        before = peak(node.pid)
        reader.send("feed.subscribe", {"from": 0})
        progress(f"{kind}: writing {rows:,} rows in one transaction")
        written = write_all(connection, rows)
        progress(f"{kind}: committed after {written:.0f} s; reading")
        began = time.perf_counter()
        wrong = read_all(reader, rows, node.pid)
        seconds = time.perf_counter() - began
        most = peak(node.pid)
        values: dict[str, Value] = {
            "measured": kind,
            "rows": rows,
            "written in s": written,
            "then told in s": seconds,
            "wrong": wrong,
            "MB before": before,
            "MB peak": most,
            "target": TARGET_MEGABYTES,
            "reached": most < TARGET_MEGABYTES and not wrong,
        }
        report.add(**values)


def main() -> None:
    """Measure on each server and print the results."""
    parser = options("One giant transaction through capture, seal and feed.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the transaction")
    arguments = parser.parse_args()
    report = Report(
        "One transaction, and the node's memory",
        (
            "measured",
            "rows",
            "written in s",
            "then told in s",
            "wrong",
            "MB before",
            "MB peak",
            "target",
            "reached",
        ),
    )
    for kind in servers(arguments):
        measure(kind, arguments.rows, report)
    report.show(as_json=arguments.json)


if __name__ == "__main__":
    run(main)
