"""Rows in statements: many in each, and none that is too large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from records.states import Value

Item = TypeVar("Item")

MOST_ROWS = 500
MOST_BYTES = 2 * 2**20
"""Escaped, it may take twice as many: less than what every server takes by default."""

_OTHER = 12


def batches(
    items: Iterable[Item],
    weight: Callable[[Item], int],
    most: int = MOST_ROWS,
    room: int = MOST_BYTES,
) -> Iterator[list[Item]]:
    """The items in their order, as many together as one statement may hold.

    `room` is how much the server takes at least. An item that is larger is alone.
    """
    batch: list[Item] = []
    total = 0
    most_bytes = min(room, MOST_BYTES)
    for item in items:
        bytes_more = weight(item)
        if batch and (len(batch) >= most or total + bytes_more > most_bytes):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += bytes_more
    if batch:
        yield batch


def weight_of_values(values: Iterable[Value]) -> int:
    """The bytes of some values, about."""
    return sum(
        len(value)
        if isinstance(value, bytes)
        else 4 * len(value)
        if isinstance(value, str)
        else _OTHER
        for value in values
    )
