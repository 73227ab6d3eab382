"""How every command speaks: results on stdout, everything else on stderr, `--json` for programs.

Law of this room: stdout carries results and nothing else; with `--json` each result is one line.
"""

from __future__ import annotations

import enum
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TextIO, TypeVar

import click
import msgspec

from records.errors import HerdbookError

_Command = TypeVar("_Command", bound=Callable[..., Any])

# Characters that a terminal may take for commands or that turn the reading direction.
_UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class ExitCode(enum.IntEnum):
    """How a command ended, for scripts."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DIFFERENCES = 3
    UNSAFE = 4
    LOCKED = 5
    INTERRUPTED = 130


class CommandFailed(HerdbookError):
    """A command cannot do what it was asked; carries what to do and the exit code."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        code: str = "failed",
        exit_code: ExitCode = ExitCode.FAILED,
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.exit_code = exit_code
        self.details = details or {}


class Advance(Protocol):
    """Tells a progress bar how much more is done."""

    def __call__(self, steps: float = 1, /) -> None:
        """Move the bar."""


@dataclass(frozen=True)
class Output:
    """What a command says its results, remarks and progress to."""

    as_json: bool

    def result(self, document: object, text: str | None = None) -> None:
        """One result: the document as a line of JSON, or the text for people.

        Without a text people get the document too, laid out when stdout is a terminal.
        """
        if self.as_json or text is None:
            self.json(json_text(document))
        else:
            _write(sys.stdout, f"{_printable(text)}\n")

    def json(self, text: str) -> None:
        """One result that is JSON text already, its numbers kept as they are written."""
        write_json(sys.stdout, text if self.as_json else laid_out(text, sys.stdout))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows for people, on stdout; nothing with `--json`, where `result` tells it all."""
        if self.as_json:
            return
        # rich is imported where it is used: most runs print neither table nor bar.
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(Text(_printable(str(cell))) for cell in row))
        # A pipe has no width: nothing is cut or wrapped for it.
        width = None if sys.stdout.isatty() else 10_000
        console = Console(file=sys.stdout, width=width, highlight=False, markup=False)
        with console.capture() as captured:
            console.print(table)
        lines = captured.get().rstrip("\n").split("\n")
        _write(sys.stdout, "".join(f"{line.rstrip()}\n" for line in lines))

    def say(self, text: str = "") -> None:
        """A line for people on stdout; nothing with `--json`."""
        if not self.as_json:
            _write(sys.stdout, f"{_printable(text)}\n")

    def file(self, text: str) -> None:
        """A whole file on stdout, as it is; a terminal gets nothing that could command it."""
        if sys.stdout.isatty():
            _write(sys.stdout, _printable(text.replace("\r\n", "\n")))
        else:
            _write(sys.stdout, text)

    def note(self, text: str) -> None:
        """A remark for people on stderr, beside the result; nothing with `--json`."""
        if not self.as_json:
            _write(sys.stderr, f"{_printable(text)}\n")

    @contextmanager
    def progress(self, what: str, total: float | None) -> Iterator[Advance]:
        """A bar on stderr while the block runs; silent with `--json` or without a terminal."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        silent = self.as_json or not sys.stderr.isatty()
        columns = (TextColumn("{task.description}", markup=False), BarColumn())
        more = (MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, *more, console=Console(stderr=True), disable=silent) as bar:
            task = bar.add_task(what, total=total)
            yield lambda steps=1: bar.advance(task, steps)


def output_option(command: _Command) -> _Command:
    """Give a command `--json`, and hand it its Output as the argument `output`."""
    option = click.option(
        "--json",
        "output",
        is_flag=True,
        callback=lambda _context, _parameter, value: Output(bool(value)),
        help="Print results as JSON, one line each, and errors as JSON on stderr.",
    )
    return option(command)


def json_text(document: object) -> str:
    """The document as JSON on one line."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def counted(number: int, what: str, one: str = "", several: str = "") -> str:
    """So many of something, and the verb that goes with it: 1 row is, 2 rows are."""
    verb = one if number == 1 else several
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else plural} {verb}".rstrip()


def laid_out(text: str, stream: TextIO) -> str:
    """JSON text as it is, or over several lines where people read it."""
    return msgspec.json.format(text, indent=2) if stream.isatty() else text


def _printable(text: str) -> str:
    """Text for people without characters that could command their terminal."""
    plain = re.sub(r"[\x00-\x08\x0b-\x1f]", "\N{REPLACEMENT CHARACTER}", text)
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", plain)


def _write(stream: TextIO, text: str) -> None:
    """Write all of it now, so that a reader at the other end of a pipe need not wait."""
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def write_json(stream: TextIO, text: str) -> None:
    """A line or more of JSON; what the stream cannot show or a terminal could obey is escaped."""
    escaped = _UNSAFE.sub(_escape, text)
    try:
        escaped.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        escaped = re.sub(r"[^\x00-\x7e]", _escape, escaped)
    _write(stream, f"{escaped}\n")


def _escape(match: re.Match[str]) -> str:
    """A character as JSON escapes it, beyond 16 bits as two."""
    return json.dumps(match[0])[1:-1]


def write_error(text: str) -> None:
    """A line on stderr, for the frame's error messages."""
    _write(sys.stderr, f"{_printable(text)}\n")
