"""From what a client writes for a field, `name` or `country.name`, to the field itself."""

from __future__ import annotations

from records.catalogue import Catalogue
from records.errors import ValueRefused
from records.validation import Suggest
from records.values import RecordInfo, ReferenceInfo
from service.methods.query import Path

MOST_STEPS = 5
"""Each step is a join; five reach over every hierarchy of parents that we have met."""

_LONGEST_SHOWN = 100


def own_path(record: RecordInfo, field: str) -> Path:
    """The path to a field of the record itself."""
    info = record.fields[field]
    return Path((), info, info.allow_none)


def find_path(catalogue: Catalogue, record: RecordInfo, text: object, suggest: Suggest) -> Path:
    """The field that `text` names; raises ValueRefused where there is none."""
    if not isinstance(text, str):
        raise ValueRefused("value.wrong_type", "a field is named by text, such as name")
    if len(text) > _LONGEST_SHOWN:
        raise ValueRefused("field.unknown", f"{text[:_LONGEST_SHOWN]}… is longer than any field")
    *steps, field = text.split(".")
    if len(steps) > MOST_STEPS:
        raise ValueRefused("field.too_far", f"{text} leads over more than {MOST_STEPS} parents")
    optional = False
    for step in steps:
        reference = _reference(record, step)
        optional = optional or reference.allow_none
        record = catalogue.records[reference.target]
    if field not in record.fields:
        raise ValueRefused("field.unknown", _unknown_field(record, field, suggest))
    info = record.fields[field]
    return Path(tuple(steps), info, info.allow_none or optional)


def _reference(record: RecordInfo, name: str) -> ReferenceInfo:
    """A reference of the record; raises ValueRefused."""
    if name not in record.references:
        known = ", ".join(record.references) or "none"
        raise ValueRefused(
            "reference.unknown",
            f"{record.name} has no reference {name}; its references are: {known}",
        )
    return record.references[name]


def _unknown_field(record: RecordInfo, name: str, suggest: Suggest) -> str:
    """What to say about a field that is not there, also where it is the name of something else."""
    said = f"{record.name} has no field {name}"
    if name in record.references:
        reference = record.references[name]
        fields = ", ".join((*reference.fields, f"{name}.{reference.target_fields[0]}"))
        return f"{said}: it is a reference, whose fields are {fields} and so on"
    if name in record.collections:
        return f"{said}: it is a collection; use {record.name}.{name}.list"
    return f"{said}{suggest(name, record.fields)}"
