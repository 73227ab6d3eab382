"""Columns that are written together, such as an amount and its currency.

Who writes one of them writes them all: they get one version. So they win and lose together wherever
they are merged, also on nodes that know nothing of the group.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeAlias, TypeVar

Member = TypeVar("Member", bound=Hashable)

Groups: TypeAlias = Mapping[str, tuple[str, ...]]
"""For each column of a group, all columns of the group."""

NO_GROUPS: Groups = {}


def together(columns: Iterable[str], groups: Groups) -> frozenset[str]:
    """These columns, and all that are written along with them."""
    return frozenset(member for column in columns for member in groups.get(column, (column,)))


def by_member(groups: Iterable[tuple[str, ...]]) -> Groups:
    """For each column of a group, all columns of the group; no column is in two of them."""
    return {member: group for group in groups for member in group}


def joined(groups: Iterable[Iterable[Member]]) -> list[frozenset[Member]]:
    """The same groups; those that share a member are one."""
    found: list[frozenset[Member]] = []
    for group in map(frozenset, groups):
        sharing = [other for other in found if other & group]
        found = [other for other in found if not other & group]
        found.append(group.union(*sharing))
    return found
