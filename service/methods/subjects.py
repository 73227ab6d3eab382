"""The records a call is about: one or many, and how failures and answers speak of them.

What fails in a record points into that record, with its index where the call carries many. What
fails in the parameters themselves points into the parameters; where both fail, all points there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from records.errors import Failure, pointer
from records.validation import Key, Parsed, Row, Suggest, parse_key, parse_values
from records.values import RecordInfo
from service.errors import ParametersRefused, Refused, ValuesRefused
from service.methods.params import Arguments
from service.methods.problems import Place, Problems

MOST_RECORDS = 10_000
"""Records in one call: at about 100 µs each they hold their locks for a second."""

_T = TypeVar("_T")


def where_to_look(record: RecordInfo, missing: Iterable[str] = ("",)) -> str:
    """What to do where something was not found, of a call about a class.

    `missing` are the pointers to what is not there: the record itself, or one that it refers to.
    """
    names = {
        record.references[last].target if last in record.references else record.name
        for last in (each.rpartition("/")[2] for each in missing)
    }
    lists = " and ".join(f"{name}.list" for name in sorted(names))
    return f"{lists} {'tell' if len(names) > 1 else 'tells'} which there are."


@dataclass(frozen=True)
class Subjects:
    """The records of one call as they were sent. `many` tells a list, which is answered by one."""

    items: Sequence[object]
    many: bool
    place: Place

    def answer(self, results: Sequence[_T]) -> _T | list[_T]:
        """The results in the form of the question."""
        return list(results) if self.many else results[0]

    def failure(self, failure: Failure) -> Failure:
        """A failure in a record, told as the client counts."""
        index = failure.index if self.many else None
        return Failure(failure.code, failure.message, failure.pointer, index)

    def in_parameters(self, failure: Failure) -> Failure:
        """A failure in a record, told as a place in the parameters."""
        steps = (
            (*self.place, failure.index) if self.many and failure.index is not None else self.place
        )
        return Failure(failure.code, failure.message, pointer(*steps) + failure.pointer)

    @contextmanager
    def told(self, parent: Place | None = None) -> Iterator[None]:
        """Failures that the store raises are told as the client counts.

        `parent` is where the parent of a collection stands in the parameters: what fails without
        an index fails there.
        """
        try:
            yield
        except ParametersRefused:
            raise
        except Refused as refused:
            about_parent = pointer(*(parent or ()))
            told = [
                Failure(failure.code, failure.message, about_parent + failure.pointer)
                if parent is not None and failure.index is None
                else self.failure(failure)
                for failure in refused.failures
            ]
            raise type(refused)(told, refused.message, hint=refused.advice) from refused

    def refuse(self, problems: Problems, known: Iterable[Failure]) -> None:
        """Raise ParametersRefused where there are problems, with the failures of records too."""
        for failure in known if problems.failures else ():
            problems.failures.append(self.in_parameters(failure))
        problems.raise_any()

    def refuse_all(self, problems: Problems, known: Sequence[Failure]) -> None:
        """The same, and raise ValuesRefused where only records have failures."""
        self.refuse(problems, known)
        if known:
            raise ValuesRefused(self.failure(failure) for failure in known)


def read_subjects(arguments: Arguments) -> Subjects:
    """The records that a call names, `record` or `records`; none where there are problems."""
    if "records" not in arguments.values:
        items = [arguments.values["record"]] if "record" in arguments.values else []
        return Subjects(items, False, arguments.place("record"))
    return listed_records(arguments, "records", "; record takes a single one")


def listed_records(arguments: Arguments, name: str, otherwise: str = "") -> Subjects:
    """The records in a parameter that is a list of them; none where there are problems."""
    given, place = arguments.get(name), arguments.place(name)
    if not isinstance(given, list):
        if name in arguments.values:
            arguments.problems.add("value.wrong_type", f"{name} is a list{otherwise}", place)
        return Subjects([], True, place)
    if len(given) > MOST_RECORDS:
        arguments.problems.add(
            "params.too_many_records",
            f"{len(given)} records, where at most {MOST_RECORDS} may be in one call",
            place,
        )
        return Subjects([], True, place)
    return Subjects(given, True, place)


def read_record(record: RecordInfo, data: object, index: int, suggest: Suggest) -> Parsed:
    """The values of one record. What is no object has only that failure, and misses no field."""
    parsed = parse_values(record, data, index, suggest=suggest)
    if not isinstance(data, Mapping):
        parsed.refused.update(record.fields)
    return parsed


def read_keys(
    record: RecordInfo, items: Iterable[object], suggest: Suggest
) -> tuple[list[Key | None], list[Failure]]:
    """The keys of some records, None for each that is refused, and every failure."""
    found = [parse_key(record, item, index, suggest=suggest) for index, item in enumerate(items)]
    return [key for key, _failures in found], [
        failure for _key, failures in found for failure in failures
    ]


def repeated(keys: Iterable[Key | None]) -> Iterator[Failure]:
    """A failure for each key that another record has before it."""
    first: dict[Key, int] = {}
    for index, key in enumerate(keys):
        if key is not None and first.setdefault(key, index) != index:
            message = f"record {first[key]} of this call has the same key"
            yield Failure("record.repeated", message, "", index)


def encoder(record: RecordInfo, fields: Sequence[str]) -> Callable[[Row], dict[str, object]]:
    """What turns rows into JSON, with these fields in this order."""
    converters = [(name, record.fields[name].kind.to_json) for name in fields]

    def encode(row: Row) -> dict[str, object]:
        return {
            name: None if row[name] is None else convert(row[name]) for name, convert in converters
        }

    return encode
