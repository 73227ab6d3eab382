"""What siblings wrote before this node had a place for it is written after a migration."""

from __future__ import annotations

from records.catalogue import Catalogue
from service.cli.output import Output
from service.config import Configuration


def write_what_waited(configuration: Configuration, catalogue: Catalogue, output: Output) -> None:
    """Try all that is held once more, and tell how it went; raises ServiceError."""
    from service.assembly import session_settings
    from service.store.herd.waited import HeldWriter

    settings = session_settings(configuration, autocommit=False)
    with HeldWriter(configuration.database.url, settings, catalogue) as writer:
        waiting = writer.count()
        if not waiting:
            return
        with output.progress("rows that waited for this", waiting) as advance:
            for tried in writer.write():
                advance(tried)
        left = writer.count()
    output.note(f"{waiting - left} rows that siblings had written before are written now")
    if left:
        output.note(f"{left} rows are still held: see `herdbook held list`")
