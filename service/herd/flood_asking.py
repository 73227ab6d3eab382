"""Which neighbours are asked for what did not come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from service.herd.link_hoping import all_of, expected, impatient, lightened
from service.herd.link_stream import Stream
from service.herd.vectors import Vector, includes, joined


class Question(NamedTuple):
    """Somebody to ask, and what for."""

    stream: Stream
    wanted: Vector


def questions(ours: Vector, streams: Sequence[Stream]) -> list[Question]:
    """Whom to ask now: for each thing one neighbour, first who was not asked for longest.

    Not asked for is what lies here already and is about to be applied, and what is on its way in
    part: a snapshot that comes from one neighbour shall not come from the next one too.
    """
    here = joined(ours, all_of(stream.receiver.waiting for stream in streams))
    coming = all_of(_coming(stream) for stream in streams)
    asking: list[Question] = []
    for stream in sorted(streams, key=_turn):
        wanted = impatient(stream.hope)
        if wanted is None or includes(here, wanted) or lightened(ours, coming, wanted):
            continue
        asking.append(Question(stream, wanted))
        coming = joined(coming, wanted)
    return asking


def second_way(ours: Vector, stream: Stream, others: Sequence[Stream]) -> bool:
    """Whether the delta in parts that begins to come brings what comes from others already."""
    covers = stream.receiver.underway
    if covers is None:
        return False
    coming = all_of(other.receiver.underway for other in others if other is not stream)
    return lightened(ours, coming, covers)


def _turn(stream: Stream) -> tuple[bool, int]:
    """Who is stuck in an answer comes last."""
    return stream.receiver.stalled, stream.asked_at


def _coming(stream: Stream) -> Vector:
    """What a neighbour was asked for, or is sending in many parts."""
    return all_of((expected(stream.hope), stream.receiver.underway))
