"""What all measurements have in common: options, progress, results as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

SERVERS = ("mariadb", "mysql")
Value = str | int | float | bool | None


@dataclass
class Report:
    """Rows of results, one for each thing that was measured."""

    title: str
    columns: Sequence[str]
    rows: list[Mapping[str, Value]] = field(default_factory=list)

    def add(self, **values: Value) -> None:
        """One more result; it has a value for each column."""
        self.rows.append({column: values[column] for column in self.columns})

    def show(self, *, as_json: bool) -> None:
        """Print all results on standard output."""
        if as_json:
            machine = {"python": platform.python_version(), "processor": platform.machine()}
            print(json.dumps({"title": self.title, "machine": machine, "results": self.rows}))
            return
        Console().print(self._lying() if len(self.rows) > len(self.columns) else self._standing())

    def _standing(self) -> Table:
        """A result beside the other, for a few with much about each."""
        table = Table(title=self.title, title_justify="left", show_header=False)
        for column in self.columns:
            table.add_row(column, *(_shown(row[column]) for row in self.rows))
        return table

    def _lying(self) -> Table:
        """A result below the other, for many."""
        table = Table(*self.columns, title=self.title, title_justify="left")
        for row in self.rows:
            table.add_row(*(_shown(row[column]) for column in self.columns))
        return table


def plain_options(description: str) -> argparse.ArgumentParser:
    """A command line with the options that every measurement has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="the results as one line of JSON")
    return parser


def options(description: str) -> argparse.ArgumentParser:
    """The same for what is measured on database servers."""
    parser = plain_options(description)
    parser.add_argument(
        "--server", choices=SERVERS, action="append", help="measure on this server only"
    )
    return parser


def servers(arguments: argparse.Namespace) -> Iterable[str]:
    """The servers to measure on."""
    return arguments.server or SERVERS


def progress(message: str) -> None:
    """Say on standard error what is done now."""
    print(message, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that is not exceeded by this part of all."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(part * len(ordered)) - 1))]


def run(main: Callable[[], Any]) -> None:
    """Run a measurement; Ctrl-C ends it without a traceback."""
    try:
        main()
    except KeyboardInterrupt:
        progress("interrupted")
        sys.exit(130)


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
