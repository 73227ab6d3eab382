"""The admin listener: is the process alive, can it serve, and its numbers.

It stands on a port of its own, so that probes and metrics are answered when the other one is busy,
and need not be open to applications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.access.door import Door
from service.errors import ServiceError, TooManyCalls
from service.transports.connections import WebFactory
from service.transports.descriptors import MOST
from service.transports.http import retry_after, visitor_of
from service.transports.peers import address_at
from service.transports.places import is_near
from service.transports.readiness import Check, Readiness
from service.transports.timing import Clock
from service.transports.web import Answer, Asked, WebLimits, refusal

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_PROBES = frozenset({"/livez", "/readyz"})
# No request here has a body.
_BODY_BYTES = 1024


class AdminPages:
    """The pages of the admin listener. A check returns None, or what is wrong in a few words."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        registry: CollectorRegistry,
        clock: Clock,
        door: Door | None = None,
    ) -> None:
        self._door = door
        self._readiness = Readiness(checks, clock)
        self._registry = registry
        self._pages = {
            "/livez": self._alive,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }

    async def __call__(self, asked: Asked) -> Answer:
        """The answer to one request."""
        try:
            self._count(asked)
        except TooManyCalls as error:
            text = f"{error.message}. {error.advice}"
            return refusal(429, text, {"Retry-After": retry_after(error)})
        page = self._pages.get(asked.path)
        if page is None:
            return refusal(404, f"There is nothing here. Try {', '.join(self._pages)}.")
        if asked.method not in ("GET", "HEAD"):
            message = f"{asked.method} is not possible here. Use GET."
            return refusal(405, message, {"Allow": "GET, HEAD"})
        return await page(asked)

    def _count(self, asked: Asked) -> None:
        """Count what is no probe; raises TooManyCalls."""
        if self._door is not None and not _is_probe(asked):
            self._door.visitor(asked.address, asked.client).count_stranger()

    async def _alive(self, asked: Asked) -> Answer:
        """200 as long as the process answers at all."""
        return Answer(200, b"ok\n", _TEXT)

    async def _ready(self, asked: Asked) -> Answer:
        """200 when every check passes, else 503; `?verbose` lists each, but not for strangers."""
        problems = await self._readiness.found()
        failed = [name for name, problem in problems.items() if problem is not None]
        summary = f"not ready: {', '.join(failed)}" if failed else "ok"
        lines = [_line(name, problem) for name, problem in problems.items()]
        is_asked = "verbose" in parse_qs(asked.query, keep_blank_values=True)
        shown = lines if is_asked and self._may_be_told(asked) else []
        return Answer(503 if failed else 200, "\n".join([*shown, summary, ""]).encode(), _TEXT)

    def _may_be_told(self, asked: Asked) -> bool:
        """Whether somebody may know what is wrong: he is on this machine, or may ask for all."""
        if is_near(asked.address):
            return True
        try:
            visitor_of(asked, self._door)
        except ServiceError:
            return False
        return True

    async def _metrics(self, asked: Asked) -> Answer:
        """The numbers in the Prometheus text format; unlike the others, a page with a lock."""
        try:
            # Every role reads.
            visitor_of(asked, self._door)
        except ServiceError as error:
            challenge = {"WWW-Authenticate": 'Bearer realm="herdbook"'}
            return refusal(401, f"{error.message}. {error.advice}", challenge)
        return Answer(
            200, generate_latest(self._registry), {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        )


def admin_limits(connections: int, of_block: int = 0) -> WebLimits:
    """What the admin listener may cost, with so many connections."""
    return WebLimits(_BODY_BYTES, connections, of_block, receive_seconds=10.0)


class AdminFactory(WebFactory):
    """The admin listener, to be given to an endpoint."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        registry: CollectorRegistry,
        clock: Clock,
        door: Door | None = None,
        limits: WebLimits | None = None,
        turned_away: Callable[[str], None] = lambda why: None,
    ) -> None:
        limits = limits or admin_limits(MOST.admin)
        pages = AdminPages(checks, registry, clock, door)
        super().__init__(pages, limits, clock, door, turned_away)
        self._door = door

    def knows(self, headers: Mapping[str, str], peer: object) -> bool:
        """Probes show no token; whoever asks for the numbers may."""
        try:
            visitor_of(Asked("", "", headers=headers, address=address_at(peer)), self._door)
        except ServiceError:
            return False
        return True


def _is_probe(asked: Asked) -> bool:
    """Whether it is asked whether the node is there, by nobody who shows, or tries, a token."""
    return asked.path in _PROBES and "authorization" not in asked.headers


def _line(name: str, problem: str | None) -> str:
    """One check in the verbose list."""
    return f"[+] {name}: ok" if problem is None else f"[-] {name}: {problem}"
