"""How far a node is that joins: asked of the node itself, and shown with a bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from service.cli.asking import Refused, ask
from service.cli.output import Advance, CommandFailed, Output

_LOOK_SECONDS = 0.5

_CLOSED = "call.url"


class Seen(NamedTuple):
    """One look: whether the node joins still, what it lacks, in changes, and what is coming.

    `rows` are those of what is coming that are here already. `lacks` is None where no sibling is
    linked, and `reason` tells why then, as far as it is known.
    """

    joins: bool
    lacks: int | None
    rows: int
    reason: str | None
    warnings: tuple[str, ...]


def seen_of(status: Mapping[str, Any], state: str | None) -> Seen:
    """What `herd.status` and the state of the node's own record tell.

    Of siblings that were met and are not linked now the former tells less.
    """
    siblings = status["siblings"]
    lacks = [each["we_lack"] for each in siblings if each.get("we_lack") is not None]
    coming = [each["receiving"]["rows"] for each in siblings if each.get("receiving")]
    reasons = [each["reason"] for each in siblings if each.get("reason")]
    warnings = tuple(f"{each['code']}: {each['text']}" for each in status["warnings"])
    rows, reason = sum(coming), reasons[0] if reasons else None
    return Seen(state in (None, "joining"), max(lacks, default=None), rows, reason, warnings)


class Follower:
    """Looks at a node until it has joined. `is_alive` says whether there is anything to look at."""

    def __init__(self, url: str, is_alive: Callable[[], bool], output: Output) -> None:
        self.is_level = False
        self.why_not = ""
        self.warnings: tuple[str, ...] = ()
        self._url = url
        self._is_alive = is_alive
        self._output = output
        self._told: str | None = None

    def follow(self) -> bool:
        """Whether the node has joined, or cannot be asked so (`why_not` says why); False: it ended.

        Shows how far it is from when it is linked.
        """
        seen = self._look(lambda seen: seen.lacks is not None or not seen.joins)
        if seen is not None and seen.joins:
            with self._output.progress("changes of the herd", seen.lacks) as advance:
                seen = self._look(lambda seen: not seen.joins, Bar(seen.lacks or 0, advance))
        if seen is not None:
            self.is_level, self.warnings = True, seen.warnings
        return seen is not None or bool(self.why_not)

    def _look(self, is_enough: Callable[[Seen], bool], bar: Bar | None = None) -> Seen | None:
        """Look until it is enough; None where there is nothing more to look at."""
        while self._is_alive() and not self.why_not:
            seen = self._asked()
            if seen is not None:
                self._tell(seen)
                if bar is not None:
                    bar.show(seen)
                if is_enough(seen):
                    return seen
            time.sleep(_LOOK_SECONDS)
        return None

    def _asked(self) -> Seen | None:
        """What the node tells; None where it does not just now."""
        try:
            status = ask(self._url, "herd.status")
            where = ["origin", "=", status["origin"]]
            found = ask(self._url, "node.list", {"where": where})["records"]
        except Refused:
            return None
        except CommandFailed as error:
            if error.code.startswith("access.") or error.code == _CLOSED:
                self.why_not = f"how far it is cannot be asked: {error.message}; {error.hint}"
            return None
        return seen_of(status, found[0]["state"] if found else None)

    def _tell(self, seen: Seen) -> None:
        """Say why no sibling is linked, when that is another reason than before."""
        if seen.lacks is None and seen.reason not in (None, self._told):
            self._told = seen.reason
            self._output.note(f"no sibling is linked yet: {seen.reason}")


class Bar:
    """Shows what has come of so many changes. Rows are fewer, since a row may change many times."""

    def __init__(self, total: int, advance: Advance) -> None:
        self._total = total
        self._advance = advance
        self._shown = 0

    def show(self, seen: Seen) -> None:
        """Move to where the node is; never back, as what broke off comes anew."""
        came = max(self._total - (seen.lacks or 0), seen.rows) if seen.joins else self._total
        now = min(self._total, max(self._shown, came))
        self._advance(now - self._shown)
        self._shown = now
