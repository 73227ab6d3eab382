"""From JSON to plain values and back, once, at the edge; every failure with its place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from records.errors import Failure, ValueRefused, pointer
from records.values import FieldInfo, RecordInfo

Row = dict[str, Any]
"""Plain values by field name."""

Key = tuple[Any, ...]
"""The plain values of a record's key fields, in the key's order."""

Suggest: TypeAlias = Callable[[str, Iterable[str]], str]
"""What to say after an unknown name; `suggest`, or one that ends to look after some names."""

_LONGEST_SHOWN = 64
_MOST_UNKNOWN = 20
"""Unknown fields of one record that are each told; no honest record has more."""


def suggest(name: str, known: Iterable[str]) -> str:
    """What to say after an unknown name: the nearest known one, if any is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


@dataclass
class Parsed:
    """What a JSON object held: the values that fit, and a failure for each that does not."""

    values: Row = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)


def parse_values(
    record: RecordInfo,
    data: object,
    index: int | None = None,
    place: Sequence[str | int] = (),
    suggest: Suggest = suggest,
) -> Parsed:
    """The fields of one record, as far as they are given and fit.

    `index` counts records where a call carries many; `place` is where the object stands in it.
    """
    parsed = Parsed()
    problem = _object_problem(record, data)
    if problem is not None:
        parsed.refused.update(record.fields)
        parsed.failures.append(Failure("value.wrong_type", problem, pointer(*place), index))
        return parsed
    for name, value in cast(Mapping[str, Any], data).items():
        try:
            parsed.values[name] = _parse_field(record, name, value, suggest)
        except ValueRefused as refused:
            parsed.refused.add(name)
            parsed.failures.append(
                Failure(refused.code, refused.message, pointer(*place, name), index)
            )
    return parsed


def complete(
    record: RecordInfo, parsed: Parsed, index: int | None = None, place: Sequence[str | int] = ()
) -> Parsed:
    """A new record: defaults for what is absent, failures for what must be given."""
    row: Row = {}
    failures = list(parsed.failures)
    for name, info in record.fields.items():
        if name in parsed.values:
            row[name] = parsed.values[name]
        elif name not in parsed.refused and info.required:
            failures.append(
                Failure("value.required", f"{name} must be given", pointer(*place, name), index)
            )
        elif name not in parsed.refused:
            try:
                row[name] = info.new_value()
            except ValueRefused as refused:
                message = f"the declared default does not fit: {refused.message}"
                failures.append(Failure(refused.code, message, pointer(*place, name), index))
    failures += incomplete_references(record, row, index, place)
    return Parsed(row, failures, parsed.refused)


def incomplete_references(
    record: RecordInfo,
    row: Mapping[str, Any],
    index: int | None = None,
    place: Sequence[str | int] = (),
) -> Iterator[Failure]:
    """A failure for each field of a row that is NULL where others of its reference are not.

    The servers would take it for no reference at all, and never look for the parent. References
    with fields that the row does not hold are left alone.
    """
    for reference in record.references.values():
        fields = reference.fields
        missing = [name for name in fields if name in row and row[name] is None]
        if len(missing) < len(fields) and all(name in row for name in fields):
            message = f"{reference.name} needs all of {', '.join(fields)}, or none of them"
            for name in missing:
                yield Failure("reference.incomplete", message, pointer(*place, name), index)


def parse_key(
    record: RecordInfo,
    data: object,
    index: int | None = None,
    place: Sequence[str | int] = (),
    suggest: Suggest = suggest,
) -> tuple[Key | None, list[Failure]]:
    """A record's key: the bare value, an object of the key's fields, or their list in order.

    A bare value stands for a key of one field only. The key is None where there are failures.
    """
    named = _named_key(record, data)
    if named is None:
        fields = ", ".join(record.key)
        failure = Failure(
            "value.wrong_type", f"the key is an object of {fields}", pointer(*place), index
        )
        return None, [failure]
    parsed = parse_values(record, named, index, place, suggest)
    failures = [
        *parsed.failures,
        *(
            Failure("value.required", f"{name} must be given", pointer(*place, name), index)
            for name in record.key
            if name not in named
        ),
        *(
            Failure(
                "field.not_in_key", f"{name} is no part of the key", pointer(*place, name), index
            )
            for name in named
            if name in record.fields and name not in record.key
        ),
    ]
    if not isinstance(data, Mapping):
        failures = [Failure(f.code, f.message, pointer(*place), index) for f in failures]
    return (None, failures) if failures else (key_of(record, parsed.values), [])


def key_of(record: RecordInfo, values: Mapping[str, Any]) -> Key:
    """The key within a row."""
    return tuple(values[name] for name in record.key)


def whole_key(record: RecordInfo, values: Mapping[str, Any]) -> Key | None:
    """The key within a row, None where a part of it is absent."""
    return key_of(record, values) if all(name in values for name in record.key) else None


def row_to_json(record: RecordInfo, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in its JSON form."""
    fields = record.fields
    return {
        name: None if value is None else fields[name].kind.to_json(value)
        for name, value in row.items()
    }


def key_to_json(record: RecordInfo, key: Key) -> Any:
    """A key in JSON: the bare value, or an object where it has several fields."""
    named = row_to_json(record, dict(zip(record.key, key, strict=True)))
    return named if len(named) > 1 else next(iter(named.values()))


def _object_problem(record: RecordInfo, data: object) -> str | None:
    """Why this can be no record at all; None where its fields are worth a look."""
    if not isinstance(data, Mapping):
        return "a record is an object of its fields"
    if len(data) > len(record.fields) + _MOST_UNKNOWN:
        return f"{len(data)} members, where a {record.name} has {len(record.fields)} fields"
    return None


def _parse_field(record: RecordInfo, name: object, value: object, suggest: Suggest) -> Any:
    """One value as its field keeps it; raises ValueRefused."""
    info = record.fields.get(name) if isinstance(name, str) else None
    if info is None:
        shown = str(name)[:_LONGEST_SHOWN]
        raise ValueRefused(
            "field.unknown", f"{record.name} has no field {shown}{suggest(shown, record.fields)}"
        )
    if value is None:
        return _checked_none(info)
    return _validated(info, info.kind.from_json(value))


def _checked_none(info: FieldInfo) -> None:
    """None where it may be."""
    if not info.allow_none:
        raise ValueRefused("value.null", f"{info.name} must not be null")


def _validated(info: FieldInfo, value: Any) -> Any:
    """What the field's own validator makes of a value; its refusal becomes ours."""
    if info.validator is None:
        return value
    try:
        return info.kind.check(info.validator(None, info.name, value))
    except ValueRefused:
        raise
    except (ValueError, TypeError) as error:
        raise ValueRefused(
            "value.refused", str(error) or f"{info.name} is not acceptable"
        ) from None


def _named_key(record: RecordInfo, data: object) -> Mapping[str, Any] | None:
    """The key as an object, or None where it cannot be one."""
    if isinstance(data, Mapping):
        return data
    if isinstance(data, list):
        return dict(zip(record.key, data, strict=True)) if len(data) == len(record.key) else None
    return {record.key[0]: data} if len(record.key) == 1 else None
