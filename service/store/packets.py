"""Statements that are too long for the server are refused before they are sent.

The server takes no packet above its `max_allowed_packet`, and hangs up on who sends one: with the
connection goes the transaction, and what was too long is not to be told from a connection that was
lost. Here such a statement is an error like any other, and the transaction goes on.
"""

from __future__ import annotations

import MySQLdb
from MySQLdb.connections import Connection

TOO_LONG = 1153
"""ER_NET_PACKET_TOO_LARGE."""

_GONE = 2006
_HEAD = 64
"""What of a packet is not the statement: two bytes where it was measured, some more on MySQL for a
client that sends attributes."""


class MeasuredConnection(Connection):  # type: ignore[misc]  # the driver has no types
    """The driver's connection, which knows how long a packet of its session may be."""

    longest: int | None = None
    """The bytes of the longest statement; None until the server was asked."""

    def ask_longest(self) -> None:
        """Ask the server how long a statement may be."""
        self.longest = self._asked("SESSION") - _HEAD

    def query(self, query: bytes) -> None:
        """Send a statement; raises the driver's error 1153 for one that is too long.

        Where the server takes longer ones by now, which counts for new sessions only, the
        connection is given up, as if the server had done it: the work is done again on another.
        """
        longest = self.longest
        if longest is not None and len(query) > longest:
            if self._asked("GLOBAL") - _HEAD > longest:
                self.close()
                raise MySQLdb.OperationalError(_GONE, "the server takes longer statements by now")
            raise MySQLdb.OperationalError(TOO_LONG, too_long(len(query), longest + _HEAD))
        super().query(query)

    def _asked(self, scope: str) -> int:
        # Whatever the one is, a packet as large as the other is taken: both servers do it.
        names = f"@@{scope}.max_allowed_packet, @@{scope}.net_buffer_length"
        super().query(f"SELECT GREATEST({names})".encode())
        ((packet,),) = self.store_result().fetch_row(0)
        return int(packet)


def too_long(size: int, packet: int) -> str:
    """What is wrong with a statement that is too long, and what to do."""
    return (
        f"it takes a statement of {size} bytes, and the database server takes {packet} at most: "
        "raise its max_allowed_packet"
    )
