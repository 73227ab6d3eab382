"""Whom a command believes at the other end of TLS: authorities of its own choice, or the system's.

A node's listener has its certificate from whomever its operator chose, so often from nobody whom
the system knows.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from service.cli.output import CommandFailed

VARIABLE = "HERDBOOK_CA"
_KEPT = "herdbook.ca"

_Command = TypeVar("_Command", bound=Callable[..., Any])


def ca_option(command: _Command) -> _Command:
    """Give a command `--ca`; what it names is what `trusted_ca` gives."""
    option = click.option(
        "--ca",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        expose_value=False,
        callback=_keep,
        help=f"Whom to believe over TLS: a file of certificates. Default: {VARIABLE}, or the"
        " system's authorities.",
    )
    return option(command)


def _keep(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    context.meta[_KEPT] = value


def trusted_ca() -> Path | None:
    """The file that the command that runs was given, in its own thread; None: the system's."""
    context = click.get_current_context(silent=True)
    file: Path | None = None if context is None else context.meta.get(_KEPT)
    if file is not None:
        return file
    given = os.environ.get(VARIABLE, "").strip()
    return Path(given) if given else None


def client_context(ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 and newer, with whoever shows a certificate for its host; CommandFailed for no file.

    Where a file is given, only those in it are believed.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except OSError as error:
        # An error of TLS is one of the system too, and its text is about OpenSSL.
        is_read = isinstance(error, ssl.SSLError)
        reason = "it holds no certificate" if is_read else error.strerror
        raise CommandFailed(
            f"{ca} cannot be used: {reason}",
            f"name a file of PEM certificates in --ca or {VARIABLE}",
            code="call.ca",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def tls_failed(where: str, error: ssl.SSLError) -> CommandFailed:
    """What to say where TLS could not be agreed on, or the other end is not believed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CommandFailed(
            f"{where} is not believed: {error.verify_message}",
            f"name the certificate of its authority in --ca or {VARIABLE}, and the host as its own"
            " certificate does",
            code="call.tls",
        )
    return CommandFailed(
        f"{where}: TLS failed: {error.reason or error}",
        "a node without a certificate under [listen] speaks plain http:// and tcp://",
        code="call.tls",
    )
