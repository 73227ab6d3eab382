"""How the sealer's session is set up."""

from __future__ import annotations

from dataclasses import dataclass

from schema.capture.triggers import QUIET
from service.store.settings import SessionSettings

SILENCE_SECONDS = 5
"""A process that is stopped in the midst of a pass holds the lease's row until the server has heard
nothing from it for so long."""

STRUCTURE_SECONDS = 1
"""How long is waited for a table whose structure is being changed."""


@dataclass(frozen=True)
class SealingSession(SessionSettings):
    """One snapshot for each transaction, triggers that keep quiet, and little patience."""

    lock_wait_seconds: int = 1

    def statements(self, mariadb: bool) -> tuple[str, ...]:
        """What prepares a session."""
        return (
            *super().statements(mariadb),
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            f"SET SESSION wait_timeout = {SILENCE_SECONDS}, "
            f"net_read_timeout = {SILENCE_SECONDS}, net_write_timeout = {SILENCE_SECONDS}, "
            f"lock_wait_timeout = {STRUCTURE_SECONDS}",
            f"SET {QUIET} = 1",
        )
