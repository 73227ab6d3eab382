"""What making two nodes equal again needs of each: rows whole, and rows that are to be taken in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from service.herd.deltas import DeltaRow

MOST_ROWS = 500
"""Rows of one call."""


class Mended(NamedTuple):
    """How many rows were written, and how many wait, since the database does not take them."""

    written: int
    held: int


class Mending(Protocol):
    """A node's own rows, as they travel between nodes."""

    async def fetch(self, table: str, keys: Sequence[bytes]) -> list[DeltaRow | None]:
        """Rows whole, None for those that are not there.

        Raises ParametersRefused for a table that is not there, a key that is none, and a row that
        cannot be read.
        """
        ...

    async def mend(self, rows: Sequence[DeltaRow]) -> Mended:
        """Merge rows of another node with those here, and write what comes out.

        Where both have a column in one version, but not with one value, the other node's stands.
        """
        ...
