"""What journal.restore is to write: the values that lost, and those that the call gives instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from records.catalogue import Catalogue
from records.errors import Failure, pointer
from records.validation import Key, Row, parse_values
from records.values import RecordInfo
from service.errors import JournalRefused, ParametersRefused, Refused
from service.methods.journal_port import Noted, PutAside, WriteBack
from service.methods.params import Arguments
from service.methods.raw_values import Unreadable, field_of, plain_key, plain_value, record_of

_LONGEST_SHOWN = 100


def read_write_back(
    catalogue: Catalogue, entry: Noted, arguments: Arguments, again: bool
) -> tuple[WriteBack, tuple[str, ...]]:
    """What is to be written, and the columns of the entry that no field is for any more.

    Raises JournalRefused where nothing can be written, ParametersRefused where the call is wrong.
    """
    record = record_of(catalogue, entry.row.table)
    key = plain_key(record, entry.row)
    if record is None or key is None:
        said = f"no record class here has {entry.row.table} with the key that it had"
        _refuse(arguments, "entry.no_class", said)
    if entry.life % 2 == 0:
        said = f"what was put aside is a deletion; {record.name}.delete carries it out"
        _refuse(arguments, "entry.deletion", said)
    lost, left = _lost(record, entry)
    wanted = _wanted(record, lost, arguments)
    given = _given(record, arguments)
    values = _readable(record, {n: lost[n] for n in wanted if n not in given}, arguments)
    arguments.problems.raise_any()
    return _joined(entry.number, record, key, values, given, again, arguments), left


@contextmanager
def told_of_values(arguments: Arguments) -> Iterator[None]:
    """Failures that the store finds in the record point into `values`, where others can be given.

    Those of the entry itself point where they do.
    """
    try:
        yield
    except (JournalRefused, ParametersRefused):
        raise
    except Refused as refused:
        within = pointer(*arguments.place("values"))
        told = [
            replace(each, pointer=within + each.pointer, index=None) for each in refused.failures
        ]
        hint = (
            "Nothing was written. Give other values in `values`, or leave fields out by `fields`."
        )
        raise type(refused)(told, refused.message, hint=hint) from refused


def _lost(record: RecordInfo, entry: Noted) -> tuple[Mapping[str, PutAside], tuple[str, ...]]:
    """The values by field, and the columns that are no field."""
    lost, left = dict[str, PutAside](), list[str]()
    for value in entry.values:
        info = field_of(record, value.column)
        if info is None:
            left.append(value.column)
        else:
            lost[info.name] = value
    return lost, tuple(left)


def _wanted(
    record: RecordInfo, lost: Mapping[str, PutAside], arguments: Arguments
) -> tuple[str, ...]:
    """The parameter `fields`."""
    given, problems = arguments.get("fields"), arguments.problems
    if given is None:
        return tuple(lost)
    place = arguments.place("fields")
    if not isinstance(given, list) or not 0 < len(given) <= len(record.fields):
        problems.add("value.wrong_type", 'fields is a list of names such as ["name"]', place)
        return ()
    for at, name in enumerate(given):
        if not isinstance(name, str) or name not in lost:
            shown = str(name)[:_LONGEST_SHOWN]
            said = f"the entry has no value of {shown}{problems.suggest(shown, lost)}"
            problems.add("field.unknown", said, (*place, at))
    return tuple(dict.fromkeys(n for n in given if isinstance(n, str) and n in lost))


def _given(record: RecordInfo, arguments: Arguments) -> Row:
    """The parameter `values`."""
    data = arguments.get("values")
    if data is None:
        return {}
    place, suggest = arguments.place("values"), arguments.problems.suggest
    parsed = parse_values(record, data, None, place, suggest)
    arguments.problems.failures.extend(parsed.failures)
    return parsed.values


def _readable(record: RecordInfo, lost: Mapping[str, PutAside], arguments: Arguments) -> Row:
    """The values as their fields have them."""
    values: Row = {}
    for name, value in lost.items():
        info = record.fields[name]
        try:
            values[name] = plain_value(info.kind, value.lost)
        except Unreadable:
            arguments.problems.add(
                "value.bad_format",
                f"what {name} was is no value of it; give another, or leave it out by `fields`",
                (*arguments.place("values"), name),
            )
            continue
        if value.lost is None and not info.allow_none:
            said = f"{name} was null, which it may not be any more; give a value"
            arguments.problems.add("value.null", said, (*arguments.place("values"), name))
    return values


def _joined(
    number: int,
    record: RecordInfo,
    was: Key,
    lost: Row,
    given: Row,
    again: bool,
    arguments: Arguments,
) -> WriteBack:
    """All of it; the key has its own place."""
    key = tuple(given.get(name, part) for name, part in zip(record.key, was, strict=True))
    values = {n: value for n, value in {**lost, **given}.items() if n not in record.key}
    if not values and not lost and key == was:
        _refuse(arguments, "entry.nothing", "the entry has no value that can be written back")
    return WriteBack(number, record, was, key, values, again)


def _refuse(arguments: Arguments, code: str, message: str) -> NoReturn:
    place = pointer(*arguments.place("number"))
    raise JournalRefused([Failure(code, message, place)])
