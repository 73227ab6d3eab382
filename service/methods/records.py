"""get, list, count, create, update, upsert and delete, for each record class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from records.catalogue import Catalogue
from records.errors import Failure
from records.kinds.base import JsonSchema
from records.validation import (
    Key,
    Row,
    Suggest,
    complete,
    key_to_json,
    parse_key,
    whole_key,
)
from records.values import RecordInfo
from service.errors import NotFound
from service.methods.describe import (
    count_schema,
    one_or_many,
    page_schema,
    partial_record,
    record_ref,
)
from service.methods.examples import example_change, example_key, example_new
from service.methods.help import help_text
from service.methods.listing import ListParser, read_fields
from service.methods.options import (
    WHERE,
    fields_parameter,
    key_parameter,
    list_parameters,
    values_parameter,
)
from service.methods.params import Arguments, Signature
from service.methods.ports import Change, Records
from service.methods.registry import Handler, Method
from service.methods.subjects import (
    Subjects,
    encoder,
    read_keys,
    read_record,
    read_subjects,
    repeated,
    where_to_look,
)

Look = Callable[[object, int], Iterable[Failure]]
"""From one record as it was sent, and its index."""


def nothing_more(_data: object, _index: int) -> Iterable[Failure]:
    """The look that finds nothing."""
    return ()


class RecordMethods:
    """The methods of one record class."""

    def __init__(self, catalogue: Catalogue, record: RecordInfo, store: Records) -> None:
        self._catalogue = catalogue
        self._record = record
        self._store = store
        self._encode = encoder(record, tuple(record.fields))

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield from self.reading()
        yield from self._writing()
        yield self._deleting()

    def reading(self) -> Iterator[Method]:
        """get, list and count."""
        record, key = self._record, example_key(self._record)
        yield self._method(
            "get",
            f"One {record.name} or many, by key.",
            Signature((key_parameter(record), fields_parameter(record)), record.key),
            one_or_many({"anyOf": [partial_record(record), {"type": "null"}]}),
            {"record": key},
            self.get,
            "A single record that is not there is an error; in a list of them it is null.",
        )
        yield self._method(
            "list",
            f"A page of the {record.name} records, in order.",
            Signature(list_parameters(record)),
            page_schema(record),
            {"order": [record.key[0]], "limit": 10},
            self.page,
            "The answer holds `records` and `next`: null on the last page. Without `order` they "
            "stand in the order of the key, which decides between equal ones in any order.",
        )
        yield self._method(
            "count",
            f"How many {record.name} records there are.",
            Signature((WHERE,)),
            {"type": "integer", "minimum": 0},
            {"where": [record.key[0], "is_null", False]},
            self.count,
        )

    def _writing(self) -> Iterator[Method]:
        """create, update and upsert."""
        record, result = self._record, one_or_many(record_ref(self._record))
        required = tuple(name for name, info in record.fields.items() if info.required)
        fields = tuple(record.fields)
        yield self._method(
            "create",
            f"Create one {record.name} or many: all or none.",
            Signature(
                (values_parameter(record, required, "the fields of the new record"),), fields
            ),
            result,
            {"record": example_new(record)},
            self.create,
            "Fields that are absent get their defaults. The whole record comes back.",
        )
        yield self._method(
            "update",
            f"Change one {record.name} or many: all or none.",
            Signature(
                (values_parameter(record, record.key, "the key, and the fields to change"),), fields
            ),
            result,
            {"record": example_change(record)},
            self.update,
            "Only the fields that are sent are written. The whole record comes back.",
        )
        yield self._method(
            "upsert",
            f"Change each {record.name} that is there, create each that is not: all or none.",
            Signature((values_parameter(record, (), "the key, and the fields to write"),), fields),
            result,
            {"record": example_change(record) | example_new(record)},
            self.upsert,
            "The key decides. Where a record is there, only the fields that are sent are written.",
        )

    def _deleting(self) -> Method:
        """The method that deletes, with its description."""
        record = self._record
        return self._method(
            "delete",
            f"Delete one {record.name} or many: all or none.",
            Signature((key_parameter(record),), record.key),
            count_schema("deleted"),
            {"record": example_key(record)},
            self.delete,
            "What becomes of children is told by schema.describe, `on_delete`.",
        )

    def _method(
        self,
        verb: str,
        summary: str,
        signature: Signature,
        result: JsonSchema,
        example: dict[str, object],
        handler: Handler,
        note: str = "",
    ) -> Method:
        """One method with its help."""
        name = f"{self._record.name}.{verb}"
        example = _flat_where_possible(signature, example)
        text = help_text(name, summary, signature, example, [note] if note else [])
        return Method(name, summary, text, signature, result, example, handler)

    async def get(self, arguments: Arguments) -> object:
        """`<record>.get`."""
        record = self._record
        subjects = read_subjects(arguments)
        fields = read_fields(record, arguments)
        keys, known = read_keys(record, subjects.items, arguments.problems.suggest)
        subjects.refuse_all(arguments.problems, known)
        found = await self._store.get(record, [key for key in keys if key is not None], fields)
        if not subjects.many and found[0] is None:
            raise NotFound([_absent(record, keys[0])], hint=where_to_look(record))
        encode = encoder(record, fields)
        return subjects.answer([None if row is None else encode(row) for row in found])

    async def page(self, arguments: Arguments) -> object:
        """`<record>.list`."""
        listing = ListParser(self._catalogue, self._record, arguments).listing()
        arguments.problems.raise_any()
        assert listing is not None
        rows, following = listing.cut(await self._store.page(self._record, listing.query))
        encode = encoder(self._record, listing.fields)
        return {"records": [encode(row) for row in rows], "next": following}

    async def count(self, arguments: Arguments) -> object:
        """`<record>.count`."""
        condition = ListParser(self._catalogue, self._record, arguments).condition()
        arguments.problems.raise_any()
        return await self._store.count(self._record, condition)

    async def create(self, arguments: Arguments) -> object:
        """`<record>.create`."""
        record = self._record
        subjects = read_subjects(arguments)
        suggest = arguments.problems.suggest
        parsed = [
            complete(record, read_record(record, data, index, suggest), index)
            for index, data in enumerate(subjects.items)
        ]
        known = [failure for part in parsed for failure in part.failures]
        subjects.refuse(arguments.problems, known)
        rows = [part.values for part in parsed]
        with subjects.told():
            await self._store.create(record, rows, known)
        return self._answer(subjects, rows)

    async def update(self, arguments: Arguments, look: Look = nothing_more) -> object:
        """`<record>.update`; `look` finds what is wrong with a change beside its values."""
        record = self._record
        subjects = read_subjects(arguments)
        suggest = arguments.problems.suggest
        read = [
            _read_change(record, data, index, suggest) for index, data in enumerate(subjects.items)
        ]
        changes = [change for change, _failures in read]
        known = [failure for _change, failures in read for failure in failures]
        known += repeated(change.key for change in changes)
        known += [found for at, data in enumerate(subjects.items) for found in look(data, at)]
        subjects.refuse(arguments.problems, known)
        with subjects.told():
            rows = await self._store.update(record, changes, known)
        return self._answer(subjects, rows)

    async def upsert(self, arguments: Arguments) -> object:
        """`<record>.upsert`."""
        record = self._record
        subjects = read_subjects(arguments)
        suggest = arguments.problems.suggest
        parsed = [
            read_record(record, data, index, suggest) for index, data in enumerate(subjects.items)
        ]
        known = list(repeated(whole_key(record, part.values) for part in parsed))
        subjects.refuse(
            arguments.problems, [*known, *(f for part in parsed for f in part.failures)]
        )
        with subjects.told():
            rows = await self._store.upsert(record, parsed, known)
        return self._answer(subjects, rows)

    async def delete(self, arguments: Arguments) -> object:
        """`<record>.delete`."""
        record = self._record
        subjects = read_subjects(arguments)
        keys, known = read_keys(record, subjects.items, arguments.problems.suggest)
        subjects.refuse(arguments.problems, known)
        with subjects.told():
            return {"deleted": await self._store.delete(record, keys, known)}

    def _answer(self, subjects: Subjects, rows: list[Row]) -> object:
        """Whole records, in the form of the question."""
        return subjects.answer([self._encode(row) for row in rows])


def _flat_where_possible(signature: Signature, example: dict[str, object]) -> dict[str, object]:
    """The simplest form of an example: bare fields, unless options have their names."""
    record = example.get("record")
    options = {name for parameter in signature.parameters for name in parameter.names}
    if not signature.flat or options & set(signature.flat):
        return example
    if isinstance(record, dict):
        return record
    return {signature.flat[0]: record}


def _read_change(
    record: RecordInfo, data: object, index: int, suggest: Suggest
) -> tuple[Change, list[Failure]]:
    """One change: the key fields say which record, the others what to write."""
    if not isinstance(data, Mapping):
        return Change(None, {}), read_record(record, data, index, suggest).failures
    key_part = {name: value for name, value in data.items() if name in record.key}
    key, failures = parse_key(record, key_part, index)
    others = {name: value for name, value in data.items() if name not in record.key}
    parsed = read_record(record, others, index, suggest)
    return Change(key, parsed.values), [*failures, *parsed.failures]


def _absent(record: RecordInfo, key: Key | None) -> Failure:
    """What to say of a record that is not there."""
    assert key is not None
    shown = key_to_json(record, key)
    return Failure("record.not_found", f"there is no {record.name} with the key {shown}")
