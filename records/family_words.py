"""The words that fields of Herdbook's own family may hold; nothing here loads Storm."""

from __future__ import annotations

NODE_STATES = ("joining", "active", "draining", "retired")
"""Where a node stands in its herd."""

PURPOSES = ("serves", "peers", "pool", "admin")
"""What a block of addresses is for: clients that a node is nearest to, addresses its links come
from, space that it may give out, and from where it is looked after."""
