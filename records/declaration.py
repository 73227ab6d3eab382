"""What can be wrong with a declaration, found before anything is built from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from storm.properties import Property

from records.base import Record, is_concrete, key_of, ordered_members, references_of
from records.constraints import Constraint
from records.errors import DeclarationError, HerdbookError
from records.family import FAMILY
from records.fields import MISSING
from records.naming import LONGEST_NAME
from records.plain import is_kept, kind_of, options_of
from records.relation import ON_DELETE, SET_NULL, Reference, References
from records.values import FieldInfo, KeyInfo, RecordInfo

RESERVED_RECORDS = frozenset(
    ["db", "feed", "herd", "held", "journal", "node", "range", "rpc", "schema", "system"]
)
"""Namespaces of the API that a record class would hide."""

SYSTEM_PREFIX = "herdbook_"
"""Herdbook's own tables begin with it."""

LONGEST_TABLE = 50
"""Characters: beside each table stands another one, whose name begins with `herdbook_dead_`."""

WIDEST_INDEX = 3_072
"""Bytes in an InnoDB index entry (row format DYNAMIC)."""


def problems_of_class(cls: type[Record]) -> Iterator[str]:
    """Every problem of one class, each a line that names the class and the member."""
    for name, member in dict(ordered_members(cls)).items():
        where = f"{cls.__name__}.{name}"
        if isinstance(member, Reference):
            yield from _prefixed(where, _reference_problems(cls, name, member))
        elif isinstance(member, References):
            yield from _prefixed(where, _collection_problems(cls, member))
        elif isinstance(member, Property):
            yield from _prefixed(where, _field_problems(name, member))
    yield from _prefixed(cls.__name__, _constraint_problems(cls))
    if _complete(cls):
        yield from _prefixed(cls.__name__, _key_problems(cls))
        yield from _prefixed(f"{cls.__name__}.__atomic__", _atomic_problems(cls))


