"""`herdbook journal`: what lost when nodes' changes were merged, and how it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import msgspec

from service.cli.arguments import parse_arguments
from service.cli.asking import ask, page_options, shows_refusals, url_option
from service.cli.output import ExitCode, Output, json_text, output_option
from service.methods.journal_json import RULES


@click.group()
def journal() -> None:
    r"""See what was put aside when nodes' changes were merged, and restore it.

    Nothing that lost is gone: the journal keeps both values, when and where each was written, and
    the rule by which one of them stands.

    \b
    Examples:
      herdbook journal list
      herdbook journal show 17
      herdbook journal restore 17 --set name=Graz
    """


@journal.command("list")
@click.option("--record", metavar="NAME", help="Only entries of this class.")
@click.option("--rule", type=click.Choice(tuple(RULES)), help="Only entries of this rule.")
@click.option("--since", metavar="MOMENT", help="Noted then or later: 2026-01-31T12:00:00Z.")
@page_options
@url_option
@output_option
@shows_refusals
def list_entries(
    record: str | None,
    rule: str | None,
    since: str | None,
    limit: int,
    position: str | None,
    url: str,
    output: Output,
) -> ExitCode:
    r"""List the entries, the newest first.

    \b
    Examples:
      herdbook journal list --record city --limit 10
      herdbook journal list --rule "later write" --since 2026-01-31T00:00:00Z --json
    """
    params = {"record": record, "rule": rule, "since": since, "limit": limit, "next": position}
    page = ask(url, "journal.list", params)
    if output.as_json:
        output.result(page)
        return ExitCode.DONE
    rows = [
        (
            entry["number"],
            entry["noted_at"][:19],
            entry["rule"],
            entry["record"] or entry["table"],
            shown_key(entry["key"]),
            ", ".join(map(_field, entry["values"])),
            (entry["restored_at"] or "")[:19],
        )
        for entry in page["entries"]
    ]
    if rows:
        output.table(("number", "noted", "rule", "record", "key", "fields", "restored"), rows)
    else:
        output.say("nothing was put aside")
    if page["next"] is not None:
        output.note(f"more: --next {page['next']}")
    return ExitCode.DONE


@journal.command()
@click.argument("number", type=click.IntRange(min=1))
@url_option
@output_option
@shows_refusals
def show(number: int, url: str, output: Output) -> ExitCode:
    r"""Show an entry: both values of each field, and when and where each was written.

    \b
    Example:
      herdbook journal show 17
    """
    entry = ask(url, "journal.show", {"number": number})
    if output.as_json:
        output.result(entry)
        return ExitCode.DONE
    record = entry["record"] or entry["table"]
    output.say(f"#{entry['number']}  {record}  {shown_key(entry['key'])}")
    output.say(f"{entry['noted_at']}  {entry['rule']}")
    output.say(entry["because"])
    if entry["sender"] is not None:
        output.say(f"by a change that {_node(entry['sender'])} sent")
    if entry["restored_at"] is not None:
        output.say(f"restored {entry['restored_at']}")
    rows = [
        (
            _field(value),
            json_text(value["lost"]),
            _stamp(value["lost_at"], value.get("lost_by")),
            "" if value["kept_at"] is None else json_text(value["kept"]),
            _stamp(value["kept_at"], value.get("kept_by")),
        )
        for value in entry["values"]
    ]
    if rows:
        output.table(("field", "lost", "written", "stands", "written"), rows)
    if entry["restored_at"] is None:
        output.note(f"`herdbook journal restore {entry['number']}` writes back what lost")
    return ExitCode.DONE


@journal.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("--field", "fields", multiple=True, metavar="NAME", help="Only this field.")
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="ARGUMENT",
    help="Another value for a field: name=text or name:=json.",
)
@click.option("--again", is_flag=True, help="Also if it was restored before.")
@url_option
@output_option
@shows_refusals
def restore(
    number: int,
    fields: tuple[str, ...],
    values: tuple[str, ...],
    again: bool,
    url: str,
    output: Output,
) -> ExitCode:
    r"""Write back what lost: all of it, or some fields.

    It is a write of today like any other, and every sibling gets it. A record that was deleted is
    made again. Where a unique value is taken, give another with --set.

    \b
    Examples:
      herdbook journal restore 17
      herdbook journal restore 17 --field name
      herdbook journal restore 18 --set code=GR2 --set capital:=null
    """
    params: dict[str, Any] = {"number": number, "fields": list(fields) or None}
    text = parse_arguments(values)
    if text is not None:
        if text.startswith("["):
            raise click.UsageError("--set takes a field by its name: name=text or name:=json.")
        # The text itself goes to the node, so that 1.10 stays 1.10.
        params["values"] = msgspec.Raw(text.encode())
    params["again"] = again or None
    answer = ask(url, "journal.restore", params)
    left = f"; no field is there for {', '.join(answer['left'])}" if answer["left"] else ""
    output.result(answer, f"{answer['outcome']} {json_text(answer['record'])}{left}")
    return ExitCode.DONE


def shown_key(key: Mapping[str, Any]) -> str:
    """A key on one line."""
    return ", ".join(f"{name}={value}" for name, value in key.items())


def _field(value: Mapping[str, Any]) -> str:
    """What a value is of. A column that is not here any more, or not yet, has only its number."""
    column: str = value.get("field") or value["column"]
    return f"column {column} (not here)" if column.isdecimal() else column


def _stamp(stamp: Mapping[str, Any] | None, writer: str | None) -> str:
    """When and where something was written, and by whom; a node of before tells not by whom."""
    if stamp is None:
        return ""
    return " ".join(filter(None, (stamp["at"][:23], _node(stamp), writer and f"by {writer}")))


def _node(node: Mapping[str, Any]) -> str:
    return node["node"] or f"origin {node['origin']}"
