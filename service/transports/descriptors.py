"""How many connections there may be, by how many files the system lets a process open."""

from __future__ import annotations

import resource
from typing import NamedTuple

RESERVED = 500
"""Descriptors for all else: links, threads' connections to the database, files, the log."""


class Most(NamedTuple):
    """The most connections of each listener."""

    rpc: int = 2000
    stream: int = 1000
    admin: int = 100


def make_room(wanted: int) -> int:
    """Raise this process's own limit as far as it may; how many files it may open then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, wanted)
    if soft != resource.RLIM_INFINITY and soft < min(hard, wanted):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted), hard))
        soft = min(hard, wanted)
    return wanted if soft == resource.RLIM_INFINITY else soft


MOST = Most()


def most_within(descriptors: int, most: Most = MOST) -> Most:
    """The same, or where there are too few descriptors a share of it for each listener.

    Half of what there is stays for all else where that is less than RESERVED. One connection at
    least is left for each.
    """
    free = max(descriptors - RESERVED, descriptors // 2)
    if free >= sum(most):
        return most
    return Most(*(max(1, one * free // sum(most)) for one in most))
