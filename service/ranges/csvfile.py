"""Ranges as lines of CSV: a header `node,cidr,purpose` and perhaps `note`, then a range a line.

What is read may hold wildcards and the like (`notation.read_blocks`), which stand for as many
ranges as they have blocks. What is written holds one block a line, and reads as it was.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from records.errors import ValueRefused
from records.stamps import Version
from service.ranges.blocks import Block
from service.ranges.disputes import disputes
from service.ranges.errors import FileRefused, LineProblem, shown
from service.ranges.notation import read_blocks
from service.ranges.values import Purpose, Range, refuse_everything

COLUMNS = ("node", "cidr", "purpose", "note")
NEEDED = COLUMNS[:3]

MOST_PROBLEMS = 50
"""How many problems of one file are told: who has more of them has one of them fifty times."""

MOST_RANGES = 200_000
"""How many ranges one file may give: twice what a herd is measured with."""


class Entry(NamedTuple):
    """One range as a file gives it; `line` is where its record begins, from 1."""

    node: str
    block: Block
    purpose: Purpose
    note: str = ""
    line: int = 0


Check = Callable[[Entry], object]
"""Raises ValueRefused for an entry its caller does not take: of a node that is not known, say."""


def take_any(entry: Entry) -> None:
    """The check that refuses nothing."""


def read(lines: Iterable[str], check: Check = take_any, *, everything: bool = False) -> list[Entry]:
    """The ranges of a file, in its order, given its lines with their ends.

    `everything` takes `0.0.0.0/0` and `::/0` for every purpose (`values.refuse_everything`). Raises
    FileRefused with all that is wrong: with the CSV, the columns, a value, with what the check
    refuses, and ranges that exclude each other or come twice.
    """
    entries, problems = look(lines, check, everything=everything)
    problems.raise_any()
    return entries


def look(
    lines: Iterable[str], check: Check = take_any, *, everything: bool = False
) -> tuple[list[Entry], Problems]:
    """The ranges of a file of which nothing is wrong by itself, and all that is wrong with it.

    For a caller that finds more, and tells all of it at once.
    """
    problems = Problems()
    entries: list[Entry] = []
    records = _records(lines, problems)
    columns = _columns(records, problems)
    for line, cells in records if columns else ():
        row = _row(line, cells, columns, problems)
        entries += _checked(_entries(line, row, problems), check, everything, problems)
        if len(entries) > MOST_RANGES:
            fault = f"there are more than {MOST_RANGES:,} ranges; cut the file into several"
            problems.add(line, "range.too_many", fault)
            break
    _note_clashes(entries, problems)
    return entries, problems


def write(entries: Iterable[Entry]) -> Iterator[str]:
    """The lines of a file that holds these ranges, with their ends (RFC 4180)."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield str(writer.writerow(COLUMNS))
    for entry in entries:
        yield str(writer.writerow((entry.node, entry.block, entry.purpose, entry.note)))


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        """The text."""
        return text


class Problems:
    """What is wrong with a file: the first ones, and how many more."""

    def __init__(self) -> None:
        self._first: list[LineProblem] = []
        self._more = 0
        self._told: set[tuple[int, str, str]] = set()

    def add(self, line: int, code: str, message: str) -> None:
        """Note one more, once for a line however many blocks it stands for."""
        told = len(self._told)
        self._told.add((line, code, message))
        if len(self._told) == told:
            return
        if len(self._first) < MOST_PROBLEMS:
            self._first.append(LineProblem(line, code, message))
        else:
            self._more += 1

    def add_untold(self, number: int) -> None:
        """There are so many more, of which nobody has told more."""
        self._more += number

    def raise_any(self) -> None:
        """Raise FileRefused where anything is wrong."""
        if self._first:
            raise FileRefused(sorted(self._first, key=lambda each: each.line), self._more)


