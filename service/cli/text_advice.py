"""What to say where an argument was sent as text, and the method takes something else."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from service.cli.wording import data_of, failures_of

_OF_THE_TYPE = ("value.wrong_type", ".malformed", ".invalid")
_LONGEST = 200


def text_advice(words: Sequence[str], error: str) -> Iterator[str]:
    """For each argument that a node refused since it came as text, how it is sent otherwise.

    `words` are the arguments as they were typed, `error` is the JSON-RPC error.
    """
    failures = failures_of(data_of(msgspec.json.decode(error)))
    refused = {
        each.pointer.removeprefix("/") for each in failures if each.code.endswith(_OF_THE_TYPE)
    }
    for name, (shown, text) in _texts(words).items():
        if name in refused:
            yield f"{shown or 'the argument'} was sent as text; {_otherwise(shown, text)}"


def _texts(words: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """What was sent as text: by name or position, the name that was typed, and the text."""
    found = {}
    for at, word in enumerate(words):
        name, _, value = word.partition("=")
        if not name.endswith(":"):
            found[name or str(at)] = name, value
    return found


def _otherwise(name: str, text: str) -> str:
    if len(text) > _LONGEST or not _is_json(text):
        return f"write {name}:=JSON for a number, true, false, null, a list or an object"
    return f"write {shlex.quote(f'{name}:={text}')}"


def _is_json(text: str) -> bool:
    try:
        return not isinstance(json.loads(text), str)
    except (ValueError, RecursionError):
        return False
