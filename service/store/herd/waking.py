"""Held rows that may be written after a plan was carried out: some at a time, whatever is held.

Rows that wait for each other have to be tried together. So with each go those that wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from service.herd.held import BLOCKED, PARENT, WAITS_FOR_ROWS, Held
from service.herd.planning.plan import Plan
from service.store.herd.batches import batches
from service.store.herd.held import CODES, held_under
from service.store.herd.pages import fitting
from service.store.herd.pieces import HELD
from service.store.herd.places import Tables, digest, row_key_of
from service.store.herd.waits import waiting_for
from service.store.sql import marks
from service.store.transaction import Transaction

AT_ONCE = 500
"""So many rows are tried together, with those that wait for them."""

MOST_BELOW = 5_000
"""Of these so many. Rows that refer to each other in a larger circle are never all among them."""


class Came(NamedTuple):
    """What plans that were carried out may have brought about.

    `rows` are the digests of those that live, or of which nothing is held any more; `written`
    whether anything was written at all.
    """

    rows: tuple[bytes, ...]
    written: bool


def came_of(tables: Tables, made: Plan) -> Came:
    """What a plan has brought about."""
    places = {place for place, state in made.rows.items() if state.alive} | made.released
    rows = tuple(sorted(digest(place[0], row_key_of(tables, place)) for place in places))
    return Came(rows, bool(made.rows or rows))


def altogether(some: Iterable[Came]) -> Came:
    """What several plans have brought about."""
    every = list(some)
    rows = tuple(chain.from_iterable(came.rows for came in every))
    return Came(rows, any(came.written for came in every))


def woken_by(tx: Transaction, came: Came) -> Iterator[tuple[Held, ...]]:
    """What may be written now: what waits for rows that came, and what was in somebody's way.

    It is read as it is asked for, so what was written meanwhile does not come again.
    """
    if came.written:
        yield from waiting(tx, (BLOCKED,))
    for part in batches(came.rows, len, room=tx.room):
        for places in waiting_for(tx, part, AT_ONCE):
            yield from _read(tx, _with_below(tx, places))


def waiting(tx: Transaction, reasons: Iterable[str] = WAITS_FOR_ROWS) -> Iterator[tuple[Held, ...]]:
    """All that waits for rows, or is held for some reasons."""
    codes = sorted(CODES[reason] for reason in reasons)
    after = b""
    while places := [
        place
        for (place,) in tx.rows(
            f"SELECT `place` FROM `herdbook_held` WHERE `reason` IN ({marks(len(codes))}) "
            f"AND `place` > ? ORDER BY `place` LIMIT {AT_ONCE:d}",
            [*codes, after],
        )
    ]:
        after = places[-1]
        yield from _read(tx, _with_below(tx, places))


def _with_below(tx: Transaction, places: Sequence[bytes]) -> list[bytes]:
    """These rows, and those that wait for them, and so on."""
    found = dict.fromkeys(places)
    most = len(found) + MOST_BELOW
    wave = list(found)
    while wave and len(found) < most:
        near = [
            place
            for part in batches(wave, len, room=tx.room)
            for place in next(waiting_for(tx, part, most), ())
        ]
        wave = [place for place in dict.fromkeys(near) if place not in found]
        found.update(dict.fromkeys(wave[: most - len(found)]))
    return list(found)


def _read(tx: Transaction, places: Sequence[bytes]) -> Iterator[tuple[Held, ...]]:
    """What waits for rows at these places, together; in several pieces where that is much."""
    codes = sorted(CODES[reason] for reason in (PARENT, BLOCKED))
    sizes: list[tuple[bytes, int]] = []
    for part in batches(places, len, room=tx.room):
        sizes += tx.rows(
            f"SELECT `place`, {HELD.size} FROM `herdbook_held` "
            f"WHERE `place` IN ({marks(len(part))}) AND `reason` IN ({marks(len(codes))})",
            [*part, *codes],
        )
    while sizes:
        count = fitting([int(size) for _place, size in sizes], len(sizes))
        some, sizes = [place for place, _size in sizes[:count]], sizes[count:]
        if helds := tuple(held for _place, held in held_under(tx, some)):
            yield helds
