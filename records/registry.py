"""Finds record classes by name, so that a declaration may name a class that comes later."""

from __future__ import annotations

import weakref

_classes: dict[str, list[weakref.ref[type]]] = {}


def register(cls: type) -> None:
    """Make a class known. A class of the same module and name takes the earlier one's place."""
    known = [found for found in _living(cls.__name__) if found.__module__ != cls.__module__]
    _classes[cls.__name__] = [weakref.ref(found) for found in (*known, cls)]


def find_class(name: str, near: type) -> type | None:
    """The class called `name` (or `module.name`): in the module of `near`, else the only one."""
    module, _, bare = name.rpartition(".")
    found = _living(bare)
    if module:
        found = [cls for cls in found if cls.__module__ == module]
    beside = [cls for cls in found if cls.__module__ == near.__module__]
    candidates = beside or found
    return candidates[0] if len(candidates) == 1 else None


def _living(name: str) -> list[type]:
    """All classes of that name that still exist."""
    return [cls for cls in (known() for known in _classes.get(name, ())) if cls is not None]
