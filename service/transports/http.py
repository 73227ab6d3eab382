"""JSON-RPC over HTTP POST.

Every answer of JSON-RPC, errors included, is HTTP 200; 204 means there is nothing to answer. Other
statuses are for what never reached JSON-RPC, with a small JSON object that says what to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred

from service.access.door import Door, Visitor, bearer
from service.errors import Busy, ServiceError, TokenNeeded, TooManyCalls
from service.methods.caller import Caller, calling
from service.transports.calls import CallRunner
from service.transports.connections import WebFactory
from service.transports.peers import address_at
from service.transports.timing import Clock
from service.transports.web import Answer, Asked, WebLimits, refusal

_PATHS = frozenset({"/", "/rpc"})
_JSON_TYPES = frozenset({"application/json", "application/json-rpc", "application/jsonrequest"})
_RETRY_WHEN_BUSY = "1"
_RETRY_AFTER_SHUTDOWN = "5"


class RpcPages:
    """The pages of the JSON-RPC listener."""

    def __init__(self, runner: CallRunner, door: Door | None = None) -> None:
        self._runner = runner
        self._door = door

    async def __call__(self, asked: Asked) -> Answer:
        """The answer to one request."""
        refused = _refusal(asked)
        if refused is not None:
            return refused
        try:
            visitor = visitor_of(asked, self._door)
            if visitor is not None:
                visitor.look()
        except ServiceError as error:
            return self._turned_away(error)
        return self._overload() or await self._answered(asked, visitor)

    def stranger(self, headers: Mapping[str, str], peer: object) -> Answer | None:
        """What to answer who may not come in, or asks too often; None: he may."""
        shown = Asked("", "", headers=headers, address=address_at(peer))
        try:
            look_at(shown, self._door)
        except ServiceError as error:
            return self._turned_away(error)
        return None

    def _turned_away(self, error: ServiceError) -> Answer:
        """The answer to who does not get in: JSON-RPC, since programs look for its codes."""
        if isinstance(error, TooManyCalls):
            headers = {"Content-Type": "application/json", "Retry-After": retry_after(error)}
            return Answer(429, self._runner.refuse(error), headers)
        reason = "" if isinstance(error, TokenNeeded) else ', error="invalid_token"'
        challenge = f'Bearer realm="herdbook"{reason}'
        headers = {"Content-Type": "application/json", "WWW-Authenticate": challenge}
        return Answer(401, self._runner.refuse(error), headers)

    async def _answered(self, asked: Asked, visitor: Visitor | None) -> Answer:
        """The answer to a request that may be made."""
        count = None if visitor is None else visitor.count_no_call
        try:
            with calling(Caller(asked.client, visitor=visitor)):
                reply = await self._runner.answer(asked.body, count)
        except TooManyCalls as error:
            # Others came since it was looked, and there is no call in it that could say so.
            return self._turned_away(error)
        if reply is None:
            return Answer(204)
        return Answer(200, reply, {"Content-Type": "application/json"})

    def _overload(self) -> Answer | None:
        """503 while no new call is taken."""
        error = self._runner.refusal()
        return None if error is None else _unavailable(error)


class RpcFactory(WebFactory):
    """The JSON-RPC listener, to be given to an endpoint."""

    def __init__(
        self,
        runner: CallRunner,
        limits: WebLimits,
        clock: Clock,
        door: Door | None = None,
        turned_away: Callable[[str], None] = lambda why: None,
    ) -> None:
        pages = RpcPages(runner, door)
        super().__init__(pages, limits, clock, door, turned_away)
        self._pages = pages
        self._runner = runner

    def stranger(self, headers: Mapping[str, str], peer: object) -> Answer | None:
        """As the pages would answer, before a body is read."""
        return self._pages.stranger(headers, peer)

    def drain(self, seconds: float) -> Deferred[None]:
        """Take no more calls; fires when those in flight are answered and the answers sent.

        Calls still running after `seconds` are cut short, connections still open a little later.
        """
        self.finish_requests()
        return self._runner.drain(seconds).addCallback(lambda _: self.close())


def visitor_of(asked: Asked, door: Door | None) -> Visitor | None:
    """Who sent a request, with the token that it shows; raises the errors `access.*`."""
    if door is None:
        return None
    visitor = door.visitor(asked.address, asked.client)
    secret = bearer(asked.headers.get("authorization"))
    if secret is not None:
        visitor.show(secret)
    visitor.identified()
    return visitor


def look_at(asked: Asked, door: Door | None) -> None:
    """Raises what speaks against a request before its body is read; that counts as a call."""
    if door is None:
        return
    try:
        visitor = visitor_of(asked, door)
        if visitor is not None:
            visitor.look()
    except TooManyCalls:
        raise
    except ServiceError:
        door.visitor(asked.address, asked.client).count_stranger()
        raise


def retry_after(error: TooManyCalls) -> str:
    """The whole seconds to wait, as HTTP says it."""
    return str(math.ceil(float(str(error.details["retry_seconds"]))))


def _refusal(asked: Asked) -> Answer | None:
    """Why a request cannot hold a JSON-RPC body, or None when it can.

    Browsers send an Origin with every POST, programs have no reason to. A page whose own host name
    was made to lead here (DNS rebinding) counts as of the same origin for its browser, which then
    asks nobody before it sends JSON: only the Origin tells it from a program.
    """
    if "origin" in asked.headers:
        return refusal(403, "Web pages are not served. Call from a program, without an Origin.")
    if asked.path not in _PATHS:
        return refusal(404, "There is nothing here. Send JSON-RPC 2.0 by POST to /rpc.")
    if asked.method != "POST":
        message = f"{asked.method} is not possible here. Send JSON-RPC 2.0 by POST."
        return refusal(405, message, {"Allow": "POST"})
    problem = _type_problem(asked.headers.get("content-type")) or _coding_problem(asked)
    return None if problem is None else refusal(415, problem)


def _type_problem(content_type: str | None) -> str | None:
    """What is wrong with a Content-Type.

    A missing one is refused too. A web page of any origin may make a browser send a POST without
    it (the body a Blob without a type) or as text/plain, and the browser asks nobody before. It
    must ask first for application/json, and this server never agrees.
    """
    if content_type is None:
        return "There is no Content-Type. Send application/json."
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media_type not in _JSON_TYPES:
        return "This Content-Type is not JSON. Send application/json."
    charsets = {
        value.strip(' "')
        for name, _, value in (parameter.partition("=") for parameter in parameters)
        if name.strip() == "charset"
    }
    if not charsets <= {"utf-8", "utf8"}:
        return "JSON is UTF-8. Send it so, with no other charset in the Content-Type."
    return None


def _coding_problem(asked: Asked) -> str | None:
    """What is wrong with a Content-Encoding: compressed bodies would get round the size limit."""
    coding = asked.headers.get("content-encoding", "identity")
    if coding.strip().lower() == "identity":
        return None
    return "Compressed bodies are not read. Send the body without a Content-Encoding."


def _unavailable(error: ServiceError) -> Answer:
    """The answer while no new call is taken, and when to try again."""
    wait = _RETRY_WHEN_BUSY if isinstance(error, Busy) else _RETRY_AFTER_SHUTDOWN
    return refusal(503, f"{error.message}. {error.advice}", {"Retry-After": wait})
