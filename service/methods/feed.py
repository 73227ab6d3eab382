"""feed.read, and the consumers for whom the changelog is kept.

Reading waits where it is asked to: the call is answered as soon as there is a change that is
wanted, or when its time is up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from records.catalogue import Catalogue
from records.errors import pointer
from records.kinds.base import JsonSchema
from service.errors import FeedRefused, PositionBeyondHead
from service.methods.feed_json import (
    CONSUMER_SCHEMA,
    PAGE_SCHEMA,
    ChangeEncoder,
    consumer_json,
    ends_json,
)
from service.methods.feed_port import Ends, Feed, FeedPage
from service.methods.feed_request import (
    FROM,
    LONGEST_WAIT,
    NAMED_CONSUMER,
    POSITION,
    READING,
    FeedRequest,
    read_consumer,
    read_position,
    read_request,
    read_start,
)
from service.methods.params import Arguments, Signature
from service.methods.registry import Method, described

_NOTE = (
    "`found` is false where something of what follows is no longer kept: note `head`, list all "
    "records, and read on from the head that was noted. A position above the head is refused as "
    "feed.beyond_head."
)
_CONSUMERS_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "consumers": {"type": "array", "items": CONSUMER_SCHEMA},
        "head": {"type": "integer", "minimum": 0},
        "horizon": {"type": "integer", "minimum": 0},
    },
    "required": ["consumers", "head", "horizon"],
}
_FORGOTTEN_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {"forgotten": {"type": "string"}},
    "required": ["forgotten"],
}


class FeedMethods:
    """feed.read, feed.register, feed.acknowledge, feed.consumers and feed.forget."""

    def __init__(
        self,
        catalogue: Catalogue,
        feed: Feed,
        longest_wait: float = LONGEST_WAIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`longest_wait` is how many seconds a call may wait before it would take too long."""
        self._catalogue = catalogue
        self._feed = feed
        self._longest_wait = longest_wait
        self._clock = clock

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield described(
            "feed.read",
            "The changes after a position, in the order in which they became visible.",
            Signature(READING),
            PAGE_SCHEMA,
            {"from": 0, "records": [next(iter(self._catalogue.records))], "wait_seconds": 10},
            self.read,
            _NOTE,
        )
        yield from self._about_consumers({"consumer": "search-index"})

    def _about_consumers(self, consumer: dict[str, object]) -> Iterator[Method]:
        """The methods for consumers; `consumer` names one in their examples."""
        yield described(
            "feed.register",
            "Keep the changes after a position for a consumer, however long it is away. "
            "One that is registered already stays where it is.",
            Signature((NAMED_CONSUMER, FROM)),
            CONSUMER_SCHEMA,
            consumer | {"from": "now"},
            self.register,
        )
        yield described(
            "feed.acknowledge",
            "A consumer needs nothing up to a position any more. It never goes back.",
            Signature((NAMED_CONSUMER, POSITION)),
            CONSUMER_SCHEMA,
            consumer | {"position": 1},
            self.acknowledge,
        )
        yield described(
            "feed.consumers",
            "Every consumer with its position, and how far the changelog reaches.",
            Signature(),
            _CONSUMERS_SCHEMA,
            {},
            self.consumers,
        )
        yield described(
            "feed.forget",
            "Keep nothing for a consumer any more.",
            Signature((NAMED_CONSUMER,)),
            _FORGOTTEN_SCHEMA,
            consumer,
            self.forget,
        )

    async def read(self, arguments: Arguments) -> object:
        """`feed.read`."""
        request = read_request(self._catalogue, arguments)
        with refusals_in(arguments, "from"):
            after = await begin(self._feed, request)
            page = await self._waited_for(request, after)
            if not page.found:
                refuse_beyond_head(after, page.ends)
        return ChangeEncoder(self._catalogue, request.wanted).page(page)

    async def register(self, arguments: Arguments) -> object:
        """`feed.register`."""
        name, position = read_consumer(arguments), read_start(arguments)
        arguments.problems.raise_any()
        with refusals_in(arguments, "from"):
            return consumer_json(await self._feed.register(name, position))

    async def acknowledge(self, arguments: Arguments) -> object:
        """`feed.acknowledge`."""
        name, position = read_consumer(arguments), read_position(arguments)
        arguments.problems.raise_any()
        with refusals_in(arguments, "position"):
            return consumer_json(await self._feed.acknowledge(name, position))

    async def consumers(self, arguments: Arguments) -> object:
        """`feed.consumers`."""
        arguments.problems.raise_any()
        found, ends = await self._feed.consumers()
        return {"consumers": [consumer_json(consumer) for consumer in found], **ends_json(ends)}

    async def forget(self, arguments: Arguments) -> object:
        """`feed.forget`."""
        name = read_consumer(arguments)
        arguments.problems.raise_any()
        with refusals_in(arguments, "position"):
            await self._feed.forget(name)
        return {"forgotten": name}

    async def _waited_for(self, request: FeedRequest, after: int) -> FeedPage:
        """The first page that tells something, or the last one before the time is up."""
        until = self._clock() + min(request.wait_seconds, self._longest_wait)
        limit, wanted = request.limit, request.wanted
        page = await self._feed.page(after, limit, wanted)
        while not page.changes and page.found and (left := until - self._clock()) > 0:
            if page.next < page.ends.head:
                page = await self._feed.page(page.next, limit, wanted)
                continue
            following = await self._feed.following(page.next, limit, wanted, left)
            if following is None:
                break
            page = following
        return page


async def begin(feed: Feed, request: FeedRequest) -> int:
    """The position after which a reader begins; a consumer it names has acknowledged it then."""
    if request.start is None:
        return (await feed.ends()).head
    if request.consumer is not None:
        await feed.acknowledge(request.consumer, request.start)
    return request.start


def refuse_beyond_head(position: int, ends: Ends) -> None:
    """Raise PositionBeyondHead where a position was never given.

    One that this node gave is never above a head that it reads later: pages are told only when
    their positions are committed.
    """
    if position > ends.head:
        raise PositionBeyondHead.at(position, ends.head)


@contextmanager
def refusals_in(arguments: Arguments, position: str) -> Iterator[None]:
    """Let refusals point to where things stood; `position` names the parameter that held one."""
    places = {
        "/consumer": pointer(*arguments.place("consumer")),
        "/position": pointer(*arguments.place(position)),
    }
    try:
        yield
    except FeedRefused as refused:
        refused.failures = tuple(
            replace(failure, pointer=places[failure.pointer]) for failure in refused.failures
        )
        raise