def problems_of_all(records: Iterable[RecordInfo]) -> Iterator[str]:
    """Problems that show only between classes, or in what was built from them."""
    known = list(records)
    for what, names in (
        ("name", [record.name for record in known]),
        ("table", [record.table.lower() for record in known]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{count} record classes have the {what} {name!r}; rename all but one"
    constraints = [
        info.constraint.lower() for record in known for info in record.references.values()
    ]
    for name, count in Counter(constraints).items():
        if count > 1:
            yield f"{count} foreign keys are called {name!r}; give one reference other columns=[…]"
    for record in known:
        yield from _prefixed(record.cls.__name__, _record_problems(record))


def _prefixed(where: str, problems: Iterable[str]) -> Iterator[str]:
    """Problems with their place before them."""
    return (f"{where}: {problem}" for problem in problems)


def _complete(cls: type[Record]) -> bool:
    """Whether all references found their parents."""
    return all(part.target_class(cls) is not None for _name, part in references_of(cls))


def _reference_problems(cls: type[Record], name: str, reference: Reference) -> Iterator[str]:
    """What is wrong with a reference."""
    target: Any = reference.target_class(cls)
    if target is None:
        yield f"there is no record class {reference.target!r} (or more than one)"
    elif not is_concrete(target):
        yield f"{target!r} is no record class with a table"
    elif target in FAMILY:
        yield f"{target.__name__} belongs to Herdbook and may go by itself; keep its id as a Uuid"
    else:
        yield from _reference_column_problems(cls, name, reference, target)
    if reference.on_delete not in ON_DELETE:
        yield f"on_delete must be one of {', '.join(ON_DELETE)}, not {reference.on_delete!r}"
    if reference.on_delete == SET_NULL and not reference.allow_none:
        yield "on_delete set_null needs allow_none=True"
    if reference.primary and reference.allow_none:
        yield "a part of the key cannot be allow_none"


def _reference_column_problems(
    cls: type[Record], name: str, reference: Reference, target: type[Record]
) -> Iterator[str]:
    """Columns that are given by hand must fit the parent's key."""
    key = key_of(target) or ()
    if reference.columns is not None and len(reference.columns) != len(key):
        yield f"columns must name {len(key)}, as the parent's key has"
    own, theirs = dict(ordered_members(cls)), dict(ordered_members(target))
    for here, there in zip(reference.field_names(name, key), key, strict=True):
        pair = own.get(here), theirs.get(there)
        if all(isinstance(part, Property) and is_kept(part) for part in pair):
            kinds = [kind_of(part) for part in pair]
            if kinds[0] != kinds[1]:
                yield f"{here} must be declared like {target.__name__}.{there}, or be left out"
            if options_of(pair[0])["allow_none"] != reference.allow_none:
                yield f"{here} and the reference must agree on allow_none"


def _collection_problems(cls: type[Record], collection: References) -> Iterator[str]:
    """What is wrong with a collection."""
    try:
        child, reference, _name = collection.resolve(cls)
    except DeclarationError as error:
        yield from error.problems
        return
    if reference.target_class(child) is not cls:
        yield f'References("{collection.child}"): that reference is to another class'
    for part in collection.order_by:
        if not isinstance(dict(ordered_members(child)).get(part.removeprefix("-")), Property):
            yield f"order_by: {child.__name__} has no field {part.removeprefix('-')!r}"


def _field_problems(name: str, prop: Property) -> Iterator[str]:
    """What is wrong with a field."""
    try:
        kind = kind_of(prop)
        problems = list(kind.problems())
    except DeclarationError as error:
        yield from error.problems
        return
    except TypeError:
        yield f"an argument has the wrong type: {prop.kind!r}"
        return
    options = options_of(prop)
    yield from problems
    keyed = prop._primary or options["unique"] or options["index"]
    if keyed and not kind.keyable:
        yield f"{_words(kind)} cannot be a key or be indexed; choose a type of fixed length"
    if prop._primary and options["allow_none"]:
        yield "a part of the key cannot be allow_none"
    if name.startswith("_") or (prop._name or "").startswith("_"):
        yield "names that begin with an underscore belong to Herdbook"
    if len(prop._name or name) > LONGEST_NAME:
        yield f"the column's name is longer than {LONGEST_NAME} characters"
    if not problems:
        yield from _default_problems(kind, options)


def _words(kind: object) -> str:
    """A kind in the words of the declaration."""
    return type(kind).__name__.removesuffix("Kind")


def _default_problems(kind: Any, options: Mapping[str, Any]) -> Iterator[str]:
    """A default must itself be a value of the field."""
    default = options["default"]
    if default is MISSING or callable(default):
        return
    if default is None:
        if not options["allow_none"]:
            yield "the default None needs allow_none=True"
        return
    try:
        kind.check(default)
    except HerdbookError as error:
        yield f"the default does not fit: {error}"


def _constraint_problems(cls: type[Record]) -> Iterator[str]:
    """`__constraints__` holds constraints over fields that exist."""
    members = dict(ordered_members(cls))
    declared: object = cls.__constraints__
    if not isinstance(declared, tuple | list):
        yield f"__constraints__ must be a tuple, not {declared!r}; mind the comma"
        return
    for constraint in declared:
        if not isinstance(constraint, Constraint):
            yield f"__constraints__ may hold Unique and Index, not {constraint!r}"
            continue
        if not constraint.fields:
            yield f"{constraint!r} names no field"
        if len(set(constraint.fields)) != len(constraint.fields):
            yield f"{constraint!r} names a field twice"
        for name in constraint.fields:
            if not isinstance(members.get(name), Property | Reference):
                yield f"{constraint!r}: there is no field {name!r}"


def _key_problems(cls: Any) -> Iterator[str]:
    """The primary key exists, and its fields do."""
    members = dict(ordered_members(cls))
    explicit = vars(cls).get("__storm_primary__") or ()
    for name in (explicit,) if isinstance(explicit, str) else explicit:
        if not isinstance(members.get(name), Property):
            yield f"__storm_primary__ names {name!r}, which is no field"
    if not explicit and key_of(cls) is None:
        yield "the primary key leads back to itself through its references"
    elif not explicit and not key_of(cls):
        yield "there is no primary key; give a field primary=True"


def _atomic_problems(cls: type[Record]) -> Iterator[str]:
    """`__atomic__` holds groups of fields that exist and may change."""
    declared: object = cls.__atomic__
    if not isinstance(declared, tuple | list):
        yield f"must be a tuple of tuples, not {declared!r}"
        return
    for group in declared:
        if isinstance(group, tuple | list):
            yield from _group_problems(cls, group)
        else:
            yield f'may hold tuples such as ("amount", "currency"), not {group!r}; mind the comma'


def _group_problems(cls: type[Record], group: Sequence[object]) -> Iterator[str]:
    """A group has two fields or more, each once, and none of the key."""
    members = dict(ordered_members(cls))
    unknown = [
        name for name in group if not isinstance(members.get(str(name)), Property | Reference)
    ]
    yield from (f"there is no field {name!r}" for name in unknown)
    if unknown:
        return
    names = [part for name in group for part in _fields_of(members[str(name)], str(name), cls)]
    key = key_of(cls) or ()
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{group!r} names {name} twice"
        if name in key:
            yield f"{name} is in the primary key, which does not change; leave it out"
    if len(names) < 2:
        yield f"{group!r} is not several fields; name all that are written together"


def _fields_of(member: Property | Reference, name: str, cls: type[Record]) -> tuple[str, ...]:
    """The field itself, or those that hold a reference."""
    if isinstance(member, Reference):
        target = member.target_class(cls)
        return () if target is None else member.field_names(name, key_of(target) or ())
    return (name,)


def _record_problems(record: RecordInfo) -> Iterator[str]:
    """Names that collide, and keys that no index can hold."""
    if record.name in RESERVED_RECORDS:
        yield f"the name {record.name!r} belongs to the API; rename the class"
    if record.table.lower().startswith((SYSTEM_PREFIX, "_")):
        yield f"the table name {record.table!r} belongs to Herdbook"
    yield from _column_name_problems(record)
    constraints = [info.constraint for info in record.references.values()]
    keys = (KeyInfo("PRIMARY", record.key), *record.uniques, *record.indexes)
    if len(record.table) > LONGEST_TABLE:
        yield (
            f"the table name {record.table!r} is longer than {LONGEST_TABLE} characters; give a "
            'shorter one with __storm_table__ = "…"'
        )
    for name in (*constraints, *(key.name for key in keys)):
        if len(name) > LONGEST_NAME:
            yield f"the name {name!r} is longer than {LONGEST_NAME} characters; give a shorter one"
    for name, count in Counter(key.name.lower() for key in keys).items():
        if count > 1:
            yield f"{count} keys have the name {name!r}; give them names"
    for key in keys:
        yield from _key_field_problems(key, [record.fields[name] for name in key.fields])


def _column_name_problems(record: RecordInfo) -> Iterator[str]:
    """Names of columns that collide, or that are Herdbook's own."""
    columns = Counter(info.column.lower() for info in record.fields.values())
    for column, count in columns.items():
        if count > 1:
            yield f"{count} fields have the column {column!r}"
        if column.startswith(SYSTEM_PREFIX):
            yield f"the column name {column!r} belongs to Herdbook; give the field another name=…"


def _key_field_problems(key: KeyInfo, fields: list[FieldInfo]) -> Iterator[str]:
    """Whether InnoDB can hold the key."""
    for info in fields:
        if not info.kind.keyable:
            yield f"{info.name} is {_words(info.kind)} and cannot be in the key {key.name}"
    width = sum(info.kind.index_bytes() for info in fields)
    if width > WIDEST_INDEX:
        yield f"the key {key.name} takes {width} bytes, where {WIDEST_INDEX} fit; shorten a field"
