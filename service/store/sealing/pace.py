"""When the room does what, in seconds, and what it says of itself. No clock of the wall's."""

from __future__ import annotations

from dataclasses import dataclass

LOOK_SECONDS = 0.05
"""How often a holder looks for what plain SQL wrote: half of what is promised."""

HELD_SECONDS = 0.25
"""How often entries are tried again that wait for locked rows."""

LEASE_SECONDS = 1.0
"""How often a process that does not seal looks at the lease."""

FOLLOW_SECONDS = 0.05
"""The same where somebody in it waits for what others seal."""

FIRST_PRUNE_SECONDS = 10.0
PRUNE_SECONDS = 60.0

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_TOLD_EVERY = 30.0


@dataclass(frozen=True)
class Trouble:
    """What went wrong since the last turn that went well: how often, and what it was last.

    `told` is when the log was told.
    """

    count: int = 0
    message: str = ""
    told: float = 0.0

    def again(self, message: str, now: float) -> tuple[Trouble, bool]:
        """What is known after one more failure, and whether the log is to be told of it."""
        tell = message != self.message or now - self.told >= _TOLD_EVERY
        return Trouble(self.count + 1, message, now if tell else self.told), tell

    @property
    def pause(self) -> float:
        """How long to wait before the next try."""
        doubled = _FIRST_PAUSE * 2.0 ** min(self.count - 1, 10)
        return min(_LONGEST_PAUSE, doubled)
