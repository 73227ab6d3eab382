"""What the room asks the database beside deltas: who the node is, and what it notes of siblings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from service.herd.link_stream import Stream
from service.herd.port import HerdStore, Origin, Sibling
from service.transports.siblings.database import begin
from service.transports.siblings.dialling import wait_after
from service.transports.siblings.terms import Surroundings

_log = logging.getLogger("herdbook.herd")


class OwnVector:
    """Asks who the node is and what it has: one question at a time, again later where it fails."""

    def __init__(
        self, store: HerdStore, around: Surroundings, tell: Callable[[Origin], None]
    ) -> None:
        self.problem: str | None = None
        self._store = store
        self._around = around
        self._tell = tell
        self._is_asking = False
        self._is_wanted = False
        self._failures = 0
        self._again: Any = None
        self._is_open = True

    def ask(self) -> None:
        """Something may have changed; whoever asks meanwhile is answered by one more question."""
        self._is_wanted = True
        if self._is_open and not self._is_asking and self._again is None:
            self._is_asking = True
            begin(self._ask())

    def stop(self) -> None:
        """Ask no more."""
        self._is_open = False
        if self._again is not None:
            self._again.cancel()
            self._again = None

    async def _ask(self) -> None:
        while self._is_wanted and self._is_open:
            self._is_wanted = False
            try:
                origin = await self._store.origin()
            except Exception as error:
                self._is_asking = False
                self._try_later(error)
                return
            self._failures, self.problem = 0, None
            if self._is_open:
                self._tell(origin)
        self._is_asking = False

    def _try_later(self, error: Exception) -> None:
        seconds = wait_after(self._failures, self._around.chance())
        self._failures += 1
        if self.problem is None:
            _log.warning("the database does not say what this node has: %s", error)
        self.problem = "the database does not say what this node has; it is asked again"
        if self._is_open:
            self._again = self._around.clock.callLater(seconds, self._ask_again)

    def _ask_again(self) -> None:
        self._again = None
        self.ask()


class Notes:
    """Tells the database what siblings were last known to have, where that changed."""

    def __init__(self, store: HerdStore) -> None:
        self._store = store
        self._noted: Mapping[int, Sibling] = {}
        self._is_noting = False
        self._has_failed = False

    def note(self, streams: Iterable[Stream]) -> None:
        """These are linked now."""
        siblings = (Sibling(each.peer.origin, each.peer.name, each.theirs) for each in streams)
        news = {each.origin: each for each in siblings if self._noted.get(each.origin) != each}
        if news and not self._is_noting:
            self._is_noting = True
            begin(self._note(news))

    async def _note(self, news: Mapping[int, Sibling]) -> None:
        try:
            await self._store.note(tuple(news.values()))
        except Exception as error:
            if not self._has_failed:
                _log.warning("what siblings have could not be noted: %s", error)
            self._has_failed = True
        else:
            self._noted = {**self._noted, **news}
            self._has_failed = False
        self._is_noting = False
