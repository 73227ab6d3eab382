"""What goes wrong again and again is told once, until it has gone right."""

from __future__ import annotations

from service.herd.link_actions import Alarm

BUILD_FAILED = "delta.not_read"
APPLY_FAILED = "delta.not_applied"


class Troubles:
    """What is wrong at present, by link."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, int], Alarm] = {}

    @property
    def present(self) -> list[Alarm]:
        """What went wrong and has not gone right since."""
        return list(self._told.values())

    def begin(self, code: str, link: int, text: str) -> list[Alarm]:
        """Something went wrong; an alarm, if it had not before."""
        if (code, link) in self._told:
            return []
        alarm = self._told[code, link] = Alarm(code, text)
        return [alarm]

    def over(self, code: str, link: int) -> None:
        """It went right."""
        self._told.pop((code, link), None)

    def forget(self, link: int) -> None:
        """A link is gone."""
        self._told = {told: alarm for told, alarm in self._told.items() if told[1] != link}
