"""Who is retired here, and what that means for somebody whose name is certified."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Retired(NamedTuple):
    """The origins that are retired on this node, and the names that nobody has any more."""

    origins: frozenset[int]
    names: frozenset[str]


NOBODY = Retired(frozenset(), frozenset())


def retired_among(known: Iterable[tuple[int, str, bool]]) -> Retired:
    """From each sibling's origin and name, and whether it is retired.

    A node that was given a new origin has its name still, though its former origin is retired: a
    name goes with the last of its origins.
    """
    siblings = list(known)
    active = {name for _origin, name, is_retired in siblings if not is_retired}
    retired = [(origin, name) for origin, name, is_retired in siblings if is_retired]
    return Retired(
        frozenset(origin for origin, _name in retired),
        frozenset(name for _origin, name in retired) - active,
    )


def unheeded(
    known: Iterable[tuple[int, str, bool]], said: Iterable[tuple[int, str]]
) -> tuple[tuple[int, str], ...]:
    """The origins, with names, that are to be retired here since the herd's records say so.

    `known` are the siblings as for `retired_among`, `said` the origins and names of the nodes whose
    records are retired. Such a node is retired under every origin under which it was met: else its
    certificate would count on.
    """
    siblings, records = list(known), list(said)
    names = {name for _origin, name in records}
    wanted = {origin: name for origin, name, _retired in siblings if name in names}
    done = {origin for origin, _name, is_retired in siblings if is_retired}
    return tuple(
        sorted(each for each in {**wanted, **dict(records)}.items() if each[0] not in done)
    )
