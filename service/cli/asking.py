"""What commands share that ask a running node over HTTP: its address, a call, and its refusals."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from service.cli.call import DEFAULT_URL
from service.cli.output import ExitCode, Output, write_json
from service.cli.rpc_client import Request, send
from service.cli.token_source import shown_token, token_option
from service.cli.trust import trusted_ca
from service.cli.wording import in_words
from service.methods.listing import LARGEST_LIMIT, USUAL_LIMIT

SECONDS = 60.0
"""How long an answer may take: twice what a node allows a call as it comes."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Refused(Exception):
    """The node answered with a JSON-RPC error, which is `text`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def url_option(command: _Command) -> _Command:
    """Give a command `--url`, where a node takes calls, `--token-file` and `--ca`."""
    option = click.option(
        "--url",
        envvar="HERDBOOK_URL",
        default=DEFAULT_URL,
        show_default=True,
        show_envvar=True,
        help="The node's RPC address.",
    )
    return option(token_option(command))


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
    request = Request(method, msgspec.json.encode(given).decode(), 1)
    answer = send(url, request, SECONDS, shown_token(), trusted_ca())
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
                raise in_words(refused.text) from None
            write_json(sys.stderr, f'{{"error":{refused.text}}}')
            return ExitCode.FAILED

    return run
