"""feed.subscribe and feed.unsubscribe: changes told as they come, over a connection that stays."""

from __future__ import annotations

from collections.abc import Iterator

from records.catalogue import Catalogue
from records.kinds.base import JsonSchema
from service.errors import StreamNeeded
from service.methods.caller import current_caller
from service.methods.feed import begin, refusals_in, refuse_beyond_head
from service.methods.feed_json import ChangeEncoder
from service.methods.feed_port import Feed, FeedPage, Wanted
from service.methods.feed_request import SUBSCRIPTION, read_request
from service.methods.help import help_text
from service.methods.params import Arguments, Parameter, Signature
from service.methods.registry import Method
from service.methods.session import Session, Source

LARGEST_PAGE = 100
"""Changes in one notification."""

_NUMBER = Parameter(
    "subscription", "the number that feed.subscribe gave", {"type": "integer"}, required=True
)
_SUBSCRIBED: JsonSchema = {
    "type": "object",
    "properties": {
        "subscription": {"type": "integer", "minimum": 1},
        "from": {"type": "integer", "minimum": 0},
    },
    "required": ["subscription", "from"],
}
_UNSUBSCRIBED: JsonSchema = {
    "type": "object",
    "properties": {"unsubscribed": {"type": "boolean"}},
    "required": ["unsubscribed"],
}
_NOTES = (
    "Only over the stream (listen.stream), where notifications follow:",
    '  feed.change    {"subscription", "changes", "next", "complete"}',
    '  feed.overflow  {"subscription", "next", "reason"}: it has ended; subscribe again from next',
    "A position above the head is refused as feed.beyond_head.",
)


class SubscriptionMethods:
    """The two methods. They act on the connection they are called over."""

    def __init__(self, catalogue: Catalogue, feed: Feed) -> None:
        self._catalogue = catalogue
        self._feed = feed

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        signature = Signature(SUBSCRIPTION)
        summary = "Be told the changes after a position as they come, in order."
        example: dict[str, object] = {"from": "now"}
        notes = ("\n".join(_NOTES),)
        text = help_text("feed.subscribe", summary, signature, example, notes)
        yield Method(
            "feed.subscribe", summary, text, signature, _SUBSCRIBED, example, self.subscribe
        )
        signature = Signature((_NUMBER,))
        summary = "Be told no more; false where there is no such subscription (any more)."
        example = {"subscription": 1}
        text = help_text("feed.unsubscribe", summary, signature, example)
        yield Method(
            "feed.unsubscribe", summary, text, signature, _UNSUBSCRIBED, example, self.unsubscribe
        )

    async def subscribe(self, arguments: Arguments) -> object:
        """`feed.subscribe`."""
        request = read_request(self._catalogue, arguments)
        session = _session("feed.subscribe")
        with refusals_in(arguments, "from"):
            after = await begin(self._feed, request)
            if request.start is not None:
                refuse_beyond_head(after, await self._feed.ends())
        limit = min(request.limit, LARGEST_PAGE)
        number = session.subscribe(self._source(request.wanted), after, limit)
        return {"subscription": number, "from": after}

    async def unsubscribe(self, arguments: Arguments) -> object:
        """`feed.unsubscribe`."""
        number = arguments.get("subscription")
        if "subscription" in arguments.values and (
            isinstance(number, bool) or not isinstance(number, int)
        ):
            arguments.problems.add(
                "value.wrong_type",
                "subscription is a whole number",
                arguments.place("subscription"),
            )
        arguments.problems.raise_any()
        session = _session("feed.unsubscribe")
        return {"unsubscribed": isinstance(number, int) and session.unsubscribe(number)}

    def _source(self, wanted: Wanted) -> Source:
        """The pages of one subscription."""

        async def read(after: int, limit: int) -> FeedPage:
            return await self._feed.page(after, limit, wanted)

        async def coming(after: int, limit: int) -> FeedPage | None:
            return await self._feed.coming(after, limit, wanted)

        return Source(read, coming, ChangeEncoder(self._catalogue, wanted).changes)


def _session(method: str) -> Session:
    """The connection of this call; raises StreamNeeded where it does not stay."""
    caller = current_caller()
    if caller is None or caller.session is None:
        raise StreamNeeded(f"{method} needs a connection over which changes can be sent")
    return caller.session
