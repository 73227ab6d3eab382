"""From an exception to a message on stderr and an exit code: the one place that does it.

Errors of ours say what, where and what to do. Anything else is a mistake in Herdbook: one line, and
the traceback in a file, or on the screen with HERDBOOK_DEBUG=1.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from records.errors import DeclarationError, HerdbookError
from schema.errors import (
    CodeTooOld,
    LockHeld,
    MigrationInterrupted,
    RevisionChanged,
    SchemaAhead,
    SchemaBehind,
    UnsafeChange,
)
from service.cli.output import CommandFailed, ExitCode, json_text, write_error, write_json
from service.config.problems import ConfigurationError
from service.database_url import mask_secrets
from service.errors import Refused, ServiceError

# Errors that end a run with a code of their own; every other one ends it with FAILED.
# The first that an error is one of counts: a database that is not where this code needs it is a
# difference, whichever command meets it.
EXIT_CODES: Mapping[type[HerdbookError], ExitCode] = {
    SchemaBehind: ExitCode.DIFFERENCES,
    SchemaAhead: ExitCode.DIFFERENCES,
    CodeTooOld: ExitCode.DIFFERENCES,
    MigrationInterrupted: ExitCode.DIFFERENCES,
    RevisionChanged: ExitCode.DIFFERENCES,
    UnsafeChange: ExitCode.UNSAFE,
    LockHeld: ExitCode.LOCKED,
}


@dataclass(frozen=True)
class Report:
    """What is told about an error, to people and to programs."""

    code: str
    message: str
    hint: str = ""
    exit_code: int = ExitCode.FAILED
    details: Mapping[str, object] = field(default_factory=dict)

    def show(self, *, as_json: bool) -> None:
        """Write it to stderr."""
        if as_json:
            write_json(sys.stderr, self._json())
        else:
            write_error(self._text())

    def _json(self) -> str:
        hint = {"hint": self.hint} if self.hint else {}
        error = {"code": self.code, "message": self.message, **hint, **self.details}
        return json_text(_masked({"error": error}))

    def _text(self) -> str:
        return mask_secrets(f"error: {self.message}" + (f"\n{self.hint}" if self.hint else ""))


def _masked(value: object) -> object:
    """The value with the secrets masked in every text in it."""
    match value:
        case str():
            return mask_secrets(value)
        case dict():
            return {key: _masked(member) for key, member in value.items()}
        case list() | tuple():
            return [_masked(member) for member in value]
    return value


def report(error: Exception) -> Report:
    """What to tell about any exception."""
    match error:
        case click.ClickException():
            return _usage(error)
        case CommandFailed():
            code = error.exit_code
            return Report(error.code, error.message, error.hint, code, error.details)
        case ConfigurationError():
            return _configuration(error)
        case DeclarationError():
            return _declaration(error)
        case ServiceError():
            return _service(error)
        case HerdbookError():
            hint = getattr(error, "hint", "")
            return Report(_code_of(error), str(error), hint, _exit_code_of(error))
    return _unexpected(error)


def _exit_code_of(error: HerdbookError) -> ExitCode:
    """The code that an error ends a run with."""
    codes = (code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
    return next(codes, ExitCode.FAILED)


def _code_of(error: HerdbookError) -> str:
    """A code for programs from the room and the name: `schema.lock_held`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()
    rooms = type(error).__module__.removeprefix("service.").split(".")
    return f"{rooms[0]}.{words}"


def _usage(error: click.ClickException) -> Report:
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help explains it." if context else ""
    if isinstance(error, click.UsageError):
        return Report("usage", error.format_message(), hint, ExitCode.USAGE)
    return Report("failed", error.format_message(), hint, error.exit_code)


def _configuration(error: ConfigurationError) -> Report:
    count = len(error.problems)
    heading = f"the configuration has {count} problem{'s' if count > 1 else ''}"
    lines = "\n".join(f"  {problem}" for problem in error.problems)
    problems = [problem.as_json() for problem in error.problems]
    return _listing("configuration", heading, lines, {"problems": problems})


def _declaration(error: DeclarationError) -> Report:
    count = len(error.problems)
    heading = f"the record classes have {count} problem{'s' if count > 1 else ''}"
    lines = "\n".join(f"  {problem}" for problem in error.problems)
    return _listing("declaration", heading, lines, {"problems": list(error.problems)})


def _service(error: ServiceError) -> Report:
    details = {"retryable": error.retryable, **error.details}
    if isinstance(error, Refused):
        details["errors"] = [failure.as_json() for failure in error.failures]
    return Report(error.code, error.message, error.advice, details=details)


def _listing(code: str, heading: str, lines: str, details: Mapping[str, object]) -> Report:
    """A report whose problems people read as lines and programs as a list."""
    return Report(code, f"{heading}:\n{lines}", details=details)


def _unexpected(error: Exception) -> Report:
    """One line with what happened, and where its traceback is."""
    lines = mask_secrets("".join(traceback.format_exception(error)))
    if os.environ.get("HERDBOOK_DEBUG"):
        sys.stderr.write(lines)
        where = ""
    else:
        where = _kept(lines)
    last = str(error).strip().split("\n")[0]
    what = f"{type(error).__name__}: {last}" if last else type(error).__name__
    return Report("unexpected", f"something unexpected happened: {what}", where)


def _kept(lines: str) -> str:
    """Keep a traceback in a file that only this user can read, and say where."""
    again = "run it again with HERDBOOK_DEBUG=1 to see the traceback"
    try:
        handle, name = tempfile.mkstemp(prefix="herdbook-", suffix=".traceback", text=True)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(lines)
    except OSError:
        return f"{again[0].upper()}{again[1:]}."
    return f"The traceback is in {Path(name)}; or {again}."
