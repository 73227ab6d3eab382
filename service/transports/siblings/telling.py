"""What is told of links: to the log as it happens, and to whoever asks how things stand."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import NamedTuple

from service.herd.flood import Flood
from service.herd.link_actions import Blame
from service.herd.messages import Hello
from service.herd.status import SiblingState, Standing, streaming
from service.transports.siblings.connection import Ending, SiblingConnection
from service.transports.siblings.dialling import Connecting, Covered, Dialler, Linked, Waiting

UNIX = "unix:"
"""The address of whoever comes by a socket of this machine."""

_log = logging.getLogger("herdbook.herd")

_LONGEST_TEXT = 300
_MOST_REMEMBERED = 20
_QUIET_SECONDS = 60.0
"""Who is turned away again and again for one reason is told to the log once a minute."""
_MOST_TOLD = 200
"""Lines of that kind in a minute: strangers who come from many addresses must not fill the disk."""


class _TurnedAway(NamedTuple):
    """Somebody who called and was not linked."""

    address: str
    name: str | None
    hello: Hello | None
    ending: Ending
    at: float


class Callers:
    """Those who called here, and what became of it."""

    def __init__(self) -> None:
        self._turned_away: dict[str, _TurnedAway] = {}
        self._told: dict[tuple[str, str], float] = {}

    def linked(self, hello: Hello, address: str) -> None:
        """A sibling is linked, whoever dialled."""
        name = printable(hello.name)
        self._turned_away.pop(name, None)
        self._told = {told: at for told, at in self._told.items() if told[0] != name}
        _log.info("linked with %s (origin %d) at %s", name, hello.origin, place_of(address))

    def ended(
        self, connection: SiblingConnection, hello: Hello | None, ending: Ending, now: float
    ) -> None:
        """A connection that was made from elsewhere is gone."""
        name = _name(connection, hello)
        who = name or _where(connection.address)
        if ending.blame is Blame.NOBODYS:
            level = logging.INFO if hello else logging.DEBUG
            _log.log(level, "the link with %s has ended: %s (%s)", who, ending.text, ending.code)
            return
        known = self._turned_away.pop(who, None)
        while len(self._turned_away) >= _MOST_REMEMBERED:
            del self._turned_away[next(iter(self._turned_away))]
        is_same = known is not None and known.ending.code == ending.code
        at = known.at if known and is_same else now
        self._turned_away[who] = _TurnedAway(connection.address, name, hello, ending, at)
        level = logging.WARNING if self._is_news(who, ending.code, now) else logging.DEBUG
        _log.log(level, "no link with %s: %s (%s)", who, ending.text, ending.code)

    def _is_news(self, who: str, code: str, now: float) -> bool:
        """Whether the log is told; it is not told everything for a minute."""
        quiet = self._told.items()
        self._told = {told: at for told, at in quiet if now - at < _QUIET_SECONDS}
        if (who, code) in self._told or len(self._told) >= _MOST_TOLD:
            return False
        self._told[who, code] = now
        return True

    def states(self, now: float) -> Iterable[SiblingState]:
        """Those who were turned away and have not been linked since."""
        for address, name, hello, ending, at in self._turned_away.values():
            yield SiblingState(
                address,
                dialled=False,
                standing=Standing.REFUSED,
                seconds=now - at,
                name=name,
                origin=hello.origin if hello else None,
                reason=_reason(ending),
            )


def state_of_connection(
    connection: SiblingConnection, flood: Flood | None, now: float
) -> SiblingState:
    """How a connection stands; `seconds` since it was made."""
    seconds = now - connection.since
    state = SiblingState(connection.address, connection.dialled, Standing.GREETING, seconds)
    if connection.is_over and connection.ending is not None:
        name, reason = _name(connection, None), _reason(connection.ending)
        return state._replace(name=name, standing=Standing.REFUSED, reason=reason)
    stream = flood.stream(connection.number) if flood else None
    if stream is None or flood is None:
        return state
    known = streaming(state, stream, flood.ours)
    name, schema = printable(stream.peer.name), printable(stream.peer.schema)
    fingerprint = connection.card.fingerprint if connection.card else None
    return known._replace(name=name, schema=schema, fingerprint=fingerprint)


def state_of_dialler(dialler: Dialler, flood: Flood | None, now: float) -> SiblingState:
    """How an address stands that is dialled."""
    reason = _reason(dialler.last) if dialler.last else None
    match dialler.state:
        case Linked(connection):
            state = state_of_connection(connection, flood, now)
            return state._replace(reason=state.reason or reason)
        case Connecting(since, _attempt):
            state = SiblingState(dialler.address, True, Standing.CONNECTING, now - since)
            return state._replace(reason=reason)
        case Waiting(since, until, _call):
            refused = dialler.last is not None and dialler.last.blame is not Blame.NOBODYS
            standing = Standing.REFUSED if refused else Standing.WAITING
            state = SiblingState(dialler.address, True, standing, now - since)
            return state._replace(reason=reason, again_seconds=max(0.0, until - now))
        case Covered(since, origin):
            state = SiblingState(dialler.address, True, Standing.COVERED, now - since)
            return state._replace(origin=origin)
    return SiblingState(dialler.address, True, Standing.WAITING, 0.0)


def _name(connection: SiblingConnection, hello: Hello | None) -> str | None:
    """Who was there: as he called himself, or as his certificate does; None: nobody knows."""
    if hello is not None:
        return printable(hello.name)
    return connection.card.subject.node if connection.card else None


def place_of(address: str) -> str:
    """An address for people."""
    return "a unix socket" if address == UNIX else address


def _where(address: str) -> str:
    """The same for many connections from there: without the port."""
    return address.rpartition(":")[0] if address != UNIX else place_of(address)


def printable(text: str) -> str:
    """What others have sent, fit for a log: one line, not long."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text[:_LONGEST_TEXT])
    return shown if len(text) <= _LONGEST_TEXT else f"{shown}..."


def _reason(ending: Ending) -> str:
    return f"{ending.code}: {ending.text}"
