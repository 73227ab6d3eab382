"""The parameters of `herdbook call`, from words on the command line to JSON text.

    name=text    name:=json    name=@file    name:=@file    =text  :=json (by position)

JSON is passed on as it was written, never through Python numbers, so that 1.10 stays 1.10.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

SHAPES = "name=text, name:=json, or by position =text, :=json"


@dataclass(frozen=True)
class Argument:
    """One parameter: its name (None: by position) and its value as JSON text."""

    name: str | None
    json_text: str


def parse_arguments(words: Sequence[str]) -> str | None:
    """The `params` of a call as JSON text, None without any; UsageError says what is wrong."""
    if sum(_from_stdin(word) for word in words) > 1:
        raise click.UsageError("Only one argument can be read from standard input.")
    arguments = [parse_argument(word) for word in words]
    names = [argument.name for argument in arguments if argument.name is not None]
    if not arguments:
        return None
    if not names:
        return f"[{','.join(argument.json_text for argument in arguments)}]"
    if len(names) < len(arguments):
        raise click.UsageError(
            "Arguments by name and by position cannot be mixed; JSON-RPC takes one or the other."
        )
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(f"The argument {name!r} is given twice.")
    members = [f"{json.dumps(argument.name)}:{argument.json_text}" for argument in arguments]
    return f"{{{','.join(members)}}}"


def parse_argument(word: str) -> Argument:
    """One word as an argument; UsageError when it has no shape of ours."""
    name, equals, value = word.partition("=")
    if not equals:
        raise click.UsageError(f"{word!r} is no argument; write {SHAPES}.")
    is_json = name.endswith(":")
    name = name.removesuffix(":")
    text = _value_text(value)
    encoded = checked_json(text, word) if is_json else json.dumps(_whole(text, word))
    return Argument(name or None, encoded)


def parse_params(text: str) -> str:
    """The whole `params` as given to `--params`: an array or an object, `-` for standard input."""
    if text == "-":
        text = _read(Path("-"))
    checked = checked_json(text, "--params")
    if not checked.lstrip().startswith(("[", "{")):
        raise click.UsageError("--params takes a JSON array or object.")
    return checked


def checked_json(text: str, where: str) -> str:
    """The text itself if it is strict JSON, else a UsageError that says where it breaks."""
    try:
        json.loads(
            _whole(text, where),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_distinct,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise click.UsageError(
            f"{_short(where)} is not valid JSON: {error.msg} ({place})"
        ) from None
    except (ValueError, RecursionError) as error:
        reason = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise click.UsageError(f"{_short(where)} is not valid JSON: {reason}") from None
    return text


def _value_text(value: str) -> str:
    """The value, or what the file after `@` holds; `@@` stands for a leading `@`."""
    if value.startswith("@@"):
        return value[1:]
    return _read(Path(value[1:])) if value.startswith("@") else value


def _from_stdin(word: str) -> bool:
    return word.partition("=")[2] == "@-"


def _read(path: Path) -> str:
    """A whole file as text, `-` for standard input."""
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return content.decode()
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{path} is not UTF-8 text; send bytes as base64.") from None


def _whole(text: str, where: str) -> str:
    """The text, unless it holds bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.UsageError(f"{_short(where)} is not UTF-8 text.") from None
    return text


def _short(word: str) -> str:
    shown = word.encode("utf-8", "replace").decode()
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    if math.isinf(float(text)):
        raise ValueError(f"{_short(text)} is larger than any number of JSON's readers")
    return 0.0


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members, refused when a name occurs twice: one of the two would be lost."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"the name {name!r} occurs twice in an object")
        members[name] = value
    return members
