"""`herdbook held`: what came from siblings and could not be written on a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import msgspec

from service.cli.arguments import checked_json
from service.cli.asking import ask, page_options, shows_refusals, url_option
from service.cli.journal import shown_key
from service.cli.output import ExitCode, Output, output_option
from service.methods.held_json import DROPPED, REASONS

MOST_ROUNDS = 20
"""What waited for others is tried again once they are written; so many generations of it."""

MOST_SHOWN = 50
"""Rows that are shown after a retry; `held list` pages through all."""

_REASON = click.option("--reason", type=click.Choice(tuple(REASONS)), help="Only for this reason.")


@click.group()
def held() -> None:
    r"""See what is held, try it again, or give it up.

    What a node gets from siblings and cannot write is held: it waits, with the reason, and travels
    on to others.

    \b
    Examples:
      herdbook held list
      herdbook held retry
      herdbook held drop city 018f0000-0000-7000-8000-000000000001
    """


@held.command("list")
@click.option("--record", metavar="NAME", help="Only what is held of this class.")
@_REASON
@page_options
@url_option
@output_option
@shows_refusals
def list_held(
    record: str | None,
    reason: str | None,
    limit: int,
    position: str | None,
    url: str,
    output: Output,
) -> ExitCode:
    r"""List what is held, the eldest first.

    \b
    Example:
      herdbook held list --reason refused
    """
    params = {"record": record, "reason": reason, "limit": limit, "next": position}
    page = ask(url, "held.list", params)
    if output.as_json:
        output.result(page)
        return ExitCode.DONE
    if page["held"]:
        columns = ("since", "record", "key", "waits", "reason", "why", "id")
        output.table(columns, [_row(each) for each in page["held"]])
    else:
        output.say("nothing is held")
    if page["next"] is not None:
        output.note(f"more: --next {page['next']}")
    return ExitCode.DONE


@held.command()
@click.argument("record", required=False)
@click.argument("key", required=False)
@click.option("--id", "identity", metavar="ID", help="One row, by the id that `list` tells.")
@_REASON
@url_option
@output_option
@shows_refusals
def retry(
    record: str | None,
    key: str | None,
    identity: str | None,
    reason: str | None,
    url: str,
    output: Output,
) -> ExitCode:
    r"""Try to write what is held: all of it, what is held of the class RECORD, or of one record.

    Ends with 3 where some of it is still held.

    \b
    Examples:
      herdbook held retry --reason refused
      herdbook held retry city
      herdbook held retry city 018f0000-0000-7000-8000-000000000001
    """
    if key is not None or identity is not None:
        answer = ask(url, "held.retry", _one(record, key, identity))
        return _told(answer["written"], answer["held"], output)
    written, still = 0, list[dict[str, Any]]()
    for _round in range(MOST_ROUNDS):
        more, still = _round_of(url, {"record": record, "reason": reason}, output)
        written += more
        if not more or not still:
            break
    return _told(written, still, output)


@held.command()
@click.argument("record", required=False)
@click.argument("key", required=False)
@click.option("--id", "identity", metavar="ID", help="The id that `list` tells, instead.")
@url_option
@output_option
@shows_refusals
def drop(
    record: str | None, key: str | None, identity: str | None, url: str, output: Output
) -> ExitCode:
    r"""Give up what is held of one record; its values go into the journal.

    It is not tried again by itself, and is shown with `--reason dropped` only. Siblings have it all
    the same, also those that get it by way of this node. It is tried once more when one of them
    changes the record, or by `herdbook held retry` with its key or id.

    \b
    Examples:
      herdbook held drop city 018f0000-0000-7000-8000-000000000001
      herdbook held drop stall '{"farm_id": 7, "place": 2}'
      herdbook held drop --id 5f0c…
    """
    if identity is None and (record is None or key is None):
        raise click.UsageError("Name the record by its class and key, or by --id.")
    answer = ask(url, "held.drop", _one(record, key, identity))
    number = answer["entry"]
    output.result(answer, f"dropped; `herdbook journal show {number}` tells what it was")
    return ExitCode.DONE


def _one(record: str | None, key: str | None, identity: str | None) -> dict[str, Any]:
    """The parameters that name one record; a key of several fields is written as JSON."""
    if key is not None and key.lstrip().startswith(("{", "[")):
        return {"record": record, "key": msgspec.Raw(checked_json(key, "KEY").encode())}
    return {"record": record, "key": key, "id": identity}


def _round_of(url: str, params: dict[str, Any], output: Output) -> tuple[int, list[dict[str, Any]]]:
    """Try all once; how many were written, and what is still held."""
    wanted = _wanted(ask(url, "herd.status")["held"], params["reason"])
    total = None if params["record"] else wanted
    written, still, position = 0, list[dict[str, Any]](), None
    with output.progress("retried", total) as advance:
        while True:
            answer = ask(url, "held.retry", {**params, "next": position})
            written += answer["written"]
            still += answer["held"]
            advance(answer["tried"])
            position = answer["next"]
            if position is None:
                return written, still


def _wanted(held: Mapping[str, int], reason: str | None) -> int:
    """How many rows are tried for a reason; without one for all but those that were given up."""
    if reason is not None:
        return held.get(reason, 0)
    return sum(count for each, count in held.items() if each != DROPPED)


def _told(written: int, still: list[dict[str, Any]], output: Output) -> ExitCode:
    output.result({"written": written, "held": still}, f"written: {written}, held: {len(still)}")
    rows = [
        (each["record"] or each["table"], shown_key(each["key"]), each["text"])
        for each in still[:MOST_SHOWN]
    ]
    if rows:
        output.table(("record", "key", "why"), rows)
    if len(still) > len(rows):
        output.say(f"and {len(still) - len(rows)} more: `herdbook held list`")
    return ExitCode.DIFFERENCES if still else ExitCode.DONE


def _row(each: dict[str, Any]) -> tuple[object, ...]:
    return (
        each["held_at"][:19],
        each["record"] or each["table"],
        shown_key(each["key"]),
        each["waits"],
        each["reason"],
        each["text"],
        each["id"],
    )
