"""What goes wrong again and again is told once, until it has gone right."""

from __future__ import annotations

from service.herd.link_actions import Alarm

BUILD_FAILED = "delta.not_read"
APPLY_FAILED = "delta.not_applied"


class Troubles:
    """What is wrong at present, by link."""

    def __init__(self) -> None:
        self._told: set[tuple[str, int]] = set()

    def begin(self, code: str, link: int, text: str) -> list[Alarm]:
        """Something went wrong; an alarm, if it had not before."""
        if (code, link) in self._told:
            return []
        self._told.add((code, link))
        return [Alarm(code, text)]

    def over(self, code: str, link: int) -> None:
        """It went right."""
        self._told.discard((code, link))

    def forget(self, link: int) -> None:
        """A link is gone."""
        self._told = {told for told in self._told if told[1] != link}
