"""`herdbook node` and `herdbook range`: the nodes of a herd, and their blocks of addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from records.family_words import NODE_STATES, PURPOSES
from service.cli.asking import ask, page_options, shows_refusals, url_option
from service.cli.gate import gate
from service.cli.invitations import invitations, invite, withdraw
from service.cli.named import id_of_node, ids_of_ranges, names_of
from service.cli.output import ExitCode, Output, output_option
from service.cli.renewing import renew

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group()
def node() -> None:
    r"""See the nodes of the herd, say where they are, and invite new ones.

    Each node keeps a record of itself, which siblings get like any other.

    \b
    Examples:
      herdbook node list
      herdbook node update barn --site north --weight 2
      herdbook node invite byre --ca ./authority --sibling tcp:barn.example.org:8653
    """


for _command in (invite, invitations, withdraw, gate, renew):
    node.add_command(_command)


@node.command("list")
@click.option("--state", type=click.Choice(NODE_STATES), help="Only nodes in this state.")
@page_options
@url_option
@output_option
@shows_refusals
def list_nodes(
    state: str | None, limit: int, position: str | None, url: str, output: Output
) -> ExitCode:
    r"""List the nodes that the asked one knows of, by name.

    \b
    Examples:
      herdbook node list
      herdbook node list --state active --json
    """
    where = None if state is None else ["state", "=", state]
    asked = {"where": where, "order": "name", "limit": limit, "next": position}
    page = ask(url, "node.list", asked)
    columns = ("name", "origin", "state", "site", "weight", "urls", "id")
    _show(page, columns, [_node_row(each) for each in page["records"]], output, "no nodes")
    return ExitCode.DONE


@node.command()
@click.argument("name")
@click.option("--site", metavar="TEXT", help="Where it is; empty for nowhere.")
@click.option("--at", "urls", metavar="URL", multiple=True, help="Where it can be reached; again.")
@click.option("--weight", type=click.IntRange(0, 2**32 - 1), help="Its share.")
@click.option(
    "--state", type=click.Choice(NODE_STATES), help="Where it stands; retired shuts it out."
)
@url_option
@output_option
@shows_refusals
def update(
    name: str,
    site: str | None,
    urls: tuple[str, ...],
    weight: int | None,
    state: str | None,
    url: str,
    output: Output,
) -> ExitCode:
    r"""Say something of the node NAME; what is not named stays as it is.

    \b
    Examples:
      herdbook node update barn --site north --weight 2
      herdbook node update barn --at https://barn.example/ --at http://10.0.0.1:8650/
      herdbook node update barn --state draining
    """
    said = {"site": site, "urls": list(urls) or None, "weight": weight, "state": state}
    changes: dict[str, Any] = {each: value for each, value in said.items() if value is not None}
    if not changes:
        raise click.UsageError("name what to change: --site, --at, --weight or --state")
    if site == "":
        changes["site"] = None
    record = {"id": id_of_node(url, name), **changes}
    changed = ask(url, "node.update", {"record": record})
    output.result(changed, f"{changed['name']}: {', '.join(changes)} changed")
    return ExitCode.DONE


@click.group("range")
def range_() -> None:
    r"""See which blocks of addresses nodes have; give them and take them.

    \b
    Examples:
      herdbook range list --node barn
      herdbook range add 10.1.0.0/16 --purpose serves --node barn
      herdbook range release 10.1.0.0/16
    """


@range_.command("list")
@click.option("--node", "node_name", metavar="NAME", help="Only blocks of this node.")
@click.option("--purpose", type=click.Choice(PURPOSES), help="Only blocks for this purpose.")
@page_options
@url_option
@output_option
@shows_refusals
def list_ranges(
    node_name: str | None,
    purpose: str | None,
    limit: int,
    position: str | None,
    url: str,
    output: Output,
) -> ExitCode:
    r"""List the blocks, in the order of their addresses.

    \b
    Examples:
      herdbook range list
      herdbook range list --purpose pool --json
    """
    asked = [["node.name", "=", node_name], ["purpose", "=", purpose]]
    wanted = [each for each in asked if each[2] is not None]
    where = ["and", *wanted] if wanted else None
    page = ask(
        url, "range.list", {"where": where, "order": "cidr", "limit": limit, "next": position}
    )
    if node_name is not None and not page["records"]:
        id_of_node(url, node_name)
    names = {} if output.as_json else names_of(url, page["records"])
    rows = [
        (
            each["cidr"],
            each["purpose"],
            names.get(each["node_id"], ""),
            each["note"] or "",
            each["id"],
        )
        for each in page["records"]
    ]
    _show(page, ("block", "purpose", "node", "note", "id"), rows, output, "no ranges")
    return ExitCode.DONE


def everything_option(command: _Command) -> _Command:
    """Give a command `--everything`."""
    wide = "Take 0.0.0.0/0 and ::/0 also as peers, pool or admin."
    return click.option("--everything", is_flag=True, help=wide)(command)


@range_.command()
@click.argument("cidr")
@click.option("--purpose", type=click.Choice(PURPOSES), required=True, help="What it is for.")
@click.option("--node", "node_name", metavar="NAME", help="Who gets it; default: the asked node.")
@click.option("--note", metavar="TEXT", help="Words about it.")
@everything_option
@url_option
@output_option
@shows_refusals
def add(
    cidr: str,
    purpose: str,
    node_name: str | None,
    note: str | None,
    everything: bool,
    url: str,
    output: Output,
) -> ExitCode:
    r"""Give the block CIDR to a node.

    What excludes it is named: a pool of another node that it meets as a pool, or lies in as what a
    node serves, and the same block for the same purpose.

    \b
    Examples:
      herdbook range add 10.1.0.0/16 --purpose serves --node barn
      herdbook range add 2001:db8::/32 --purpose pool --note "from the provider"
    """
    asked = {"cidr": cidr, "purpose": purpose, "node": node_name, "note": note}
    made = ask(url, "range.add", asked | {"everything": everything or None})
    output.result(made, f"{made['cidr']} is {made['purpose']} now; its id is {made['id']}")
    return ExitCode.DONE


@range_.command()
@click.argument("ranges", nargs=-1, required=True, metavar="RANGE...")
@url_option
@output_option
@shows_refusals
def release(ranges: tuple[str, ...], url: str, output: Output) -> ExitCode:
    r"""Take blocks from their nodes: all or none.

    Each RANGE is an id that `list` tells, or a block where only one range has it.

    \b
    Examples:
      herdbook range release 10.1.0.0/16
      herdbook range release 018f0000-0000-7000-8000-000000000001
    """
    answer = ask(url, "range.release", {"records": ids_of_ranges(url, ranges)})
    output.result(answer, f"released: {answer['released']}")
    return ExitCode.DONE


def _show(
    page: dict[str, Any],
    columns: tuple[str, ...],
    rows: Sequence[tuple[object, ...]],
    output: Output,
    nothing: str,
) -> None:
    """A page as it came for programs, as a table for people, and how to go on."""
    if output.as_json:
        output.result(page)
        return
    if rows:
        output.table(columns, rows)
    else:
        output.say(nothing)
    if page["next"] is not None:
        output.note(f"more: --next {page['next']}")


def _node_row(node: dict[str, Any]) -> tuple[object, ...]:
    """A node as a line; what is not known is empty."""
    known = {name: "" if value is None else value for name, value in node.items()}
    urls = known["urls"]
    shown = " ".join(map(str, urls)) if isinstance(urls, list) else urls
    return (*(known[name] for name in ("name", "origin", "state", "site", "weight")), shown,
            known["id"])  # fmt: skip
