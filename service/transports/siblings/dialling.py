"""One address that is dialled until there is a link, and again when that has ended.

    connecting --it works--> linked --it ends--> waiting --time is up--> connecting
        |                      |
        +--fails--> waiting    +--the same sibling is linked another way--> covered

Twisted's ClientService does not fit: to it every connection is a success, also one that is refused
with the first message, and it cannot rest while a sibling is linked another way.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple, Protocol, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ClientFactory

from service.herd.link_actions import Blame
from service.transports.siblings.connection import Ending, SiblingConnection
from service.transports.siblings.doors import endpoint_of
from service.transports.siblings.terms import Surroundings

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
"""Long enough to be no load on a node that is down, short enough to wait for by hand."""

_MOST_DOUBLINGS = 10
TWIN = "link.twin"

_log = logging.getLogger("herdbook.herd")


def wait_after(failures: int, chance: float) -> float:
    """Seconds to the next try: doubled each time, and spread, so that not all come at once."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, _MOST_DOUBLINGS))
    return longest * (1 + chance) / 2


class Resting(NamedTuple):
    """Not begun, or stopped."""


class Connecting(NamedTuple):
    """The connection is being made."""

    since: float
    attempt: Deferred[Any]


class Linked(NamedTuple):
    """There is a connection; it tells its own state."""

    connection: SiblingConnection


class Waiting(NamedTuple):
    """It is tried again at `until`."""

    since: float
    until: float
    call: Any


class Covered(NamedTuple):
    """The sibling of this origin is linked another way, until that ends."""

    since: float
    origin: int


State: TypeAlias = Resting | Connecting | Linked | Waiting | Covered


class Links(Protocol):
    """Where connections come from."""

    def dialled(self, dialler: Dialler) -> SiblingConnection | None:
        """A new connection's protocol; None where there may be no more."""

    def is_linked(self, origin: int) -> bool:
        """Whether there is a stream with a sibling."""

    def broke(self, connection: SiblingConnection, ending: Ending) -> None:
        """A link is to end."""


class Dialler:
    """One address. `last` is how it ended last, until it has worked again.

    `unlinked_since` is since when it is dialled in vain; None where it is linked, one way or other.
    """

    def __init__(self, address: str, links: Links, around: Surroundings) -> None:
        self.address = address
        self.state: State = Resting()
        self.last: Ending | None = None
        self.unlinked_since: float | None = None
        self._links = links
        self._around = around
        self._endpoint = endpoint_of(address, around)
        self._failures = 0
        self._twin_of: int | None = None

    def start(self) -> None:
        """Begin; what waits is dialled at once, since what it waited for may be mended."""
        self._failures = 0
        if isinstance(self.state, Waiting):
            self.state.call.cancel()
        if isinstance(self.state, Resting):
            self.unlinked_since = self._now()
        if isinstance(self.state, Resting | Waiting):
            self._dial()

    def stop(self) -> None:
        """Dial no more; a connection that is there is closed by its owner."""
        state, self.state = self.state, Resting()
        if isinstance(state, Waiting):
            state.call.cancel()
        elif isinstance(state, Connecting):
            state.attempt.cancel()

    def greeted(self) -> None:
        """The sibling was reached."""
        self.last = self._twin_of = self.unlinked_since = None

    def ended(self, ending: Ending, origin: int | None) -> None:
        """The connection that this one made is gone; `origin` is who was there, if it is known."""
        if isinstance(self.state, Resting):
            return
        if self.unlinked_since is None:
            self.unlinked_since = self._now()
        if ending.code == TWIN:
            # Whoever says so first, it is nobody's fault; when time is up, it is seen who stays.
            self._twin_of = origin
            ending = ending._replace(blame=Blame.NOBODYS)
        elif origin is not None and ending.blame is Blame.NOBODYS:
            self._failures = 0
        self._wait(ending)

    def uncover(self, origin: int) -> None:
        """A link with a sibling is gone: if it was the other way to this one, dial again."""
        if isinstance(self.state, Covered) and self.state.origin == origin:
            self.unlinked_since = self._now()
            self._wait(Ending(Blame.NOBODYS, TWIN, "the other link has ended"))

    def _dial(self) -> None:
        if self._is_covered():
            self._rest()
            return
        attempt = self._endpoint.connect(_DiallingFactory(self, self._links))
        self.state = Connecting(self._now(), attempt)
        attempt.addCallbacks(self._is_connected, self._has_failed)

    def _is_covered(self) -> bool:
        return self._twin_of is not None and self._links.is_linked(self._twin_of)

    def _rest(self) -> None:
        """There is another way to the same sibling."""
        assert self._twin_of is not None
        self.last, self._failures, self.unlinked_since = None, 0, None
        self.state = Covered(self._now(), self._twin_of)

    def _is_connected(self, connection: SiblingConnection) -> None:
        if isinstance(self.state, Connecting):
            self.state = Linked(connection)
        elif isinstance(self.state, Resting):
            connection.cut_off()

    def _has_failed(self, failure: Any) -> None:
        if isinstance(self.state, Connecting):
            text = failure.getErrorMessage()
            self._wait(Ending(Blame.NOBODYS, "link.unreachable", text))

    def _wait(self, ending: Ending) -> None:
        """Try again later; who has to do something about it himself waits longest."""
        if ending.blame is Blame.OURS:
            self._failures = _MOST_DOUBLINGS
        seconds = wait_after(self._failures, self._around.chance())
        self._failures += 1
        self._tell(ending, seconds)
        self.last = ending
        now = self._now()
        call = self._around.clock.callLater(seconds, self._dial)
        self.state = Waiting(now, now + seconds, call)

    def _tell(self, ending: Ending, seconds: float) -> None:
        """To the log, once for each reason."""
        known = self.last is not None and self.last.code == ending.code
        level = logging.DEBUG if known or ending.code == TWIN else logging.WARNING
        text = "no link to %s: %s (%s); it is tried again in %.1f s"
        _log.log(level, text, self.address, ending.text, ending.code, seconds)

    def _now(self) -> float:
        return self._around.clock.seconds()


class _DiallingFactory(ClientFactory):
    """Makes the protocol of one connection."""

    noisy = False

    def __init__(self, dialler: Dialler, links: Links) -> None:
        self._dialler = dialler
        self._links = links

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """The connection; None where there may be no more."""
        return self._links.dialled(self._dialler)
