"""Whether a server keeps what it has committed: rules over the settings that it tells of itself."""

from __future__ import annotations

from collections.abc import Mapping

FLUSH = "innodb_flush_log_at_trx_commit"
BINARY_LOG = "log_bin"
SYNC = "sync_binlog"
SETTINGS = (FLUSH, BINARY_LOG, SYNC)
"""The settings that `losses` looks at."""

# On MariaDB 3 is 1 with one more flush: then what is committed is in InnoDB's log, whatever becomes
# of the binary log (MariaDB's manual, "Binary Log Group Commit and InnoDB Flushing Performance").
_KEEPING = ("1", "3")


def losses(settings: Mapping[str, str]) -> tuple[str, ...]:
    """What of acknowledged writes a crash would lose, and what to set; nothing where none.

    `settings` are those of SETTINGS as SHOW VARIABLES tells them.
    """
    lines = []
    flushed = settings[FLUSH]
    if flushed not in _KEEPING:
        lines.append(
            f"{FLUSH} is {flushed}, not 1: a crash would lose writes that were acknowledged; "
            "set it to 1 on the database server"
        )
    # With a binary log InnoDB leaves the last flush of a commit to it: after a crash the server
    # takes a commit back that the binary log does not show.
    if settings[BINARY_LOG] == "ON" and settings[SYNC] != "1" and flushed != "3":
        lines.append(
            f"the binary log is on and {SYNC} is {settings[SYNC]}, not 1: after a crash of the "
            "machine the server takes acknowledged writes back that the binary log has lost; set "
            f"{SYNC} to 1 on the database server, or switch the binary log off"
        )
    return tuple(lines)
