"""list_deleted and restore, for each record class: every deletion can be undone for a while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from records.catalogue import Catalogue
from records.errors import ValueRefused
from records.kinds.base import JsonSchema
from records.values import Order, RecordInfo
from schema.capture.columns import DIED, WRITER
from service.methods.describe import partial_record, record_ref
from service.methods.examples import example_key
from service.methods.feed_json import moment_json
from service.methods.help import help_text
from service.methods.listing import ListParser, read_fields
from service.methods.options import LIMIT, NEXT, WHERE, fields_parameter, key_parameter
from service.methods.params import Arguments, Parameter, Signature
from service.methods.paths import find_path
from service.methods.query import Path
from service.methods.registry import Method
from service.methods.subjects import encoder, read_keys, read_subjects, repeated
from service.methods.undo_port import Undo, graveyard

_OF_THE_DEAD = (DIED, WRITER)

_CHILDREN = Parameter(
    "children",
    "true: also what the deletion took along, the children that went by `cascade`, and theirs",
    {"type": ["boolean", "null"]},
)


class UndoMethods:
    """The methods of one record class that bring back what was deleted."""

    def __init__(self, catalogue: Catalogue, record: RecordInfo, undo: Undo) -> None:
        self._catalogue = catalogue
        self._record = record
        self._undo = undo
        self._encode = encoder(record, tuple(record.fields))

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield self._list_deleted()
        yield self._restore()

    def _list_deleted(self) -> Method:
        record = self._record
        name = f"{record.name}.list_deleted"
        signature = Signature((WHERE, LIMIT, fields_parameter(record), NEXT))
        summary = f"A page of the deleted {record.name} records that can be restored, last first."
        note = (
            "The answer holds `records`, each with the `record` as it was, `deleted_at` and "
            "`deleted_by`, and `next`: null on the last page. `where` is about the record's own "
            "fields. How long deleted records are kept is set by the node's [retention]."
        )
        example: dict[str, object] = {"where": [record.key[0], "is_null", False], "limit": 10}
        text = help_text(name, summary, signature, example, [note])
        result = _deleted_schema(record)
        return Method(name, summary, text, signature, result, example, self.list_deleted)

    def _restore(self) -> Method:
        record = self._record
        name = f"{record.name}.restore"
        signature = Signature((key_parameter(record), _CHILDREN), record.key)
        summary = f"Bring back one deleted {record.name} or many: all or none."
        note = (
            "With `children` the answer counts by class what came back with them. A child that "
            "was deleted by itself, before or after, stays deleted; one that was let go of "
            "(`set_null`) does not find its parent again."
        )
        example: dict[str, object] = {"record": example_key(record), "children": True}
        text = help_text(name, summary, signature, example, [note])
        return Method(
            name, summary, text, signature, _restored_schema(record), example, self.restore
        )

    async def list_deleted(self, arguments: Arguments) -> object:
        """`<record>.list_deleted`."""
        parser = _DeletedParser(self._catalogue, self._record, arguments)
        listing = parser.listing(default=(Order(DIED, descending=True),), about="deleted")
        arguments.problems.raise_any()
        assert listing is not None
        found = await self._undo.list_deleted(self._record, listing.query)
        rows, following = listing.cut(found)
        own = [name for name in listing.fields if name not in _OF_THE_DEAD]
        encode = encoder(self._record, own)
        records = [
            {
                "record": encode(row),
                "deleted_at": moment_json(row[DIED]),
                "deleted_by": row[WRITER],
            }
            for row in rows
        ]
        return {"records": records, "next": following}

    async def restore(self, arguments: Arguments) -> object:
        """`<record>.restore`."""
        record = self._record
        subjects = read_subjects(arguments)
        children = self._children(arguments)
        keys, known = read_keys(record, subjects.items, arguments.problems.suggest)
        known += repeated(keys)
        subjects.refuse(arguments.problems, known)
        with subjects.told():
            restored = await self._undo.restore(record, keys, children, known)
        found = subjects.answer([self._encode(row) for row in restored.rows])
        answer: dict[str, object] = {"records" if subjects.many else "record": found}
        return answer | ({"children": dict(restored.children)} if children else {})

    def _children(self, arguments: Arguments) -> bool:
        """The parameter `children`."""
        given = arguments.get("children")
        if given is not None and not isinstance(given, bool):
            place = arguments.place("children")
            arguments.problems.add("value.wrong_type", "children is true or false", place)
        return given is True


class _DeletedParser(ListParser):
    """Reads what lists of the dead are asked for; conditions are about the record's own fields."""

    def __init__(self, catalogue: Catalogue, record: RecordInfo, arguments: Arguments) -> None:
        super().__init__(catalogue, graveyard(record), arguments)
        self._own_only = replace(record, references={}, collections={})
        self._references = record.references

    def _fields(self) -> tuple[str, ...]:
        return (*read_fields(self._own_only, self._arguments), *_OF_THE_DEAD)

    def _path(self, text: object) -> Path:
        first, dot, _rest = text.partition(".") if isinstance(text, str) else ("", "", "")
        if dot or first in self._references:
            raise ValueRefused("reference.unknown", self._no_parents(str(text)[:100], first))
        return find_path(self._catalogue, self._own_only, text, self._problems.suggest)

    def _no_parents(self, text: str, first: str) -> str:
        """What to say of a path to a parent, which may be deleted as well."""
        said = f"{text}: fields of parents cannot be asked for among deleted records"
        if first in self._references:
            return f"{said}; use {', '.join(self._references[first].fields)}"
        return f"{said}, only {self._own_only.name}'s own"


def _deleted_schema(record: RecordInfo) -> JsonSchema:
    """A page of deleted records. They lack what was added since, and have null in its place."""
    fields = {
        name: replace(info, allow_none=info.allow_none or name not in record.key)
        for name, info in record.fields.items()
    }
    deleted = {
        "type": "object",
        "properties": {
            "record": partial_record(replace(record, fields=fields)),
            "deleted_at": {"type": "string", "format": "date-time"},
            "deleted_by": {"type": "string"},
        },
        "required": ["record", "deleted_at", "deleted_by"],
    }
    return {
        "type": "object",
        "properties": {
            "records": {"type": "array", "items": deleted},
            "next": {"type": ["string", "null"]},
        },
        "required": ["records", "next"],
    }


def _restored_schema(record: RecordInfo) -> JsonSchema:
    """What was brought back: `record`, or `records` where a list was asked for."""
    counts = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
    return {
        "type": "object",
        "properties": {
            "record": record_ref(record),
            "records": {"type": "array", "items": record_ref(record)},
            "children": counts,
        },
    }
