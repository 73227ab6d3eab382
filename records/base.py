"""`Record`, the class all record classes derive from."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard

from storm.base import Storm
from storm.properties import Property, PropertyPublisherMeta

from records.constraints import Constraint
from records.fields import Field, Uuid
from records.identity import new_id
from records.naming import snake_case
from records.plain import is_kept, kind_of
from records.registry import register
from records.relation import Reference, References

_waiting: list[weakref.ref[type]] = []
"""Classes with a reference to a class that is not declared yet."""


class RecordMeta(PropertyPublisherMeta):  # type: ignore[misc]  # Storm has no types
    """Gives a record class its table name, its key and the columns of its references."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        """Complete the namespace before the class is made."""
        if bases != (Storm,) and not namespace.get("__abstract__"):
            namespace.setdefault("__abstract__", False)
            namespace.setdefault("__storm_table__", snake_case(name))
            namespace = _inherited_relations(bases, namespace) | namespace
            if not _declares_key(bases, namespace):
                namespace = {"id": Uuid(primary=True, default=new_id)} | namespace
        return super().__new__(mcs, name, bases, namespace)

    def __init__(self, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        """Make the class known; it is finished as soon as all its parents are known."""
        if "__storm_table__" not in vars(self):
            super().__init__(name, bases, namespace)
            return
        type.__init__(self, name, bases, namespace)
        register(self)
        _waiting.append(weakref.ref(self))
        _finish_waiting()


def _inherited_relations(bases: tuple[type, ...], namespace: dict[str, Any]) -> dict[str, Any]:
    """Copies of the references and collections of the base classes: each belongs to one table."""
    return {
        name: copy.copy(member)
        for base in reversed(bases)
        for name, member in ordered_members(base)
        if isinstance(member, Reference | References) and name not in namespace
    }


def _declares_key(bases: tuple[type, ...], namespace: dict[str, Any]) -> bool:
    """Whether a key is declared here or inherited."""
    if "__storm_primary__" in namespace:
        return True
    inherited = [vars(cls) for base in bases for cls in base.__mro__]
    return any(
        getattr(member, "primary", None) or getattr(member, "_primary", None)
        for members in (namespace, *inherited)
        for member in members.values()
        if isinstance(member, Property | Reference)
    )


def finish_classes() -> None:
    """Finish the classes whose parents are in other modules; all of them are declared by now."""
    for waiting in list(_waiting):
        cls = waiting()
        if cls is not None:
            for _name, reference in references_of(cls):
                reference.look_elsewhere(cls)
    _finish_waiting()


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No garbage collection within the block.

    Storm's registry inserts into a list from which a collected class removes itself: one that goes
    at that moment makes the insertion fail with an IndexError (seen on Python 3.12).
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _finish_waiting() -> None:
    """Finish every class whose parents are known by now, until no more can be."""
    progress = True
    while progress:
        unfinished = [cls for cls in (waiting() for waiting in _waiting) if cls is not None]
        _waiting[:] = [weakref.ref(cls) for cls in unfinished if not _finish(cls)]
        progress = len(_waiting) < len(unfinished)


def _finish(cls: Any) -> bool:
    """Add the columns of the references whose target is known; True when none is missing."""
    missing = [name for name, reference in references_of(cls) if not _attach(cls, name, reference)]
    key = key_of(cls)
    if missing or not key:
        return False
    cls.__storm_primary__ = key
    with _nothing_collected():
        Storm._storm_property_registry.add_class(cls)
    return True


def _attach(cls: type, name: str, reference: Reference) -> bool:
    """Make the columns of one reference; False while its parent's key is not known."""
    target = reference.target_class(cls)
    key = None if target is None else key_of(target)
    if target is None or not key or not all(_is_field(target, part) for part in key):
        return False
    names = reference.field_names(name, key)
    for index, (own, remote) in enumerate(zip(names, key, strict=True)):
        if own not in vars(cls):
            setattr(cls, own, _reference_field(reference, index, declared_member(target, remote)))
        if isinstance(vars(cls)[own], Field):
            vars(cls)[own].reference = name
    reference.connect([vars(cls)[own] for own in names], [getattr(target, part) for part in key])
    return True


def _is_field(cls: type, name: str) -> bool:
    """Whether the class has this field, of a kind that can be kept."""
    member = dict(ordered_members(cls)).get(name)
    return isinstance(member, Property) and is_kept(member)


def _reference_field(reference: Reference, index: int, remote: Property) -> Field:
    """A column that holds one part of the parent's key."""
    column = dict(enumerate(reference.columns or ())).get(index)
    return Field(kind_of(remote), name=column, allow_none=reference.allow_none)


def declared_member(cls: type, name: str) -> Any:
    """The property called `name`, from the class or one it inherits from."""
    return next(vars(base)[name] for base in cls.__mro__ if name in vars(base))


def references_of(cls: type) -> list[tuple[str, Reference]]:
    """The references declared in the class, in order."""
    return [(name, value) for name, value in vars(cls).items() if isinstance(value, Reference)]


def key_of(cls: Any, through: frozenset[type] = frozenset()) -> tuple[str, ...] | None:
    """The names of the key's fields in order, or None while a parent's key is missing.

    `through` are the classes whose keys hold this one's; a key cannot hold itself.
    """
    explicit = vars(cls).get("__storm_primary__")
    if explicit is not None:
        named = (explicit,) if isinstance(explicit, str) else tuple(explicit)
        return named if all(hasattr(cls, part) for part in named) else None
    parts: list[tuple[int, str]] = []
    for name, member in ordered_members(cls):
        if isinstance(member, Property) and member._primary:
            parts.append((member._primary, name))
        elif isinstance(member, Reference) and member.primary:
            target, within = member.target_class(cls), through | {cls}
            key = None if target is None or target in within else key_of(target, within)
            if key is None:
                return None
            parts.extend((1, part) for part in member.field_names(name, key))
    return tuple(name for _order, name in sorted(parts, key=lambda part: part[0]))


def ordered_members(cls: type) -> Iterator[tuple[str, Any]]:
    """All that is declared, base classes first, each name once."""
    members: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        members.update(vars(base))
    return iter(members.items())


def is_concrete(cls: object) -> TypeGuard[type[Record]]:
    """Whether this is a record class with a table."""
    return isinstance(cls, RecordMeta) and not vars(cls).get("__abstract__")


class Record(Storm, metaclass=RecordMeta):  # type: ignore[misc]  # Storm has no types
    """One row of a table. Derive from it, and declare fields and references.

    The table is named after the class (`CityDistrict`: `city_district`); `__storm_table__`
    overrides it. Without a primary field the record gets `id`, a UUIDv7. `__constraints__` holds
    keys over several columns, `__atomic__` groups of fields that only mean something together.
    `__abstract__ = True` makes a class to derive from, without a table.
    """

    __abstract__ = True
    __constraints__: tuple[Constraint, ...] = ()
    __atomic__: Sequence[Sequence[str]] = ()

    def __init__(self, **values: Any) -> None:
        """A new record with these fields and references set."""
        for name, value in values.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no field {name!r}")
            setattr(self, name, value)
