"""A connection that can be told things without asking, as the methods see it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from service.methods.feed_port import FeedPage


@dataclass(frozen=True)
class Source:
    """Where a subscription's pages come from, and how their changes look as JSON.

    `read` is given the position after which a page begins, and how many changes it may hold.
    `coming` is given the same and waits until something is sealed; None where it cannot.
    """

    read: Callable[[int, int], Coroutine[Any, Any, FeedPage]]
    coming: Callable[[int, int], Coroutine[Any, Any, FeedPage | None]]
    as_json: Callable[[FeedPage], Sequence[object]]


class Session(Protocol):
    """What a call may do to the connection it came over."""

    def subscribe(self, source: Source, after: int, limit: int) -> int:
        """Begin to tell changes after a position, at most `limit` at once; its number.

        Nothing is told before the call is answered. Raises TooManySubscriptions.
        """
        ...

    def unsubscribe(self, number: int) -> bool:
        """End a subscription of this connection; False where there is none of this number."""
        ...
