"""`herdbook call`: one method of a running node, from the shell."""

from __future__ import annotations

import math
import sys

import click

from service.cli.arguments import parse_arguments, parse_params
from service.cli.output import ExitCode, Output, laid_out, output_option, write_json
from service.cli.rpc_client import Request, send
from service.cli.text_advice import text_advice
from service.cli.token_source import shown_token, token_option
from service.cli.trust import trusted_ca

DEFAULT_URL = "http://127.0.0.1:8650/"


def _checked_timeout(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """The seconds; click lets "nan" through any range."""
    if math.isnan(value):
        raise click.BadParameter("nan is no number of seconds.")
    return value


@click.command()
@click.option(
    "--url",
    envvar="HERDBOOK_URL",
    default=DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="The node's RPC address.",
)
@token_option
@click.option(
    "--params", metavar="JSON", help="All parameters as one JSON array or object; - reads stdin."
)
@click.option("--notify", is_flag=True, help="Send a notification: nothing is answered.")
@click.option("--id", "identity", metavar="TEXT", help="The call's id. Default: the number 1.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.0, 86_400.0, min_open=True),
    default=60.0,
    show_default=True,
    callback=_checked_timeout,
    metavar="SECONDS",
    help="How long to wait for the whole answer.",
)
@output_option
@click.argument("method")
@click.argument("arguments", nargs=-1, metavar="[ARGUMENT]...")
def call(
    url: str,
    params: str | None,
    notify: bool,
    identity: str | None,
    timeout: float,
    output: Output,
    method: str,
    arguments: tuple[str, ...],
) -> ExitCode:
    r"""Call METHOD of a running node and print its result as JSON.

    \b
    Each ARGUMENT is one parameter:
      name=text     text
      name:=json    any JSON: numbers, true, null, lists, objects
      name=@file    the text of a file (- is standard input)
      name:=@file   the JSON in a file
      =text :=json  the same by position, when no argument has a name
    A text that begins with @ is written with two: name=@@home.

    The result goes to stdout: laid out on a terminal, otherwise on one line. A JSON-RPC error goes
    to stderr as its error object, within {"error": ...} with --json, and the exit code is 1. Where
    the method wants something else than text, a line below says how to write that; not with --json.
    A notification prints nothing.

    \b
    Examples:
      herdbook call system.listMethods
      herdbook call city.list limit:=3 order=-population
      herdbook call country.list 'where:=["code", "=", "AT"]' 'fields:=["name"]'
      herdbook call country.create --params - < austria.json
    """
    if params is not None and arguments:
        raise click.UsageError("--params gives all parameters; leave out the arguments.")
    if notify and identity is not None:
        raise click.UsageError("A notification has no id; leave out --id or --notify.")
    text = parse_arguments(arguments) if params is None else parse_params(params)
    request = Request(method, text, None if notify else 1 if identity is None else identity)
    answer = send(url, request, timeout, shown_token(), trusted_ca())
    if answer.error is not None:
        _show_error(answer.error, output)
        for advice in text_advice(arguments, answer.error):
            output.note(advice)
        return ExitCode.FAILED
    if answer.result is not None:
        output.json(answer.result)
    return ExitCode.DONE


def _show_error(error: str, output: Output) -> None:
    """The JSON-RPC error on stderr, as it came."""
    wrapped = f'{{"error":{error}}}' if output.as_json else laid_out(error, sys.stderr)
    write_json(sys.stderr, wrapped)
