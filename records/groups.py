"""Columns that are written together, such as an amount and its currency.

Who writes one of them writes them all: they get one version. So they win and lose together wherever
they are merged, also on nodes that know nothing of the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Groups: TypeAlias = Mapping[str, tuple[str, ...]]
"""For each column of a group, all columns of the group."""

NO_GROUPS: Groups = {}


def together(columns: Iterable[str], groups: Groups) -> frozenset[str]:
    """These columns, and all that are written along with them."""
    return frozenset(member for column in columns for member in groups.get(column, (column,)))
