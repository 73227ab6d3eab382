"""`herdbook range export` and `import`: ranges as lines of CSV."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from records.errors import HerdbookError
from records.family_words import PURPOSES
from service.cli.asking import Refused, ask, shows_refusals, url_option
from service.cli.family import everything_option
from service.cli.named import id_of_node, names_of
from service.cli.output import Advance, CommandFailed, ExitCode, Output, counted, output_option
from service.cli.range_parts import range_
from service.cli.wording import data_of, failures_of, in_words
from service.methods.listing import LARGEST_LIMIT
from service.ranges.csvfile import Entry, Problems, look, write
from service.ranges.errors import FileRefused
from service.ranges.notation import read_block
from service.ranges.values import Purpose

__all__ = ["range_"]

MOST_IN_A_CALL = 5_000
"""Ranges that one call adds, in one transaction: nobody else adds any for about two seconds."""

MOST_BYTES = 4 * 2**20
"""Of a call; a node takes twice as many as it comes."""


@range_.command("export")
@click.option("--node", "node_name", metavar="NAME", help="Only blocks of this node.")
@click.option("--purpose", type=click.Choice(PURPOSES), help="Only blocks for this purpose.")
@click.option("--where", metavar="JSON", help="Only these: a condition as `range.list` takes it.")
@url_option
@output_option
@shows_refusals
def export(
    node_name: str | None, purpose: str | None, where: str | None, url: str, output: Output
) -> ExitCode:
    r"""Write ranges as CSV, in the order of their addresses; `import` reads it.

    With --json a line for each range.

    \b
    Examples:
      herdbook range export > ranges.csv
      herdbook range export --purpose pool --where '["cidr", "within", "10.0.0.0/8"]'
    """
    asked = [["node.name", "=", node_name], ["purpose", "=", purpose]]
    parts = [each for each in asked if each[2] is not None]
    if where is not None:
        parts.append(_condition(where))
    condition = ["and", *parts] if parts else None
    total = ask(url, "range.count", {"where": condition})
    if node_name is not None and not total:
        id_of_node(url, node_name)
    with output.progress("ranges", total) as advance:
        entries = list(_exported(url, condition, advance))
    if not output.as_json:
        output.file("".join(write(entries)))
    for each in entries if output.as_json else ():
        output.result(_plain(each))
    return ExitCode.DONE


@range_.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only look; write nothing.")
@everything_option
@url_option
@output_option
@shows_refusals
def import_(file: Path, dry_run: bool, everything: bool, url: str, output: Output) -> ExitCode:
    r"""Add the ranges of a CSV file, - for stdin; its columns are node, cidr, purpose, and note.

    All of it is looked at first. Whatever is wrong with any line is told at once, and nothing is
    written then. Ranges that are there already are passed over, so it may be run again.

    \b
    Examples:
      herdbook range import ranges.csv --dry-run
      herdbook range import ranges.csv
    """
    entries, problems = look(_lines(file), everything=everything)
    # What is served is judged beside the pools that are there, and not beside those of the file.
    entries.sort(key=lambda each: each.purpose is Purpose.POOL)
    batches = list(_batches(entries))
    found = _looked_at(url, batches, problems, everything, output)
    try:
        problems.raise_any()
    except FileRefused as refused:
        raise _refused(file, refused) from None
    told = found if dry_run else _written(url, batches, everything, output)
    verb = ("would be added", "would be added") if dry_run else ("is added", "are added")
    text = counted(told["added"], "range", *verb)
    more = f"; {told['there']} {'was' if told['there'] == 1 else 'were'} there already"
    output.result({**told, "dry_run": dry_run}, text + (more if told["there"] else ""))
    return ExitCode.DONE


def _condition(text: str) -> Any:
    """The condition that `--where` is."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise CommandFailed(
            f"--where is no JSON: {error}",
            """write one such as '["purpose", "=", "pool"]'""",
            code="usage",
            exit_code=ExitCode.USAGE,
        ) from error


