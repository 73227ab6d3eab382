"""Pages of what may be large: as many rows as were asked for, or as fit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

MOST_BYTES = 4 * 2**20
"""Of packed values in one page: in JSON they take several times as much, and `limits.result_bytes`
is 32 MiB as it comes."""


def fitting(sizes: Sequence[int], limit: int, most: int = MOST_BYTES) -> int:
    """How many of some rows make a page, from their sizes: one at least, if there is any."""
    totals = accumulate(sizes[:limit])
    return min(len(sizes), limit, max(1, sum(total <= most for total in totals)))
