"""`herdbook feed`: follow the changes of a running node, and see who needs them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

import click
import msgspec

from service.cli.arguments import checked_json
from service.cli.feed_tail import Tail
from service.cli.output import ExitCode, Output, output_option, write_json
from service.cli.stream_client import (
    Address,
    CallRefused,
    Shows,
    StreamClient,
    StreamLost,
    unreachable,
)
from service.cli.token_source import shown_token, token_option
from service.cli.trust import trusted_ca
from service.cli.wording import in_words

DEFAULT_URL = "tcp://127.0.0.1:8652"
_HIGHEST_POSITION = 2**63 - 1

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _url_option(command: _Command) -> _Command:
    """Give a command `--url`, the address of a node's stream, `--token-file` and `--ca`."""
    option = click.option(
        "--url",
        envvar="HERDBOOK_STREAM_URL",
        default=DEFAULT_URL,
        show_default=True,
        show_envvar=True,
        help="The node's stream: tcp://HOST:PORT, tls://HOST:PORT or unix:PATH.",
    )
    return option(token_option(command))


def _begin(_context: click.Context, _parameter: click.Parameter, value: str) -> int | str:
    """The position to begin after: "now", "start" or a number."""
    if value in ("now", "start"):
        return value if value == "now" else 0
    if value.isascii() and value.isdecimal() and len(value) < 20:
        position = int(value)
        if position <= _HIGHEST_POSITION:
            return position
    raise click.BadParameter(f"{value!r} is no position; write a number, now or start.")


@click.group()
def feed() -> None:
    r"""Follow what changes, and see who needs the changes.

    Every change of a record has a position. Reading goes on from any of them that is still kept.

    \b
    Examples:
      herdbook feed tail
      herdbook feed tail --from start --record city --json
      herdbook feed consumers
    """


@feed.command()
@click.option(
    "--from",
    "start",
    default="now",
    show_default=True,
    metavar="POSITION",
    callback=_begin,
    help="Begin after this position; `start` is all that is kept, `now` only what is to come.",
)
@click.option(
    "--record",
    "records",
    multiple=True,
    metavar="NAME",
    help="Only changes of this class; may be given several times.",
)
@click.option(
    "--where",
    metavar="JSON",
    help="Only rows that fulfil a condition: an object of conditions by class, or with a single"
    " --record the condition itself.",
)
@click.option(
    "--rows/--keys", default=False, show_default=True, help="Show the rows, or only their keys."
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after so many changes.")
@_url_option
@output_option
def tail(
    start: int | str,
    records: tuple[str, ...],
    where: str | None,
    rows: bool,
    count: int | None,
    url: str,
    output: Output,
) -> ExitCode:
    r"""Show changes as they come, until Ctrl-C.

    A line tells the time, the position, the class, what happened, the key, the fields that were
    changed, and who did it. With --json each change is one line of JSON. Rows are shown as they are
    now, not as they were then.

    When the connection breaks it is made again, and nothing is shown twice or left out.

    \b
    Examples:
      herdbook feed tail
      herdbook feed tail --from start --record city --count 10
      herdbook feed tail --record city --where '["population", ">", 1000000]' --rows
      herdbook feed tail --from 4711 --json
    """
    params: dict[str, Any] = {"rows": rows}
    if records:
        params["records"] = list(dict.fromkeys(records))
    if where is not None:
        params["where"] = _conditions(where, records)
    shows = Shows(shown_token(), trusted_ca())
    follower = Tail(Address.parse(url), params, start, count, output, shows=shows)
    try:
        follower.run()
    except KeyboardInterrupt:
        return ExitCode.DONE
    except CallRefused as refused:
        return _refused(refused, output)
    return ExitCode.DONE


@feed.command()
@_url_option
@output_option
def consumers(url: str, output: Output) -> ExitCode:
    r"""Show the consumers for whom changes are kept, and how far behind each is.

    A consumer that is gone for good keeps the changelog from being pruned: `feed forget` it.

    \b
    Example:
      herdbook feed consumers
    """
    try:
        found = _called(url, "feed.consumers", {})
    except CallRefused as refused:
        return _refused(refused, output)
    if output.as_json:
        output.result(found)
        return ExitCode.DONE
    head = found["head"]
    output.say(f"kept: positions {found['horizon'] + 1} to {head}" if head else "no changes yet")
    shown = [
        (
            each["consumer"],
            each["position"],
            max(0, head - each["position"]),
            each["registered_at"],
            each["seen_at"],
        )
        for each in found["consumers"]
    ]
    if shown:
        output.table(("consumer", "position", "behind", "registered", "seen"), shown)
    else:
        output.say("no consumers")
    return ExitCode.DONE


@feed.command()
@_url_option
@output_option
@click.argument("name")
def forget(name: str, url: str, output: Output) -> ExitCode:
    r"""Keep no changes any more for the consumer NAME.

    If it comes back later, what it needs may be gone, and it has to begin anew.

    \b
    Example:
      herdbook feed forget search-index
    """
    try:
        forgotten = _called(url, "feed.forget", {"consumer": name})
    except CallRefused as refused:
        return _refused(refused, output)
    output.result(forgotten, f"forgot {name}")
    return ExitCode.DONE


def _conditions(text: str, records: tuple[str, ...]) -> Any:
    """The conditions by class; one of a single class may stand alone."""
    # The text itself goes to the node, so that 1.10 stays 1.10.
    condition = msgspec.Raw(checked_json(text, "--where").encode())
    if text.lstrip().startswith("{"):
        return condition
    if len(records) != 1:
        raise click.UsageError(
            "--where takes an object of conditions by class, or with one --record a condition."
        )
    return {records[0]: condition}


def _called(url: str, method: str, params: dict[str, Any]) -> Any:
    """The result of one call over the stream."""
    try:
        with closing(
            StreamClient(Address.parse(url), Shows(shown_token(), trusted_ca()))
        ) as client:
            return msgspec.json.decode(client.call(method, params))
    except StreamLost as lost:
        raise unreachable(lost) from None


def _refused(refused: CallRefused, output: Output) -> ExitCode:
    """The JSON-RPC error on stderr: for programs as it came, for people in words."""
    if not output.as_json:
        raise in_words(refused.text) from None
    write_json(sys.stderr, f'{{"error":{refused.text}}}')
    return ExitCode.FAILED
