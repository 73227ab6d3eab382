"""What a node says, in the words of the command line.

A node's messages speak of methods and their parameters, as programs call them. Whoever has typed a
command is told which command it is, and which option.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from service.cli.output import CommandFailed

_MOST_SHOWN = 20
_METHODS = re.compile(
    r"\b(journal\.(?:list|show|restore)|held\.(?:list|retry|drop)|feed\.(?:consumers|forget)"
    r"|herd\.(?:status|graph)|node\.(?:list|update)|range\.(?:list|add|allocate|disputes|free|import|merge|release|split|summary))\b"
)
_OF_RECORDS = re.compile(r"\b[a-z_][a-z_0-9]*\.(?:delete|restore|list)\b")
_SENTENCES: Mapping[str, str] = {
    "system.methodHelp describes the method's parameters.": "The command's --help tells more.",
    "system.listMethods lists what can be called.": "The node may be of an older release than this "
    "command.",
    "Send the call to another node, or again when this one is back.": "Name another node by --url, "
    "or run the command again when this one is back.",
    "Send it to the listener listen.stream, one message a line; or poll with feed.read.": "Name "
    "the node's stream by --url.",
    "Correct the values at the given pointers and send the call again.": "Correct the values and "
    "run the command again.",
    "Resolve what each pointer names and send the call again.": "Resolve that and run the command "
    "again.",
    "Send the call again": "Run the command again",
    "send it again": "run the command again",
    "error.data.head": "its last position",
    "`values`": "--set",
    "`fields`": "--field",
    "`again`": "--again",
}
_OPTIONS: Mapping[str, str] = {
    "values": "--set",
    "fields": "--field",
    "records": "--record",
    "id": "--id",
    "next": "--next",
    "record": "--record",
    "rule": "--rule",
    "since": "--since",
    "where": "--where",
    "cidr": "CIDR",
    "node": "--node",
    "purpose": "--purpose",
    "note": "--note",
    "address": "ADDRESS",
    "pool": "--pool",
    "family": "--family",
    "range": "RANGE",
    "ranges": "RANGE",
    "length": "LENGTH",
    "give": "--give",
}


class Failure(msgspec.Struct, frozen=True):
    """One reason of a refusal."""

    pointer: str
    code: str
    message: str
    index: int | None = None


def in_words(text: str) -> CommandFailed:
    """A JSON-RPC error for people: every failure on a line, and what to do."""
    error = msgspec.json.decode(text)
    data = data_of(error)
    message, hint = as_command(_told(error, data)), as_command(str(data.get("hint", "")))
    return CommandFailed(message, hint, code=str(data.get("code", "call.refused")))


def data_of(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a JSON-RPC error says for programs; nothing where it comes from no node of ours."""
    data = error.get("data")
    return data if isinstance(data, dict) else {}


def failures_of(data: Mapping[str, Any]) -> Sequence[Failure]:
    """Every reason that it tells."""
    try:
        return msgspec.convert(data.get("errors") or [], list[Failure])
    except msgspec.ValidationError:
        return []


def as_command(text: str) -> str:
    """A message or a hint of a node, with its methods and parameters as commands and options."""
    for said, meant in _SENTENCES.items():
        text = text.replace(said, meant)
    text = _METHODS.sub(lambda it: f"`herdbook {it[0].replace('.', ' ')}`", text)
    # Of what is a command now, nothing is a method of a class any more.
    return _OF_RECORDS.sub(lambda it: f"`herdbook call {it[0]}`", text)


def _told(error: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """What is wrong; the fixed messages of JSON-RPC itself say nothing beside a reason."""
    failures = failures_of(data)
    lines = [_line(each) for each in failures[:_MOST_SHOWN]]
    left = len(failures) - len(lines) + int(data.get("errors_left_out", 0))
    if left:
        lines.append(f"and {left} more")
    if data.get("detail"):
        return "\n".join(lines) or str(data["detail"])
    alone = len(failures) == 1 and failures[0].message in error["message"]
    return str(error["message"]) if alone else "\n".join([error["message"], *lines])


def _line(failure: Failure) -> str:
    """A failure with the option that it is about."""
    name, *rest = _steps(failure.pointer)
    place = " ".join([_OPTIONS.get(name, name), *(step for step in rest if not step.isdecimal())])
    return f"{place}: {failure.message}" if place else failure.message


def _steps(pointer: str) -> Sequence[str]:
    steps = pointer.removeprefix("/").split("/")
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]
