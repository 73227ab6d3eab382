"""The parameters that several methods share, with their words."""

from __future__ import annotations

from collections.abc import Iterable

from records.values import RecordInfo
from service.methods.describe import key_schema, partial_record
from service.methods.listing import LARGEST_LIMIT, USUAL_LIMIT
from service.methods.params import Parameter

WHERE = Parameter(
    "where",
    'which ones: [field, operator, value], ["and", …], ["or", …] or ["not", …], '
    'such as ["name", "starts_with", "B"]; a field of a parent is "parent.field"',
    {"type": ["array", "null"]},
)

NEXT = Parameter(
    "next",
    "continue after a page: the `next` that it gave, with the same where and order",
    {"type": ["string", "null"]},
)

LIMIT = Parameter(
    "limit",
    f"how many at most, 1 to {LARGEST_LIMIT}; {USUAL_LIMIT} if absent",
    {"type": ["integer", "null"], "minimum": 1, "maximum": LARGEST_LIMIT},
)

ORDER = Parameter(
    "order",
    'a field to sort by, or a list of them, "-" before those that descend: ["-name"]',
    {"type": ["string", "array", "null"], "items": {"type": "string"}},
)


def class_parameter(what: str) -> Parameter:
    """Of which class what is listed is."""
    return Parameter("record", f"only {what} of this class", {"type": ["string", "null"]})


def choice_parameter(name: str, what: str, choices: Iterable[str]) -> Parameter:
    """Of which of some words what is listed is."""
    listed = list(choices)
    text = f"only {what}: {', '.join(listed)}"
    return Parameter(name, text, {"enum": [*listed, None]})


def fields_parameter(record: RecordInfo) -> Parameter:
    """Which fields an answer holds."""
    return Parameter(
        "fields",
        f'the fields wanted, such as ["{next(iter(record.fields))}"]; all of them if absent',
        {"type": ["array", "null"], "items": {"enum": list(record.fields)}, "minItems": 1},
    )


def list_parameters(record: RecordInfo) -> tuple[Parameter, ...]:
    """What every list takes."""
    return (WHERE, ORDER, LIMIT, fields_parameter(record), NEXT)


def key_parameter(record: RecordInfo) -> Parameter:
    """One key or many."""
    named = ", ".join(record.key)
    return Parameter(
        "record",
        f"the key ({named}), bare or as an object; `records` takes a list of keys",
        key_schema(record),
        required=True,
        many="records",
    )


def values_parameter(record: RecordInfo, required: tuple[str, ...], text: str) -> Parameter:
    """One record or many, as objects of their fields."""
    return Parameter(
        "record",
        f"{text}; `records` takes a list of them",
        partial_record(record, required),
        required=True,
        many="records",
    )


def parent_parameter(parent: RecordInfo) -> Parameter:
    """Whose children."""
    named = ", ".join(parent.key)
    return Parameter(
        "of", f"the key of the {parent.name} ({named})", key_schema(parent), required=True
    )
