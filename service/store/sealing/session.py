"""How the sealer's session is set up."""

from __future__ import annotations

from dataclasses import dataclass

from schema.capture.triggers import TRIGGER_MODE
from service.store.settings import SessionSettings

SILENCE_SECONDS = 5
"""A process that is stopped in the midst of a pass holds the lease's row until the server has heard
nothing from it for so long."""

STRUCTURE_SECONDS = 1
"""How long is waited for a table whose structure is being changed."""

# Rows are locked as they are now, not as the snapshot shows them. Some versions of MariaDB have
# this variable, and the later ones set it.
_NO_SNAPSHOT_ISOLATION = (
    "SELECT IF(COUNT(*) = 0, 'DO 0', 'SET SESSION innodb_snapshot_isolation = OFF') "
    "FROM information_schema.system_variables WHERE variable_name = 'INNODB_SNAPSHOT_ISOLATION' "
    "INTO @herdbook_statement",
    "EXECUTE IMMEDIATE @herdbook_statement",
)


@dataclass(frozen=True)
class SealingSession(SessionSettings):
    """One snapshot for each transaction, and little patience."""

    lock_wait_seconds: int = 1

    def statements(self, mariadb: bool) -> tuple[str, ...]:
        """What prepares a session."""
        return (
            *super().statements(mariadb),
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            f"SET SESSION wait_timeout = {SILENCE_SECONDS}, "
            f"net_read_timeout = {SILENCE_SECONDS}, net_write_timeout = {SILENCE_SECONDS}, "
            f"lock_wait_timeout = {STRUCTURE_SECONDS}",
            # Other sessions, laxer than ours, wrote the keys that are asked for.
            f"SET SESSION sql_mode = '{TRIGGER_MODE}'",
            *(_NO_SNAPSHOT_ISOLATION if mariadb else ()),
        )
