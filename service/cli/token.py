"""`herdbook token`: who may call a node; tokens are shown once and kept as digests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from service.access.roles import ROLES
from service.access.secret import RANDOM_BYTES, digest_of, secret_of
from service.access.tokens import MOST_TOKENS, Book, Network, Token
from service.access.written import (
    LEAST_RATE,
    MOST_RATE,
    TokensRefused,
    name_of,
    ranges_of,
    rate_of_token,
    until_of,
)
from service.cli.advice import option_words, with_options
from service.cli.embedded import tokens_at
from service.cli.options import config_option, settings_file
from service.cli.output import CommandFailed, ExitCode, Output, output_option
from service.cli.place import Place
from service.cli.prepare import EXAMPLE
from service.config import load_configuration
from service.config.problems import nearest
from service.ranges.errors import NotationRefused
from service.ranges.notation import read_address, read_block
from service.token_file import change_tokens, read_tokens

_OF_BLOCKS = frozenset("/*-,")
"""Signs that are in no address."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _place_option(command: _Command) -> _Command:
    """Give a command `--dir`, handed to it as `directory`."""
    option = click.option(
        "--dir",
        "directory",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        metavar="DIR",
        help="The node of `herdbook up --dir DIR`, whether it runs or not.",
    )
    return option(command)


@click.group()
def token() -> None:
    r"""Make tokens for applications, list them, and revoke them.

    A node keeps its tokens in a file of its own, [access] tokens; siblings do not get them. A node
    that runs sees within a second what was changed, and closes connections that counted on a token
    that was revoked.

    \b
    Examples:
      herdbook token add loader --role write
      herdbook token list
      herdbook token revoke loader
    """


@token.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(tuple(ROLES)),
    required=True,
    help="What it lets do: read; also write records; also what operators do.",
)
@click.option(
    "--from",
    "ranges",
    multiple=True,
    metavar="CIDR",
    help="Only for clients in this block of addresses; may be given several times.",
)
@click.option(
    "--until", metavar="DATE", help="Counts to the end of this day (UTC), or up to a moment."
)
@click.option(
    "--rate",
    type=click.FloatRange(LEAST_RATE, MOST_RATE),
    metavar="N",
    help="How many calls a second it is good for, over the loopback too; ten times as many at"
    " once. Default: [access] token_rate, but over the loopback.",
)
@_place_option
@config_option
@output_option
def add(
    name: str,
    role: str,
    ranges: tuple[str, ...],
    until: str | None,
    rate: float | None,
    directory: Path | None,
    config: Path | None,
    output: Output,
) -> ExitCode:
    r"""Make a token called NAME and print it, this once.

    The token goes to stdout, all else to stderr. It cannot be shown again. What is written with it
    is noted in the changelog as by token:NAME@ADDRESS.

    \b
    Examples:
      herdbook token add loader --role write
      herdbook token add dashboard --role read --from 127.0.0.0/8 --until 2027-12-31
      (umask 077; herdbook token add loader --role write > loader.token)
    """
    file = _file(config, directory)
    now = datetime.now(UTC)
    secret = secret_of(secrets.token_bytes(RANDOM_BYTES))
    made = Token(
        name_of(name),
        digest_of(secret),
        ROLES[role],
        now.replace(microsecond=0),
        _blocks(ranges),
        None if until is None else until_of(until, now),
        None if rate is None else rate_of_token(rate),
    )
    with _advice_about(config, directory):
        change_tokens(file, lambda book: _with(book, made))
    output.result({"token": secret, **_shown(made), "file": str(file)}, secret)
    output.note(
        f"the token {name} counts from now on for nodes that read {file} "
        "(`herdbook check` says which; `up --dir DIR` needs --dir DIR); it is not shown again"
    )
    return ExitCode.DONE


