"""`herdbook range`: what is asked of all ranges together, and blocks out of pools.

`service.cli.family` has the commands about ranges one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from records.family_words import PURPOSES
from service.cli.asking import ask, shows_refusals, url_option
from service.cli.family import range_
from service.cli.output import ExitCode, Output, counted, output_option
from service.methods.listing import LARGEST_LIMIT

__all__ = ["range_"]


@range_.command()
@click.argument("length", type=click.IntRange(0, 128))
@click.option("--purpose", type=click.Choice(PURPOSES), required=True, help="What it is for.")
@click.option("--from", "source", metavar="POOL", help="Only this pool: its block or its id.")
@click.option("--family", type=click.Choice(["4", "6"]), help="Where no pool is named.")
@click.option("--note", metavar="TEXT", help="Words about it.")
@url_option
@output_option
@shows_refusals
def allocate(
    length: int,
    purpose: str,
    source: str | None,
    family: str | None,
    note: str | None,
    url: str,
    output: Output,
) -> ExitCode:
    r"""Give the asked node the next free block of this prefix LENGTH out of its pools.

    Without --from and --family it is IPv6 where LENGTH is more than 32, else IPv4.

    \b
    Examples:
      herdbook range allocate 28 --purpose serves
      herdbook range allocate 64 --purpose serves --from 2001:db8::/48 --note "the lab"
    """
    asked = {
        "length": length,
        "purpose": purpose,
        "from": source,
        "family": None if family is None else int(family),
        "note": note,
    }
    made = ask(url, "range.allocate", asked)
    output.result(made, f"{made['cidr']} is {made['purpose']} now; its id is {made['id']}")
    return ExitCode.DONE


@range_.command()
@click.argument("address")
@url_option
@output_option
@shows_refusals
def locate(address: str, url: str, output: Output) -> ExitCode:
    r"""Tell which node serves ADDRESS; ends with 1 where none does.

    \b
    Example:
      herdbook range locate 10.1.2.3
    """
    found = ask(url, "range.locate", {"address": address})
    if found["range"] is None:
        output.result(found, f"no node serves {found['address']}")
        return ExitCode.FAILED
    output.result(found, f"{found['node']} serves {found['address']}, by {found['range']['cidr']}")
    return ExitCode.DONE


@range_.command()
@click.option("--pool", metavar="POOL", help="One pool: its block or its id.")
@click.option("--node", "node_name", metavar="NAME", help="All pools of this node.")
@click.option(
    "--limit",
    type=click.IntRange(1, LARGEST_LIMIT),
    default=10,
    show_default=True,
    metavar="N",
    help="How many free blocks of each pool to show.",
)
@url_option
@output_option
@shows_refusals
def free(pool: str | None, node_name: str | None, limit: int, url: str, output: Output) -> ExitCode:
    r"""Show what is free of pools: of the asked node's where none is named.

    \b
    Examples:
      herdbook range free
      herdbook range free --pool 10.1.0.0/16 --limit 100
    """
    asked = {"pool": pool, "node": node_name, "limit": limit}
    answer = ask(url, "range.free", asked)
    rows = [_free_row(each) for each in answer["pools"]]
    columns = ("pool", "node", "addresses free", "in blocks", "the first of them")
    _tell(output, answer, columns, rows, "no pools")
    return ExitCode.DONE


@range_.command()
@click.option("--node", "node_name", metavar="NAME", help="Only what this node has.")
@url_option
@output_option
@shows_refusals
def summary(node_name: str | None, url: str, output: Output) -> ExitCode:
    r"""Show how many ranges and addresses there are for each purpose.

    Addresses that several ranges hold count once.

    \b
    Example:
      herdbook range summary --node barn
    """
    answer = ask(url, "range.summary", {"node": node_name})
    rows = [
        (each["purpose"], f"IPv{each['family']}", each["ranges"], each["blocks"], each["addresses"])
        for each in answer["totals"]
        if each["ranges"]
    ]
    columns = ("purpose", "family", "ranges", "blocks", "addresses")
    _tell(output, answer, columns, rows, "no ranges")
    return ExitCode.DONE


@range_.command()
@url_option
@output_option
@shows_refusals
def disputes(url: str, output: Output) -> ExitCode:
    r"""List the ranges that cannot stand beside an earlier one of another node.

    They serve nobody and give nothing out. Release one of the two. Ends with 3 where there is any.

    \b
    Example:
      herdbook range disputes
    """
    answer = ask(url, "range.disputes")
    rows = [_dispute_row(each) for each in answer["disputes"]]
    columns = ("disputed", "purpose", "node", "id", "against", "of node")
    _tell(output, answer, columns, rows, "no disputes")
    if answer["count"] > len(rows):
        output.note(f"these are the first of {counted(answer['count'], 'dispute')}")
    return ExitCode.DIFFERENCES if rows else ExitCode.DONE


def _tell(
    output: Output,
    answer: object,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    nothing: str,
) -> None:
    """The answer as it came for programs, as a table for people."""
    if output.as_json:
        output.result(answer)
    elif rows:
        output.table(columns, rows)
    else:
        output.say(nothing)


def _free_row(each: dict[str, Any]) -> tuple[object, ...]:
    """A pool as a line; a disputed one says so instead of its blocks."""
    more = ["…"] if each["blocks"] > len(each["free"]) else []
    shown = "disputed, gives nothing out" if each["disputed"] else " ".join(each["free"] + more)
    pool = each["pool"]
    return pool["cidr"], pool["node"], each["addresses"], each["blocks"], shown


def _dispute_row(each: dict[str, Any]) -> tuple[object, ...]:
    """A dispute as a line."""
    loser, against = each["range"], each["against"]
    return (*(loser[name] for name in ("cidr", "purpose", "node", "id")), against["cidr"],
            against["node"])  # fmt: skip