def _exported(url: str, condition: Any, advance: Advance) -> Iterator[Entry]:
    """All ranges of a condition, page by page."""
    fields = ["id", "node_id", "cidr", "purpose", "note"]
    asked = {"where": condition, "order": "cidr", "limit": LARGEST_LIMIT, "fields": fields}
    names: dict[str, str] = {}
    position: str | None = None
    while True:
        page = ask(url, "range.list", {**asked, "next": position})
        unnamed = [each for each in page["records"] if each["node_id"] not in names]
        names |= names_of(url, unnamed)
        for each in page["records"]:
            purpose, note = Purpose(each["purpose"]), each["note"] or ""
            yield Entry(names[each["node_id"]], read_block(each["cidr"]), purpose, note)
        advance(len(page["records"]))
        position = page["next"]
        if position is None:
            return


def _plain(entry: Entry) -> dict[str, object]:
    """A range as a call takes it."""
    note = {"note": entry.note} if entry.note else {}
    return {"node": entry.node, "cidr": str(entry.block), "purpose": str(entry.purpose), **note}


def _lines(file: Path) -> io.StringIO:
    """The text of a file, line by line."""
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}", code="range.file") from None
    try:
        return io.StringIO(data.decode(), newline="")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as UTF-8 and run the command again"
        raise CommandFailed(f"{file} is no UTF-8 in line {line}", hint, code="range.file") from None


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The entries in the fewest calls that a node takes, in their order."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        needed = len(msgspec.json.encode(_plain(entry)))
        if batch and (len(batch) == MOST_IN_A_CALL or size + needed > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += needed
    if batch:
        yield batch


def _looked_at(
    url: str,
    batches: Sequence[list[Entry]],
    problems: Problems,
    everything: bool,
    output: Output,
) -> dict[str, int]:
    """What would be written; what is wrong is noted."""
    found = {"added": 0, "there": 0}
    with output.progress("looked at", sum(map(len, batches))) as advance:
        for batch in batches:
            try:
                _add(found, ask(url, "range.import", _asked(batch, everything) | {"dry_run": True}))
            except Refused as refused:
                _note(refused, batch, problems)
            advance(len(batch))
    return found


def _written(
    url: str, batches: Sequence[list[Entry]], everything: bool, output: Output
) -> dict[str, int]:
    """What was written, each batch in one transaction."""
    found = {"added": 0, "there": 0}
    with output.progress("written", sum(map(len, batches))) as advance:
        for batch in batches:
            try:
                _add(found, ask(url, "range.import", _asked(batch, everything)))
            except Refused as refused:
                if not found["added"]:
                    raise
                _stopped(found["added"], in_words(refused.text))
            except CommandFailed as failed:
                _stopped(found["added"], failed)
            advance(len(batch))
    return found


def _stopped(added: int, failed: CommandFailed) -> NoReturn:
    """Tell how far it came."""
    message = f"{counted(added, 'range', 'was', 'were')} added before this: {failed.message}"
    hint = f"{failed.hint}\nRun it again for the rest: what is there already is passed over."
    raise CommandFailed(message, hint.strip(), code=failed.code, details={"added": added})


def _asked(batch: Sequence[Entry], everything: bool) -> dict[str, Any]:
    return {"ranges": [_plain(each) for each in batch], "everything": everything or None}


def _add(found: dict[str, int], answer: Mapping[str, int]) -> None:
    for name in found:
        found[name] += answer[name]


def _note(refused: Refused, batch: Sequence[Entry], problems: Problems) -> None:
    """Note what a node refuses at the lines it is about; raise it where it is about none."""
    data = data_of(msgspec.json.decode(refused.text))
    failures = failures_of(data)
    if not failures or any(each.index is None for each in failures):
        raise refused
    for each in failures:
        problems.add(batch[each.index or 0].line, each.code, each.message)
    problems.add_untold(int(data.get("errors_left_out", 0)))


def _refused(file: Path, refused: FileRefused) -> HerdbookError:
    """The error of a file of which nothing was taken."""
    listed = [asdict(each) for each in refused.problems]
    return CommandFailed(
        f"{file}: nothing was written\n{refused}",
        "Correct these lines and run the command again.",
        code="range.file",
        details={"problems": listed, "more": refused.more},
    )
