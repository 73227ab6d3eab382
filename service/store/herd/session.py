"""How the session is set up in which siblings' changes are applied."""

from __future__ import annotations

from dataclasses import dataclass

from schema.capture.triggers import QUIET, TRIGGER_MODE
from service.store.settings import SessionSettings


@dataclass(frozen=True)
class ApplyingSession(SessionSettings):
    """The triggers of capture keep quiet, and any value that a table may hold can be written.

    Row locks are waited for longer than by a call: nobody waits for an answer, and all that was
    planned would have to be planned again.
    """

    lock_wait_seconds: int = 10

    def statements(self, mariadb: bool) -> tuple[str, ...]:
        """What prepares a session."""
        return (
            *super().statements(mariadb),
            # A zero in a column that counts by itself is a zero.
            f"SET SESSION sql_mode = '{TRIGGER_MODE},NO_AUTO_VALUE_ON_ZERO'",
            f"SET {QUIET} = 1",
        )
