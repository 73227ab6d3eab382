"""How much one client may ask for. Every number is a default that the configuration may change."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The limits of one node; whatever goes beyond one is answered with an error that says so.

    `body_bytes`: half of MariaDB's default `max_allowed_packet` of 16 MiB, so that the values of
    any accepted body still fit one statement when half of their bytes need escaping.
    `batch_items`: as many as the largest list page. A batch without a bound is a way round every
    other limit.
    `nesting`: a parent with children three levels deep inside a transaction needs about a dozen
    levels; the rest is for JSON documents. The parser's own stack ends near 1,000.
    `result_bytes`: a full page of 1,000 records of 32 KiB each.
    `call_seconds`: half of the 60 seconds after which common HTTP proxies give up, so that the
    client reads our answer and not the proxy's.
    `pending_calls`: bodies being answered at once. With a dozen database threads and calls of
    10 ms this queue is about one second long; a longer one only hides the overload.
    """

    body_bytes: int = 8 * MEBIBYTE
    batch_items: int = 1000
    nesting: int = 64
    result_bytes: int = 32 * MEBIBYTE
    call_seconds: float = 30.0
    pending_calls: int = 1000

    @property
    def longest_wait(self) -> float:
        """The seconds that a call may wait for something and still be answered in time."""
        return max(self.call_seconds - 5, self.call_seconds / 2)
