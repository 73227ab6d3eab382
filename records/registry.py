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
    return find_beside(name, near) or _only(_living(name))


def find_beside(name: str, near: type) -> type | None:
    """The class called `name` in the module of `near`, or in the module that `name` says."""
    module, _, bare = name.rpartition(".")
    wanted = module or near.__module__
    return _only([cls for cls in _living(bare) if cls.__module__ == wanted])


def _only(found: list[type]) -> type | None:
    """What was found, if it is one."""
    return found[0] if len(found) == 1 else None


def _living(name: str) -> list[type]:
    """All classes of that name that still exist."""
    return [cls for cls in (known() for known in _classes.get(name, ())) if cls is not None]