@token.command("list")
@_place_option
@config_option
@output_option
def list_tokens(directory: Path | None, config: Path | None, output: Output) -> ExitCode:
    r"""List the tokens, by name; their secrets are not kept, and so not shown.

    \b
    Example:
      herdbook token list
    """
    file = _file(config, directory)
    book, now = read_tokens(file), datetime.now(UTC)
    shown = [{**_shown(each), "expired": each.is_over(now)} for each in book]
    if output.as_json:
        output.result({"file": str(file), "tokens": shown})
    elif shown:
        columns = ("name", "role", "from", "until", "rate", "made")
        output.table(columns, [_row(each) for each in shown])
    else:
        output.say(f"no tokens in {file}")
    return ExitCode.DONE


@token.command()
@click.argument("name")
@_place_option
@config_option
@output_option
def revoke(name: str, directory: Path | None, config: Path | None, output: Output) -> ExitCode:
    r"""Let the token NAME count no more, also on connections that are open.

    \b
    Example:
      herdbook token revoke loader
    """
    file = _file(config, directory)
    with _advice_about(config, directory):
        change_tokens(file, lambda book: _without(book, name))
    output.result({"revoked": name, "file": str(file)}, f"revoked {name}")
    return ExitCode.DONE


@contextmanager
def _advice_about(config: Path | None, directory: Path | None) -> Iterator[None]:
    """Let commands that a refusal names be about the tokens that the options name."""
    try:
        yield
    except CommandFailed as error:
        options = option_words({"--dir": directory, "--config": config})
        error.hint = with_options(error.hint, options)
        raise


def _blocks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The blocks of `--from`; CommandFailed with what to write instead of each that is none."""
    wrong = [refusal for text in texts if (refusal := _wrong_with(text))]
    if wrong:
        lines = "\n".join(f"--from {each}" for each in wrong)
        raise CommandFailed(lines, "no token was made", code="token.from")
    return ranges_of(texts)


def _wrong_with(text: str) -> str:
    """Why a text is neither a block nor an address, and what would be; empty where it is one."""
    is_address = text and not _OF_BLOCKS & set(text)
    try:
        (read_address if is_address else read_block)(text)
        ranges_of([text])
    except NotationRefused as refused:
        return refused.message
    except TokensRefused as refused:
        return f"{refused}; {refused.hint}"
    return ""


def _file(config: Path | None, directory: Path | None) -> Path:
    """Where the tokens are of the node that the options name; no database is asked for it."""
    file = settings_file(config, directory)
    # A node cannot do without these, and where its tokens are does not depend on them.
    given = {"node.records": EXAMPLE, "database.url": "mysql://root@localhost/herdbook"}
    configuration = load_configuration(file, os.environ, given)
    if directory is not None:
        configuration = tokens_at(Place(directory.absolute()), configuration)
    return configuration.tokens_file


def _with(book: Book, made: Token) -> Book:
    if book.named(made.name) is not None:
        raise CommandFailed(
            f"there is a token {made.name} already",
            f"choose another name, or `herdbook token revoke {made.name}` first",
            code="token.taken",
        )
    if len(book) >= MOST_TOKENS:
        raise CommandFailed(
            f"there are {len(book)} tokens already", "revoke some first", code="token.too_many"
        )
    return book.with_token(made)


def _without(book: Book, name: str) -> Book:
    if book.named(name) is None:
        near = nearest(name, [each.name for each in book])
        hint = f"did you mean {near}?" if near else "`herdbook token list` shows which there are"
        raise CommandFailed(f"there is no token {name}", hint, code="token.unknown")
    return book.without(name)


def _shown(made: Token) -> dict[str, Any]:
    """A token without its secret, for programs."""
    return {
        "name": made.name,
        "role": made.role.word,
        "from": list(map(str, made.ranges)),
        "until": None if made.until is None else _moment(made.until),
        "rate": made.rate,
        "made": _moment(made.made),
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _row(shown: dict[str, Any]) -> tuple[str, ...]:
    until = shown["until"] or "no end"
    return (
        shown["name"],
        shown["role"],
        " ".join(shown["from"]) or "anywhere",
        f"{until} (expired)" if shown["expired"] else until,
        "" if shown["rate"] is None else f"{shown['rate']:g}/s",
        shown["made"],
    )
