"""What planning asks of the tables of a node."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence, Set
from typing import Any, Protocol, TypeAlias

from records.stamps import Version
from records.states import RowState
from service.herd.held import Held
from service.herd.shapes import Key, Place, Reference, Unique
from service.herd.vectors import Vector

Claim: TypeAlias = tuple[Any, ...]
"""The values that a row holds in the columns of a unique key; none of them is None."""


class Tables(Protocol):
    """The rows here, live and dead, within one transaction; what was asked for stays as it is."""

    def rows(self, places: Collection[Place]) -> Mapping[Place, RowState]:
        """The whole states of the rows that are known, live or dead."""
        ...

    def held(self, places: Collection[Place]) -> Mapping[Place, Held]:
        """What is held of these rows, where something is."""
        ...

    def children(self, table: str, reference: Reference, parents: Collection[Key]) -> Set[Place]:
        """The live rows of a table whose reference holds one of these keys."""
        ...

    def holders(self, table: str, unique: Unique, claims: Collection[Claim]) -> Set[Place]:
        """The live rows of a table that hold one of these claims, or one that is equal to it."""
        ...

    def folded(self, table: str, unique: Unique, claims: Sequence[Claim]) -> Sequence[Hashable]:
        """For each claim a value that is the same where the database takes claims for equal."""
        ...

    def unseen(self, vector: Vector, places: Collection[Place]) -> Mapping[Place, Set[Version]]:
        """The versions of the writes to these rows that a node at this vector has not seen."""
        ...

    def seen(self, vector: Vector, places: Collection[Place], lives: bool = False) -> Set[Place]:
        """Those of which a node at this vector has seen everything, births and deaths as well.

        With `lives` only births and deaths count.
        """
        ...

    def floors(self) -> Vector:
        """For each origin the highest position whose entry was pruned here."""
        ...
