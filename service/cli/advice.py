"""Commands in advice, with the options that make them be about the same database and project."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from schema.errors import SchemaError


def option_words(options: Mapping[str, object]) -> list[str]:
    """Options with their values, as they stand on a command line; without those that are None."""
    named = {name: value for name, value in options.items() if value is not None}
    return [word for name, value in named.items() for word in (name, str(value))]


def with_options(text: str, options: Sequence[str]) -> str:
    """The text, with these options in each command about a schema or tokens that it names."""
    words = "".join(f" {shlex.quote(option)}" for option in options)
    return re.sub(r"herdbook (schema|token) [a-z]+", lambda it: it[0] + words, text)


def with_authority(text: str, folder: object) -> str:
    """The text, with this folder in commands that name the authority's as `--ca DIR`."""
    return text.replace("--ca DIR", f"--ca {shlex.quote(str(folder))}")


def with_options_in_comments(sql: str, options: Sequence[str]) -> str:
    """SQL with these options in the commands that its comments name, and nowhere else."""
    if any(not word.isprintable() for word in options):
        # A comment ends with its line.
        return sql
    lines = sql.split("\n")
    return "\n".join(
        with_options(line, options) if line.startswith("-- herdbook schema ") else line
        for line in lines
    )


@contextmanager
def hints_about(options: Sequence[str]) -> Iterator[None]:
    """Let the commands that errors of the schema name be about this database and this project."""
    try:
        yield
    except SchemaError as error:
        error.hint = with_options(error.hint, options)
        raise
