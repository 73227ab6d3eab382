"""What siblings wrote before this node had a place for it is written after a migration."""

from __future__ import annotations

from typing import NamedTuple

from records.catalogue import Catalogue
from service.cli.output import Output
from service.config import Configuration


class Waited(NamedTuple):
    """How many rows that siblings had written before are written now, and how many still wait."""

    written: int
    held: int


def write_what_waited(configuration: Configuration, catalogue: Catalogue, output: Output) -> Waited:
    """Try all that is held once more, and tell people how it went; raises ServiceError.

    Not only after a migration that was just run: the command before may have been killed between.
    """
    from service.assembly import session_settings
    from service.store.herd.waited import HeldWriter

    settings = session_settings(configuration, autocommit=False)
    with HeldWriter(configuration.database.url, settings, catalogue) as writer:
        waiting = writer.count()
        if not waiting:
            return Waited(0, 0)
        written = 0
        with output.progress("rows that waited for this", waiting) as advance:
            for done in writer.write():
                written += done
                advance(done)
        left = writer.count()
    output.note(f"rows that siblings had written before and that are written now: {written}")
    if left:
        output.note(f"rows that are still held: {left}; see `herdbook held list`")
    return Waited(written, left)
