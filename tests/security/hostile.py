"""Texts that try to be more than text, and every place of a call where one can stand."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from service.methods.operators import OPERATORS
from service.methods.registry import Method

LITERAL = (
    "'",
    '"',
    "`",
    "\\",
    "\\'",
    "' OR '1'='1",
    '" OR ""="',
    "` OR 1=1 -- ",
    "'; DROP TABLE farm; -- ",
    "\\'; DROP TABLE farm; #",
    "') UNION SELECT secret FROM canary -- ",
    "x'/**/OR/**/1=1#",
    "'||(SELECT secret FROM canary)||'",
    "/*!50000 OR 1=1 */ --\t",
    "%s %(name)s %d %% {0} {name} ? :name",
    "\n-- \r\n' \t'",
    "🐄' 𝕏\\",
    "\u02bc\u2019\uff07 OR 1=1",
    "¿' OR 1=1 -- ",
    "0x27204F52",
    "NULL",
    "DEFAULT(name)",
)
"""What a text may hold, and has to be kept as it is."""

_OF_LISTS = ("in", "not_in")

PROBES = (
    *("'", '"', "`", "\\", "%s %(name)s ? :name"),
    "\\' OR 1=1 UNION SELECT secret FROM canary -- 🐄",
    "'; DROP TABLE farm; -- ",
    "x\x00' OR 1=1 #",
)
"""One of each kind, to be tried in every place: each would end a text, or change its statement."""

REFUSABLE = ("x\x00' OR 1=1 -- ", "\x1a'", "\ud800'", "' " * 40_000)
"""What is kept as it is, or refused."""


def attacks(method: Method, text: str) -> Iterator[dict[str, Any]]:
    """The parameters of calls: the text in each place of the example, and in each parameter."""
    example = prepared(method.example)
    yield from put_into(example, text)
    for parameter in method.signature.parameters:
        for name in parameter.names:
            for value in (text, [text], {text: text}, [{text: text}], {"id": text}):
                yield {**example, name: value}
    if any(parameter.name == "where" for parameter in method.signature.parameters):
        for condition in (
            [text, "=", "x"],
            ["id", text, "x"],
            *(["name", operator, text] for operator in OPERATORS if operator not in _OF_LISTS),
            *(["name", operator, [text, ""]] for operator in _OF_LISTS),
            ["or", ["name", "=", text], ["not", [text, "is_null", True]]],
            ["id", "in", [text]],
        ):
            yield {**example, "where": condition}


def prepared(example: dict[str, Any]) -> dict[str, Any]:
    """An example that waits for nothing."""
    return {name: 0 if name == "wait_seconds" else value for name, value in example.items()}


def put_into(value: Any, text: str) -> Iterator[Any]:
    """The value with the text in the place of one of its texts or names, each in turn."""
    if isinstance(value, str):
        yield text
    elif isinstance(value, list):
        for at, each in enumerate(value):
            for other in put_into(each, text):
                yield [*value[:at], other, *value[at + 1 :]]
    elif isinstance(value, dict):
        for name, each in value.items():
            for other in put_into(each, text):
                yield copy.deepcopy(value) | {name: other}
            yield {text if key == name else key: one for key, one in value.items()}
