"""From a record class to its values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from storm.properties import Property

from records.base import Record, ordered_members, references_of
from records.constraints import Constraint, Index, Unique
from records.groups import joined
from records.naming import foreign_key_name, index_name, snake_case, unique_name
from records.plain import kind_of, options_of
from records.relation import Reference, References
from records.values import CollectionInfo, FieldInfo, KeyInfo, Order, RecordInfo, ReferenceInfo


def describe(cls: type[Record]) -> RecordInfo:
    """One class as values; it must be free of problems."""
    fields = {name: _field_info(name, prop) for name, prop in _ordered_fields(cls)}
    references = dict(_reference_infos(cls, fields))
    table = _table(cls)
    every = [
        *_field_keys(cls, table, fields),
        *_reference_keys(cls, table, fields, references),
        *((type(part), _key_info(table, fields, part, references)) for part in cls.__constraints__),
    ]
    return RecordInfo(
        name=snake_case(cls.__name__),
        cls=cls,
        table=table,
        fields=MappingProxyType(fields),
        key=tuple(cls.__storm_primary__),
        references=MappingProxyType(references),
        collections=MappingProxyType(dict(_collection_infos(cls))),
        uniques=tuple(info for kind, info in every if kind is Unique),
        indexes=tuple(info for kind, info in every if kind is Index),
        atomic=tuple(_groups(cls, fields, references)),
    )


def _table(cls: Any) -> str:
    """The table's name."""
    return str(cls.__storm_table__)


def _ordered_fields(cls: type[Record]) -> Iterator[tuple[str, Property]]:
    """The fields in the order of declaration, a reference's columns in its place; `id` first."""
    members = dict(ordered_members(cls))
    if "id" in members:
        # It was made for this class, so it would come after all that is inherited.
        members = {"id": members["id"]} | members
    own = {name: member for name, member in members.items() if isinstance(member, Property)}
    by_reference = {
        name: [part for part, prop in own.items() if getattr(prop, "reference", None) == name]
        for name, _reference in references_of(cls)
    }
    for name, member in members.items():
        if isinstance(member, Reference):
            yield from ((part, own[part]) for part in by_reference[name])
        elif isinstance(member, Property) and getattr(member, "reference", None) is None:
            yield name, member


def _field_info(name: str, prop: Property) -> FieldInfo:
    """One field as values."""
    options = options_of(prop)
    return FieldInfo(
        name=name,
        column=prop._name or name,
        kind=kind_of(prop),
        allow_none=options["allow_none"],
        default=options["default"],
        validator=options["validator"],
        reference=options["reference"],
    )


def _reference_infos(
    cls: type[Record], fields: Mapping[str, FieldInfo]
) -> Iterator[tuple[str, ReferenceInfo]]:
    """The references of a class as values."""
    for name, reference in references_of(cls):
        target: Any = reference.target_class(cls)
        target_fields = tuple(target.__storm_primary__)
        own = reference.field_names(name, target_fields)
        columns = tuple(fields[part].column for part in own)
        yield (
            name,
            ReferenceInfo(
                name=name,
                target=snake_case(target.__name__),
                fields=own,
                target_fields=target_fields,
                on_delete=reference.on_delete,
                allow_none=reference.allow_none,
                constraint=foreign_key_name(_table(cls), columns),
            ),
        )


def _collection_infos(cls: type[Record]) -> Iterator[tuple[str, CollectionInfo]]:
    """The collections of a class as values."""
    for name, member in vars(cls).items():
        if isinstance(member, References):
            child, _reference, reference_name = member.resolve(cls)
            orders = (Order(part.removeprefix("-"), part[0] == "-") for part in member.order_by)
            yield (
                name,
                CollectionInfo(name, snake_case(child.__name__), reference_name, tuple(orders)),
            )


def _field_keys(
    cls: type[Record], table: str, fields: Mapping[str, FieldInfo]
) -> list[tuple[type[Constraint], KeyInfo]]:
    """The unique keys and indexes that fields declare for themselves."""
    options = {name: options_of(prop) for name, prop in _ordered_fields(cls)}
    return [
        (kind, _named(kind, table, fields, (name,)))
        for name, given in options.items()
        for kind, asked in ((Unique, given["unique"]), (Index, given["index"]))
        if asked
    ]


def _reference_keys(
    cls: type[Record],
    table: str,
    fields: Mapping[str, FieldInfo],
    references: Mapping[str, ReferenceInfo],
) -> Iterator[tuple[type[Constraint], KeyInfo]]:
    """An index for each foreign key, or a unique key where it is one-to-one.

    A reference that the primary key begins with needs no index of its own.
    """
    for name, reference in references.items():
        if vars(cls)[name].unique:
            yield Unique, _named(Unique, table, fields, reference.fields)
        elif tuple(cls.__storm_primary__)[: len(reference.fields)] != reference.fields:
            yield Index, _named(Index, table, fields, reference.fields)


def _key_info(
    table: str,
    fields: Mapping[str, FieldInfo],
    constraint: Constraint,
    references: Mapping[str, ReferenceInfo],
) -> KeyInfo:
    """A declared key as values."""
    names = tuple(_fields_of(constraint.fields, references))
    made = _named(type(constraint), table, fields, names)
    return KeyInfo(constraint.name or made.name, names)


def _named(
    kind: type[Constraint], table: str, fields: Mapping[str, FieldInfo], names: tuple[str, ...]
) -> KeyInfo:
    """A key with the name that follows from its columns."""
    columns = tuple(fields[name].column for name in names)
    naming = unique_name if kind is Unique else index_name
    return KeyInfo(naming(table, columns), names)


def _groups(
    cls: type[Record],
    fields: Mapping[str, FieldInfo],
    references: Mapping[str, ReferenceInfo],
) -> Iterator[tuple[str, ...]]:
    """What is written together, in the order of the fields: what is declared so, and references.

    Half of one parent's key and half of another's mean no parent at all. A part of the own key
    never changes.
    """
    declared = (_fields_of(group, references) for group in cls.__atomic__)
    key = frozenset(cls.__storm_primary__)
    found = joined([*declared, *(frozenset(info.fields) - key for info in references.values())])
    order = list(fields)
    inner = (tuple(sorted(group, key=order.index)) for group in found if len(group) > 1)
    return iter(sorted(inner, key=lambda group: order.index(group[0])))


def _fields_of(names: Iterable[str], references: Mapping[str, ReferenceInfo]) -> Iterator[str]:
    """Fields by name; a reference's name stands for its fields."""
    for name in names:
        yield from references[name].fields if name in references else (name,)
