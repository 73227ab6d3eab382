"""Deaths that no trigger saw are noted: those by TRUNCATE, or while triggers were missing.

The row's values are lost, so nothing is put into the graveyard. A dead row of an earlier life that
still lies there is taken out, as it would be by the birth after it or by a later death.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from schema.capture.install import origin_of
from schema.capture.living import KEYS_A_STATEMENT, Reached, TableKeys, Trace, Walk
from schema.capture.locks import committed
from schema.capture.shape import Capture
from schema.capture.triggers import INBOX, NOW, TRIGGER_MODE, WRITTEN_BY
from schema.connection import connected

OnDeaths = Callable[[str, int], None]
"""Told a table and how many of its deaths were noted just now."""


def note_deaths(url: str, captures: Mapping[str, Capture], on_deaths: OnDeaths) -> None:
    """Note the deaths of all keys of these tables that are gone, though nothing says so.

    The triggers must be in place: what happens from here on is for them to note. Cut short, it goes
    on where it was; what is noted is not noted again.
    """
    begin: Reached | None = Reached()
    while begin is not None:
        with connected(url) as reader:
            walk = Walk(reader, captures, begin)
        with connected(url) as writer:
            for name, capture in captures.items():
                _note_table(writer, capture, walk.gone[name], on_deaths)
        begin = walk.rest


def _note_table(
    writer: Connection, capture: Capture, gone: Mapping[bytes, Trace], on_deaths: OnDeaths
) -> None:
    """Note the deaths of one table, some at a time."""
    if not gone:
        return
    writer.exec_driver_sql("SET SESSION sql_mode = %s", (TRIGGER_MODE,))
    keys, origin = TableKeys(writer, capture), origin_of(writer)
    writer.commit()
    found = list(gone.items())
    for at in range(0, len(found), KEYS_A_STATEMENT):
        some = dict(found[at : at + KEYS_A_STATEMENT])
        noted = committed(writer, partial(_note, writer, keys, capture.table, origin, some))
        if noted:
            on_deaths(capture.table, noted)


def _note(
    writer: Connection, keys: TableKeys, table: str, origin: int, gone: Mapping[bytes, Trace]
) -> int:
    """Note the deaths of those that are still gone; how many.

    The locks keep others from giving birth to them meanwhile. Who was born and died since the walk
    has left another dead row.
    """
    writer.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    present = keys.present(list(gone), "FOR UPDATE")
    dead = keys.dead_lives(list(gone), "FOR UPDATE")
    still = [
        (key, trace)
        for key, trace in gone.items()
        if key not in present and dead.get(key, 0) == trace.dead
    ]
    if still:
        # Who takes both spellings for one would take away the row that is there with the one that
        # is gone; told of it once more, it has it again.
        anew = [(key, trace) for key, trace in present.items() if key not in gone and trace.life]
        _write(writer, table, origin, still, anew)
        keys.unbury([key for key, trace in still if trace.dead])
    return len(still)


def _write(
    writer: Connection,
    table: str,
    origin: int,
    gone: Sequence[tuple[bytes, Trace]],
    anew: Sequence[tuple[bytes, Trace]],
) -> None:
    """Put entries into the inbox as triggers would: deletions, then updates that change nothing."""
    same = f"(%s, %s, %s, NULL, %s, {origin:d}, %s, {WRITTEN_BY})"
    later = f"(%s, %s, %s, NULL, %s, {origin:d}, GREATEST({NOW}, %s), {WRITTEN_BY})"
    values: list[Any] = []
    for key, trace in gone:
        values += (table, key, "delete", max(trace.life, trace.dead + 1) + 1, trace.stamp + 1)
    for key, trace in anew:
        values += (table, key, "update", trace.life, trace.stamp)
    writer.exec_driver_sql(
        f"INSERT INTO `{INBOX}` (`table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, "
        f"`stamp`, `writer`) VALUES {', '.join([later] * len(gone) + [same] * len(anew))}",
        tuple(values),
    )