def _records(lines: Iterable[str], problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """The records that hold anything, and where each begins; up to where it is no CSV."""
    reader = csv.reader(_without_mark(lines), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problems.add(line, "range.csv", f"{_why_no_csv(error)}; nothing was read from here on")
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    """The lines without the byte order mark that some programs put before the first."""
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix("\ufeff")


def _why_no_csv(error: csv.Error) -> str:
    """What to say of what the csv module does not read."""
    if str(error).startswith("field larger"):
        return f"a value is longer than {csv.field_size_limit():,} characters"
    return "a quote is not closed, or stands within a value without being doubled"


def _columns(records: Iterator[tuple[int, list[str]]], problems: Problems) -> tuple[str, ...]:
    """The names in the first line; none where they will not do."""
    line, cells = next(records, (1, []))
    columns = tuple(cell.strip().lower() for cell in cells)
    if not (fault := _columns_fault(columns)):
        return columns
    names = "the first line names the columns: node,cidr,purpose and perhaps note"
    problems.add(line, "range.columns", f"{fault}; {names}")
    return ()


def _columns_fault(columns: Sequence[str]) -> str:
    """What is wrong with the names of the columns; nothing where they will do."""
    unknown = [f"there is no column {shown(each)}" for each in columns if each not in COLUMNS]
    missing = [f"{each} is missing" for each in NEEDED if each not in columns]
    twice = [f"{each} is there twice" for each in COLUMNS if columns.count(each) > 1]
    if not columns:
        return "the file is empty"
    if len(columns) == 1 and any(sign in columns[0] for sign in ";\t"):
        return "values are not separated by commas"
    return ", ".join(unknown[: len(COLUMNS)] + missing + twice)


def _row(
    line: int, cells: Sequence[str], columns: Sequence[str], problems: Problems
) -> Mapping[str, str]:
    """The values of a record by column; nothing where their number is wrong."""
    if len(cells) == len(columns):
        return dict(zip(columns, cells, strict=True))
    fault = f"{len(cells)} values where the first line names {len(columns)} columns"
    hint = "put a value that holds commas in double quotes"
    problems.add(line, "range.columns", f"{fault}; {hint}")
    return {}


def _entries(line: int, row: Mapping[str, str], problems: Problems) -> list[Entry]:
    """The ranges of a record: none where anything about it is wrong."""
    if not row:
        return []
    node = row["node"].strip()
    if not node:
        problems.add(line, "range.node", "no node is named; write which node the range is for")
    purpose = _purpose(line, row["purpose"].strip(), problems)
    blocks = _blocks(line, row["cidr"].strip(), problems)
    if not node or purpose is None:
        return []
    return [Entry(node, block, purpose, row.get("note", ""), line) for block in blocks]


def _purpose(line: int, text: str, problems: Problems) -> Purpose | None:
    """The purpose of this name; None where there is none."""
    try:
        return Purpose(text)
    except ValueError:
        fault = f"there is no purpose {shown(text)}" if text else "there is no purpose"
        problems.add(line, "range.purpose", f"{fault}; write one of {', '.join(Purpose)}")
        return None


def _blocks(line: int, text: str, problems: Problems) -> list[Block]:
    """The blocks that a text stands for; none where it is refused."""
    try:
        return read_blocks(text)
    except ValueRefused as refused:
        problems.add(line, refused.code, refused.message)
        return []


def _checked(
    entries: Iterable[Entry], check: Check, everything: bool, problems: Problems
) -> Iterator[Entry]:
    """The entries that are not refused."""
    for entry in entries:
        try:
            refuse_everything(entry.block, entry.purpose, meant=everything)
            check(entry)
        except ValueRefused as refused:
            problems.add(entry.line, refused.code, refused.message)
        else:
            yield entry


def _note_clashes(entries: Sequence[Entry], problems: Problems) -> None:
    """Note the ranges that an earlier line excludes, or has already: once for each two lines."""
    told = set()
    for code, entry, earlier in [*_twice(entries), *_excluded(entries)]:
        if (entry.line, earlier.line) not in told:
            told.add((entry.line, earlier.line))
            here = _range(0, entry)
            there = "the same" if code == "range.twice" else _range(0, earlier)
            problems.add(entry.line, code, f"{here}: line {earlier.line} has {there}")


def _twice(entries: Iterable[Entry]) -> Iterator[tuple[str, Entry, Entry]]:
    """Entries that say what an earlier one has said."""
    seen: dict[tuple[str, Block, Purpose], Entry] = {}
    for entry in entries:
        earlier = seen.setdefault((entry.node, entry.block, entry.purpose), entry)
        if earlier is not entry:
            yield "range.twice", entry, earlier


def _excluded(entries: Sequence[Entry]) -> Iterator[tuple[str, Entry, Entry]]:
    """Entries that cannot stand beside an earlier one."""
    for loser, against in disputes(_range(n, entry) for n, entry in enumerate(entries)):
        yield "range.taken", entries[loser.id.int], entries[against.id.int]


def _range(number: int, entry: Entry) -> Range:
    """The range of an entry; earlier entries have earlier claims."""
    return Range(
        UUID(int=number), entry.node, entry.block, entry.purpose, Version(entry.line, number)
    )
