"""Deaths that no trigger saw are noted: those by TRUNCATE, or while triggers were missing.

The row's values are lost, so nothing is put into the graveyard. A dead row of an earlier life that
still lies there is taken out, as it would be by the birth after it or by a later death.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from schema.capture.gone_keys import GoneKeys, Trace
from schema.capture.install import origin_of
from schema.capture.living import find_gone
from schema.capture.locks import committed
from schema.capture.shape import Capture
from schema.capture.table_keys import Row, TableKeys
from schema.capture.triggers import INBOX, NOW, TRIGGER_MODE, WRITTEN_BY
from schema.connection import connected

DEATHS_A_TRANSACTION = 500

OnDeaths = Callable[[str, int], None]
"""Told a table and how many of its deaths were noted just now."""


def note_deaths(url: str, captures: Mapping[str, Capture], on_deaths: OnDeaths) -> None:
    """Note the deaths of all keys of these tables that are gone, though nothing says so.

    The triggers must be in place: what happens from here on is for them to note. Cut short, it goes
    on where it was; what is noted is not noted again.
    """
    with GoneKeys() as gone:
        with connected(url) as reader:
            find_gone(reader, captures, gone)
        with connected(url) as writer:
            for capture in captures.values():
                _note_table(writer, capture, gone, on_deaths)


def _note_table(writer: Connection, capture: Capture, gone: GoneKeys, on_deaths: OnDeaths) -> None:
    """Note the deaths of one table, some at a time."""
    writer.exec_driver_sql("SET SESSION sql_mode = %s", (TRIGGER_MODE,))
    keys, origin = TableKeys(writer, capture), origin_of(writer)
    writer.commit()
    begin = b""
    while some := gone.beginning(capture.table, begin, DEATHS_A_TRANSACTION):
        noted = committed(writer, partial(_note, writer, keys, capture.table, origin, some))
        if noted:
            on_deaths(capture.table, noted)
        begin = max(some) + b"\0"


def _note(
    writer: Connection, keys: TableKeys, table: str, origin: int, gone: Mapping[bytes, Trace]
) -> int:
    """Note the deaths of those that are still gone; how many.

    The locks keep others from giving birth to them meanwhile. Who was born and died since the walk
    has left a dead row of a later life.
    """
    writer.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    found = keys.look(gone, "FOR UPDATE")
    dead = {key: row.life for key, row in found.dead.items()}
    still = [(key, gone[key]) for key in found.absent if dead.get(key, 0) <= gone[key].dead]
    if still:
        # Who takes both spellings for one would take away the row that is there with the one that
        # is gone; told of it once more, it has it again. Rows without a life are adopted later.
        anew = {found.alive[key] for key, _trace in still if key in found.alive}
        _write(writer, table, origin, still, [row for row in sorted(anew) if row.life])
        keys.unbury([key for key, trace in still if trace.dead_before])
    return len(still)


def _write(
    writer: Connection,
    table: str,
    origin: int,
    gone: Sequence[tuple[bytes, Trace]],
    anew: Sequence[Row],
) -> None:
    """Put entries into the inbox as triggers would: deletions, then updates that change nothing."""
    same = f"(%s, %s, %s, NULL, %s, {origin:d}, %s, {WRITTEN_BY})"
    later = f"(%s, %s, %s, NULL, %s, {origin:d}, GREATEST({NOW}, %s), {WRITTEN_BY})"
    values: list[Any] = []
    for key, trace in gone:
        values += (table, key, "delete", trace.death, trace.stamp + 1)
    for row in anew:
        values += (table, row.key, "update", row.life, row.stamp)
    writer.exec_driver_sql(
        f"INSERT INTO `{INBOX}` (`table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, "
        f"`stamp`, `writer`) VALUES {', '.join([later] * len(gone) + [same] * len(anew))}",
        tuple(values),
    )
