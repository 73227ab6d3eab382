"""How a node stands among its siblings, as values: what `herd.status` shows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from service.herd.link_actions import Alarm
from service.herd.link_receiving import Progress
from service.herd.link_roles import Role
from service.herd.link_stream import Stream
from service.herd.vectors import Vector, missing


class Standing(Enum):
    """Where a sibling stands."""

    CONNECTING = "connecting"
    GREETING = "greeting"
    EAGER = "streaming, eager"
    LAZY = "streaming, lazy"
    REFUSED = "refused"
    WAITING = "waiting to connect again"
    COVERED = "linked another way"


class SiblingState(NamedTuple):
    """One sibling: where it is or is looked for, and how it stands.

    `they_lack` and `we_lack` are in changes, None while there is no stream. `seconds` is how long
    it has stood so, `again_seconds` when it is tried again. `reason` says how the last link ended.
    `schema` is what it says of its schema, `vector` what it surely has.
    `fingerprint` is that of the certificate which it has shown, where links are secured.
    `receiving` is how far the delta or snapshot has come that comes from there. `chosen`: it is
    dialled since the herd's records choose it, and not by the configuration.
    """

    address: str
    dialled: bool
    standing: Standing
    seconds: float
    name: str | None = None
    origin: int | None = None
    they_lack: int | None = None
    we_lack: int | None = None
    reason: str | None = None
    again_seconds: float | None = None
    schema: str | None = None
    vector: Vector | None = None
    receiving: Progress | None = None
    fingerprint: str | None = None
    chosen: bool = False

    def as_plain(self) -> dict[str, object]:
        """For JSON."""
        plain = {**self._asdict(), "state": self.standing.value, "seconds": round(self.seconds, 1)}
        del plain["standing"], plain["vector"]
        plain["receiving"] = None if self.receiving is None else self.receiving._asdict()
        if self.again_seconds is not None:
            plain["again_seconds"] = round(self.again_seconds, 1)
        return plain


class HerdState(NamedTuple):
    """A node and its siblings. `origin` is None until the database has told it.

    `alarms` need somebody now, `warnings` some time.
    """

    name: str
    origin: int | None
    vector: Vector
    siblings: tuple[SiblingState, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    schema: str = ""
    warnings: tuple[Alarm, ...] = ()

    def standings(self) -> Mapping[Standing, int]:
        """How many siblings stand where; each standing is there."""
        standings = [sibling.standing for sibling in self.siblings]
        return {standing: standings.count(standing) for standing in Standing}

    def as_plain(self) -> dict[str, object]:
        """For JSON, whose names are texts."""
        return {
            "name": self.name,
            "origin": self.origin,
            "schema": self.schema,
            "vector": {str(origin): position for origin, position in self.vector.items()},
            "siblings": [sibling.as_plain() for sibling in self.siblings],
            "alarms": [alarm._asdict() for alarm in self.alarms],
            "warnings": [warning._asdict() for warning in self.warnings],
        }


def streaming(state: SiblingState, stream: Stream, ours: Vector) -> SiblingState:
    """The same sibling, with what is known of it once both sides know each other."""
    return state._replace(
        standing=Standing.EAGER if stream.role is Role.EAGER else Standing.LAZY,
        name=stream.peer.name,
        origin=stream.peer.origin,
        they_lack=missing(stream.theirs, ours),
        we_lack=missing(ours, stream.theirs),
        schema=stream.peer.schema,
        vector=dict(stream.theirs),
        receiving=stream.receiver.progress,
    )
