"""`herdbook verify`: whether two nodes hold the same rows."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence

import click

from service.cli.output import CommandFailed, ExitCode, Output, counted, output_option
from service.cli.token_source import shown_token, token_option
from service.cli.trust import trusted_ca
from service.cli.verify_node import AskedNode, Table
from service.cli.verify_repair import repair
from service.cli.verify_report import Broken, Verdict, show
from service.cli.verify_tables import Pair, Task, compare, look

PAUSE_SECONDS = 0.5
"""Between two looks at rows that move."""


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--table", "tables", multiple=True, metavar="NAME", help="Only this table; may be repeated."
)
@click.option(
    "--wait",
    type=click.FloatRange(0.0, 86_400.0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for changes that are on their way.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.0, 86_400.0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for each answer.",
)
@token_option
@click.option(
    "--repair",
    "repairing",
    is_flag=True,
    help="Merge the rows that differ, on both nodes. Of two values in one version, A's stands.",
)
@output_option
def verify(
    a: str,
    b: str,
    tables: tuple[str, ...],
    wait: float,
    timeout: float,
    repairing: bool,
    output: Output,
) -> ExitCode:
    r"""Compare the rows of two nodes, to the last bit.

    A and B are the RPC addresses of two running nodes. Their database servers sum up digests of all
    rows, with their lives and versions, deleted ones too; where sums differ, rows are looked at one
    by one. Rows whose changes are on their way are looked at again until --wait is over. Each node
    is also searched for rows without their parents and for values that stand twice.

    In each table a difference is planted for the comparison to find; where it does not, nothing is
    said to be equal.

    Exit code 0: the nodes are equal. 3: they differ, or break a rule. 1: that cannot be told, since
    a node does not answer, changes are still on their way, or one has columns that the other has
    not.

    --repair sends the rows that differ through the merge by which nodes take in each other's
    changes, and compares again. It changes no row that is equal.

    \b
    Examples:
      herdbook verify http://127.0.0.1:8650/ http://127.0.0.1:9650/
      herdbook verify http://127.0.0.1:8650/ http://127.0.0.1:9650/ --table city --json
      herdbook verify http://127.0.0.1:8650/ http://127.0.0.1:9650/ --repair
    """
    token, ca = shown_token(), trusted_ca()
    first, second = (AskedNode(url, timeout, token=token, ca=ca) for url in (a, b))
    pair = Pair(first, second)
    verdict = _compared(pair, tables, wait, output)
    if repairing and verdict.has_rows:
        verdict = _repaired(verdict, tables, wait, output)
    show(verdict, output)
    return verdict.exit_code


def _compared(pair: Pair, wanted: Sequence[str], wait: float, output: Output) -> Verdict:
    ours, theirs = pair.both(lambda node, _which: node.tables())
    if ours.origin == theirs.origin:
        raise CommandFailed(
            "both addresses lead to one node, or to a node and its copy: they have one origin",
            "name two nodes of a herd",
            code="verify.one_node",
        )
    verdict = Verdict(pair, (ours, theirs))
    tasks = list(_tasks(verdict, ours.tables, theirs.tables, wanted))
    seed = random.getrandbits(128)
    with output.progress("comparing", len(tasks)) as advance:
        for task in tasks:
            verdict.tables.append(compare(pair, task, seed))
            verdict.broken += _broken(pair, task.table)
            advance()
    _settle(verdict, {task.table: task for task in tasks}, wait, output)
    return verdict


def _repaired(verdict: Verdict, wanted: Sequence[str], wait: float, output: Output) -> Verdict:
    """Repair what differs, and compare again."""
    with output.progress("repairing", len(verdict.tables)) as advance:
        done = repair(verdict.pair, verdict.tables, advance)
    again = _compared(verdict.pair, wanted, wait, output)
    again.repaired = done
    return again


def _tasks(
    verdict: Verdict, ours: Sequence[Table], theirs: Sequence[Table], wanted: Sequence[str]
) -> Iterator[Task]:
    """The tables to compare; what only one node has is noted."""
    one, other = ({table.name: table for table in tables} for tables in (ours, theirs))
    names = list(wanted) or sorted(one.keys() | other.keys())
    for name in dict.fromkeys(names):
        if name not in one and name not in other:
            raise CommandFailed(f"no node has a table {name} that is captured", code="verify.table")
        if name not in one or name not in other:
            verdict.uncompared.append(name)
            continue
        columns = {**one[name].columns, **other[name].columns}
        common = {n: columns[n] for n in one[name].columns if n in other[name].columns}
        verdict.uncompared += [f"{name}.{columns[n]}" for n in columns if n not in common]
        yield Task(name, common, max(one[name].rows, other[name].rows))


def _broken(pair: Pair, table: str) -> list[Broken]:
    answers = pair.both(lambda node, _which: node.violations(table).violations)
    return [
        Broken(node.url, table, violation)
        for node, violations in zip(pair, answers, strict=True)
        for violation in violations
    ]


def _settle(verdict: Verdict, tasks: dict[str, Task], wait: float, output: Output) -> None:
    """Look again at what moved, until nothing does or the time is over."""
    until = time.monotonic() + wait
    if verdict.moving:
        rows = counted(verdict.moving, "row", "differs", "differ")
        output.note(f"{rows} while changes are on their way; looking again")
    while verdict.moving and time.monotonic() < until:
        time.sleep(min(PAUSE_SECONDS, max(0.0, until - time.monotonic())))
        for found in verdict.tables:
            moved, found.moving = found.moving, []
            look(verdict.pair, tasks[found.table], moved, found)
