"""`herdbook range split` and `merge`: ranges that become others with the same addresses."""

from __future__ import annotations

import click

from service.cli.asking import ask, shows_refusals, url_option
from service.cli.named import names_of
from service.cli.output import ExitCode, Output, counted, output_option
from service.cli.ranges import range_

__all__ = ["range_"]


@range_.command()
@click.argument("range_name", metavar="RANGE")
@click.argument("length", type=click.IntRange(1, 128))
@click.option(
    "--give", metavar="BLOCK=NODE", multiple=True, help="A part that another node gets; again."
)
@url_option
@output_option
@shows_refusals
def split(
    range_name: str, length: int, give: tuple[str, ...], url: str, output: Output
) -> ExitCode:
    r"""Cut RANGE, a block or an id, into parts of this prefix LENGTH.

    A pool is split by its own node only: so a part of its space is given to another node.

    \b
    Examples:
      herdbook range split 10.0.0.0/16 18
      herdbook range split 10.0.0.0/16 17 --give 10.0.128.0/17=barn
    """
    given = _parts_given(give)
    asked = {"range": range_name, "length": length, "give": given or None}
    answer = ask(url, "range.split", asked)
    if output.as_json:
        output.result(answer)
        return ExitCode.DONE
    parts = answer["parts"]
    names = names_of(url, parts)
    rows = [(e["cidr"], e["purpose"], names[e["node_id"]], e["id"]) for e in parts]
    output.table(("block", "purpose", "node", "id"), rows)
    return ExitCode.DONE


@range_.command()
@click.argument("ranges", nargs=-1, required=True, metavar="RANGE...")
@click.option("--note", metavar="TEXT", help="Words about the whole; default: those of all.")
@url_option
@output_option
@shows_refusals
def merge(ranges: tuple[str, ...], note: str | None, url: str, output: Output) -> ExitCode:
    r"""Put ranges, each a block or an id, together to one.

    They are of one node and purpose, and make one block. Pools are merged by their own node only.

    \b
    Example:
      herdbook range merge 10.0.0.0/17 10.0.128.0/17
    """
    made = ask(url, "range.merge", {"ranges": list(ranges), "note": note})
    told = f"{made['cidr']} is one range now, of {counted(len(ranges), 'range')}"
    output.result(made, f"{told}; its id is {made['id']}")
    return ExitCode.DONE


def _parts_given(give: tuple[str, ...]) -> dict[str, str]:
    """The nodes that get parts, by part."""
    given: dict[str, str] = {}
    for block, name in map(_given, give):
        if block in given:
            raise click.UsageError(f"--give {block} stands there twice; name one node for it")
        given[block] = name
    return given


def _given(text: str) -> tuple[str, str]:
    """A part and the node that gets it."""
    block, sign, name = text.partition("=")
    if not (sign and block and name):
        raise click.UsageError(f"--give {text}: write BLOCK=NODE, such as 10.0.128.0/17=barn")
    return block, name
