"""Record classes as JSON Schema (2020-12), and the schemas of what methods take and give.

What JSON Schema has no word for begins with `x-`: the key, references, collections, unique keys,
and fields that are written together.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from records.catalogue import Catalogue
from records.fields import MISSING
from records.kinds.base import JsonSchema
from records.values import CollectionInfo, FieldInfo, RecordInfo, ReferenceInfo

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def catalogue_schema(catalogue: Catalogue) -> JsonSchema:
    """The schemas of all classes, under their names in `$defs`."""
    schemas = {name: record_schema(record) for name, record in catalogue.records.items()}
    return {"$schema": DIALECT, "$defs": schemas}


def record_schema(record: RecordInfo) -> JsonSchema:
    """The schema of a record as it is created; answers hold all its fields."""
    described = {"description": text} if (text := _own_words(record)) else {}
    return {
        "title": record.name,
        **described,
        "type": "object",
        "properties": {name: field_schema(info) for name, info in record.fields.items()},
        "required": [name for name, info in record.fields.items() if info.required],
        "additionalProperties": False,
        "x-key": list(record.key),
        "x-unique": [list(key.fields) for key in record.uniques],
        "x-atomic": [list(group) for group in record.atomic],
        "x-references": {name: _reference(part) for name, part in record.references.items()},
        "x-collections": {name: _collection(part) for name, part in record.collections.items()},
    }


def field_schema(info: FieldInfo) -> JsonSchema:
    """The schema of one field, with its default."""
    schema = dict(info.kind.json_schema())
    if info.allow_none:
        schema = {"anyOf": [schema, {"type": "null"}]} if schema else {}
    elif not schema:
        schema = {"not": {"type": "null"}}
    return schema | _default(info) | ({"x-reference": info.reference} if info.reference else {})


def record_ref(record: RecordInfo) -> JsonSchema:
    """A reference to the schema of a record within `schema.describe`."""
    return {"$ref": f"#/$defs/{record.name}"}


def partial_record(record: RecordInfo, required: Iterable[str] = ()) -> JsonSchema:
    """Some of a record's fields."""
    return {
        "type": "object",
        "properties": {name: field_schema(info) for name, info in record.fields.items()},
        "required": list(required),
        "additionalProperties": False,
    }


def key_schema(record: RecordInfo) -> JsonSchema:
    """A key: an object of its fields, or the bare value where it is one field."""
    named = {
        "type": "object",
        "properties": {name: field_schema(record.fields[name]) for name in record.key},
        "required": list(record.key),
        "additionalProperties": False,
    }
    if len(record.key) > 1:
        return named
    return {"anyOf": [record.fields[record.key[0]].kind.json_schema(), named]}


def one_or_many(schema: JsonSchema) -> JsonSchema:
    """One, or a list of them."""
    return {"anyOf": [schema, {"type": "array", "items": schema}]}


def page_schema(record: RecordInfo) -> JsonSchema:
    """A page of a list."""
    return {
        "type": "object",
        "properties": {
            "records": {"type": "array", "items": partial_record(record)},
            "next": {"type": ["string", "null"]},
        },
        "required": ["records", "next"],
    }


def count_schema(name: str) -> JsonSchema:
    """An object with one number."""
    counted = {name: {"type": "integer", "minimum": 0}}
    return {"type": "object", "properties": counted, "required": [name]}


def _own_words(record: RecordInfo) -> str:
    """What the class says of itself."""
    return inspect.cleandoc(vars(record.cls).get("__doc__") or "")


def _default(info: FieldInfo) -> dict[str, Any]:
    """What a new record gets where nothing is given."""
    if info.required:
        return {}
    if info.default is MISSING or info.default is None:
        return {"default": None}
    if callable(info.default):
        return {"x-default": "generated"}
    return {"default": info.kind.to_json(info.new_value())}


def _reference(reference: ReferenceInfo) -> dict[str, Any]:
    """A reference to a parent."""
    return {
        "record": reference.target,
        "fields": dict(zip(reference.fields, reference.target_fields, strict=True)),
        "on_delete": reference.on_delete,
        "required": not reference.allow_none,
    }


def _collection(collection: CollectionInfo) -> dict[str, Any]:
    """A collection of children."""
    order = [("-" if by.descending else "") + by.field for by in collection.order_by]
    return {"record": collection.child, "reference": collection.reference, "order_by": order}
