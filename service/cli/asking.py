"""What commands share that ask a running node over HTTP: its address, a call, and its refusals."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from service.cli.call import DEFAULT_URL
from service.cli.output import CommandFailed, ExitCode, Output, write_json
from service.cli.rpc_client import Request, send
from service.methods.listing import LARGEST_LIMIT, USUAL_LIMIT

SECONDS = 60.0
"""How long an answer may take: twice what a node allows a call as it comes."""

_MOST_SHOWN = 20

_COMMANDS = {
    "journal.list": "`herdbook journal list`",
    "journal.show": "`herdbook journal show`",
    "held.list": "`herdbook held list`",
    "`values`": "`--set`",
    "`fields`": "`--field`",
    "`again`": "`--again`",
    "system.methodHelp describes the method's parameters.": "The command's --help tells more.",
}
"""What methods call otherwise than the commands that call them."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Refused(Exception):
    """The node answered with a JSON-RPC error, which is `text`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def url_option(command: _Command) -> _Command:
    """Give a command `--url`, the address at which a node takes calls."""
    option = click.option(
        "--url",
        envvar="HERDBOOK_URL",
        default=DEFAULT_URL,
        show_default=True,
        show_envvar=True,
        help="The node's RPC address.",
    )
    return option(command)


def page_options(command: _Command) -> _Command:
    """Give a command `--limit` and `--next`, handed to it as `limit` and `position`."""
    limit = click.option(
        "--limit",
        type=click.IntRange(1, LARGEST_LIMIT),
        default=USUAL_LIMIT,
        show_default=True,
        metavar="N",
        help="How many at most.",
    )
    following = click.option(
        "--next", "position", metavar="TEXT", help="Go on after a page: the `next` that it gave."
    )
    return limit(following(command))


def ask(url: str, method: str, params: dict[str, Any] | None = None) -> Any:
    """The result of a call; raises Refused, and CommandFailed where there is no answer."""
    given = {name: value for name, value in (params or {}).items() if value is not None}
    answer = send(url, Request(method, msgspec.json.encode(given).decode(), 1), SECONDS)
    if answer.error is not None:
        raise Refused(answer.error)
    return msgspec.json.decode(answer.result or "null")


def shows_refusals(command: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
    """Let a command tell what a node refuses: programs as it came, people in words."""

    @functools.wraps(command)
    def run(*arguments: Any, output: Output, **options: Any) -> ExitCode:
        try:
            return command(*arguments, output=output, **options)
        except Refused as refused:
            if not output.as_json:
                raise in_words(refused) from None
            write_json(sys.stderr, f'{{"error":{refused.text}}}')
            return ExitCode.FAILED

    return run


def in_words(refused: Refused) -> CommandFailed:
    """A refusal for people: every failure on a line, and what to do."""
    error = msgspec.json.decode(refused.text)
    data = error.get("data") or {}
    failures = data.get("errors") or []
    lines = [f"{each['pointer'] or '/'}: {each['message']}" for each in failures[:_MOST_SHOWN]]
    told = len(lines) == 1 and failures[0]["message"] in error["message"]
    message = error["message"] if told else "\n".join([error["message"], *lines])
    hint = _as_command(data.get("hint", ""))
    return CommandFailed(_as_command(message), hint, code=data.get("code", "call.refused"))


def _as_command(text: str) -> str:
    """The words of the methods as those of the command line."""
    for method, command in _COMMANDS.items():
        text = text.replace(method, command)
    return text
