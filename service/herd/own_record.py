"""Which `Node` record is a node's own, and what it has to write into it: rules over values.

A node remembers the id of its record in its own database. So its record stays the same one when it
gets another name, or, restored from a backup, another origin. A copy of a node remembers the id of
the original's record: it is known by having another name and another origin, and makes a record of
its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class Itself:
    """What a node says of itself. `fingerprint` is that of its certificate, None: it has none."""

    name: str
    origin: int
    fingerprint: str | None = None


@dataclass(frozen=True)
class Found:
    """A `Node` record that is there."""

    id: UUID
    name: str
    origin: int | None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Create:
    """There is none: one is to be made."""


@dataclass(frozen=True)
class Keep:
    """A record is its own; `changes` are to be written, `taken` is another with its name."""

    found: Found
    changes: Mapping[str, object] = field(default_factory=dict)
    taken: Found | None = None


@dataclass(frozen=True)
class Leave:
    """Another node has its name, and it has no record: nothing is written."""

    taken: Found


def settle(itself: Itself, remembered: Found | None, named: Found | None) -> Create | Keep | Leave:
    """What a node has to do.

    `remembered` is the record that the database names as its own, `named` the one with its name.
    """
    own = _own(itself, remembered, named)
    if own is None:
        return Create() if named is None else Leave(named)
    changes: dict[str, object] = {}
    if own.origin != itself.origin:
        changes["origin"] = itself.origin
    if own.fingerprint != itself.fingerprint:
        changes["fingerprint"] = itself.fingerprint
    if own.name == itself.name:
        return Keep(own, changes)
    if named is not None:
        return Keep(own, changes, named)
    return Keep(own, {"name": itself.name, **changes})


def _own(itself: Itself, remembered: Found | None, named: Found | None) -> Found | None:
    """The node's own record, if there is one."""
    if remembered is not None and (
        remembered.name == itself.name or remembered.origin == itself.origin
    ):
        return remembered
    if named is not None and named.origin in (None, itself.origin):
        return named
    return None
