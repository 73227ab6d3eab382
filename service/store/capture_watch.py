"""Whether the triggers of capture are still there, while a node runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from service.store.capture_look import unguarded_tables
from service.store.threads import Lane
from service.store.watch import Clock, Watch


class CaptureWatch(Watch[str]):
    """Tells of tables whose changes escape.

    While a migration runs nothing is looked at: it may take any time to make the triggers of a new
    table. `advise` puts this node's options into the command that it tells of.
    """

    log = logging.getLogger(__name__)
    healed = "all triggers that note changes are there again"
    unsure = "whether all triggers are there is not known"

    def __init__(
        self, reading: Lane, clock: Clock, every: float, advise: Callable[[str], str]
    ) -> None:
        super().__init__(unguarded_tables, reading, clock, every)
        self._advice = advise("run `herdbook schema recapture`")

    def in_words(self, missing: Collection[str]) -> str:
        """The tables, and the command that makes their triggers anew."""
        return (
            "changes of these tables are not noted, the triggers that note them are missing or "
            f"were changed: {', '.join(sorted(missing))}; {self._advice}"
        )
