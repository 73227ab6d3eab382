"""The token that a command shows to a node: from a file or the environment, never from its words.

The words of a command line can be read by everybody on the machine.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from service.cli.output import CommandFailed
from service.cli.trust import ca_option

VARIABLE = "HERDBOOK_TOKEN"
FILE_VARIABLE = "HERDBOOK_TOKEN_FILE"
_KEPT = "herdbook.token_file"
_LONGEST = 1_000
_FORM = re.compile("[!-~]+")

_Command = TypeVar("_Command", bound=Callable[..., Any])


def token_option(command: _Command) -> _Command:
    """Give a command `--token-file` and `--ca`; `shown_token` gives what is in the first."""
    option = click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        expose_value=False,
        callback=_keep,
        help="A file with the token to show to the node. Default: the file that "
        f"{FILE_VARIABLE} names, or the token in {VARIABLE}.",
    )
    return option(ca_option(command))


def _keep(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    context.meta[_KEPT] = value


def shown_token() -> str | None:
    """The token of the command that runs, in its own thread; None where there is none.

    Raises CommandFailed where the file cannot be read or what is given can be no token.
    """
    context = click.get_current_context(silent=True)
    file: Path | None = None if context is None else context.meta.get(_KEPT)
    if file is not None:
        return _checked(_content(file), str(file))
    given, named = (os.environ.get(name, "").strip() for name in (VARIABLE, FILE_VARIABLE))
    if given and named:
        raise CommandFailed(
            "two tokens are given by the environment",
            f"leave one of {VARIABLE} and {FILE_VARIABLE} out, or name a file by --token-file",
            code="call.token",
        )
    if named:
        return _checked(_content(Path(named)), named)
    return _checked(given, VARIABLE) if given else None


def require_safe(secured: bool, host: str) -> None:
    """Raise CommandFailed where a token would leave this machine for all to read."""
    if not (secured or _is_here(host)):
        raise CommandFailed(
            f"the token was not sent: whoever is between here and {host} could read it",
            "call https:// or tls://, or the node on its own machine",
            code="call.in_the_clear",
        )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _content(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(_LONGEST + 1).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise CommandFailed(
            f"{file} cannot be read: {reason}", "name a file with a token", code="call.token"
        ) from None


def _checked(text: str, where: str) -> str:
    """The text, which is never quoted: it may be a token with something else behind it."""
    if len(text) > _LONGEST or not _FORM.fullmatch(text):
        raise CommandFailed(
            f"what is in {where} is no token",
            "put in one token alone, as `herdbook token add` showed it",
            code="call.token",
        )
    return text
