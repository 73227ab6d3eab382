"""Following the feed for people and programs: what was shown is not shown again.

The position moves on only when changes were shown, so that a connection that breaks at any moment
costs nothing: the next one takes up where the last change was.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from service.cli.output import CommandFailed, Output, json_text, write_json
from service.cli.stream_client import Address, CallRefused, StreamClient, StreamLost, unreachable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_PAUSE_AFTER_OVERFLOW = 1.0

Part = TypeVar("Part", bound=msgspec.Struct)


class _Subscribed(msgspec.Struct, frozen=True):
    """What feed.subscribe answers."""

    subscription: int
    start: int = msgspec.field(name="from")


class _Told(msgspec.Struct, frozen=True):
    """The parameters of feed.change and feed.overflow; changes stay the text they are."""

    subscription: int
    next: int
    changes: tuple[msgspec.Raw, ...] = ()
    reason: str = ""


class _Ends(msgspec.Struct, frozen=True):
    """How far the changelog reaches, as feed.read tells."""

    head: int
    horizon: int


class _Change(msgspec.Struct, frozen=True):
    """A change, as far as people are shown it."""

    position: int
    kind: str
    writer: str
    at: str
    record: str | None = None
    table: str = ""
    key: dict[str, Any] | None = None
    fields: tuple[str, ...] = ()
    row: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    matches: bool = True


class Tail:
    """Shows changes from a position on, over as many connections as it takes."""

    def __init__(
        self,
        address: Address,
        params: dict[str, Any],
        start: int | str,
        count: int | None,
        output: Output,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`start` is a position or "now". After `count` changes it ends; without, never."""
        self._address = address
        self._params = params
        self._start = start
        self._left = count
        self._output = output
        self._pause = pause
        self._was_there = False
        self._next_pause = _FIRST_PAUSE

    def run(self) -> None:
        """Show changes until there were enough.

        Raises CommandFailed or CallRefused where it could not begin, or cannot go on.
        """
        while not self._is_done():
            try:
                self._follow()
            except StreamLost as lost:
                if not self._was_there:
                    raise unreachable(lost) from None
                self._wait(str(lost))
            except CallRefused as refused:
                if not self._was_there or not refused.retryable:
                    raise
                self._wait(str(refused))

    def _is_done(self) -> bool:
        return self._left == 0

    def _follow(self) -> None:
        """Subscribe on a connection of its own, and show what comes until it or the count ends."""
        client = StreamClient(self._address)
        try:
            answer = client.call("feed.subscribe", self._params | {"from": self._start})
            subscribed = _decoded(answer, _Subscribed)
            self._start = subscribed.start
            self._was_there, self._next_pause = True, _FIRST_PAUSE
            while not self._is_done():
                message = client.next_told()
                told = _decoded(message.params, _Told)
                if told.subscription != subscribed.subscription:
                    continue
                if message.method == "feed.overflow":
                    self._overflowed(told, client)
                    return
                self._show(told)
        finally:
            client.close()

    def _show(self, told: _Told) -> None:
        """Show a page, and only then go on from behind it."""
        shown = told.changes[: self._left]
        if shown and self._output.as_json:
            write_json(sys.stdout, "\n".join(bytes(change).decode() for change in shown))
        elif shown:
            self._output.say("\n".join(line_of(_decoded(change, _Change)) for change in shown))
        self._start = told.next
        if self._left is not None:
            self._left -= len(shown)

    def _overflowed(self, told: _Told, client: StreamClient) -> None:
        """The node ended the subscription: take it up again where that is of use."""
        self._start = told.next
        if told.reason == "pruned":
            asked = {"from": told.next, "limit": 1, "rows": False}
            raise _not_there(told.next, _decoded(client.call("feed.read", asked), _Ends))
        if told.reason == "too_large":
            raise CommandFailed(
                f"the row of the change after position {told.next} is too large to be sent",
                "follow with --keys, or raise limits.result_bytes of the node",
                code="feed.too_large",
            )
        self._next_pause = max(self._next_pause, _PAUSE_AFTER_OVERFLOW)
        self._wait(f"the node ended the subscription ({told.reason})")

    def _wait(self, why: str) -> None:
        """Say why it does not go on at once; the pauses grow until it does."""
        self._output.note(f"{why}; trying again")
        self._pause(self._next_pause)
        self._next_pause = min(2 * self._next_pause, _LONGEST_PAUSE)


def _not_there(position: int, ends: _Ends) -> CommandFailed:
    """Why the changelog cannot be continued from a position."""
    if position < ends.horizon:
        message = (
            f"the changes after position {position} are no longer kept; those after "
            f"{ends.horizon} are, up to {ends.head}"
        )
        advice = "a registered consumer keeps changes"
    else:
        message = f"position {position} was never given; the last one is {ends.head}"
        advice = "it is so after the database was restored from a backup"
    return CommandFailed(
        message,
        f"list the records anew, and follow --from now; {advice}",
        code="feed.pruned",
        details={"position": position, "head": ends.head, "horizon": ends.horizon},
    )


def line_of(change: _Change) -> str:
    """A change on one line, for people."""
    names = change.key or {}
    key = ", ".join(f"{name}={_shown(value)}" for name, value in names.items())
    parts = [
        change.at,
        f"#{change.position}",
        change.record or change.table,
        change.kind,
        key,
        ",".join(change.fields),
        change.writer,
    ]
    if not change.matches:
        parts.append("(no longer matches)")
    if isinstance(change.row, msgspec.Raw):
        parts.append(bytes(change.row).decode())
    return "  ".join(part for part in parts if part)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json_text(value)


def _decoded(raw: msgspec.Raw | msgspec.UnsetType, kind: type[Part]) -> Part:
    """A part of a message, in the form that a node gives it."""
    try:
        return msgspec.json.decode(raw if isinstance(raw, msgspec.Raw) else b"null", type=kind)
    except (msgspec.MsgspecError, RecursionError) as wrong:
        raise CommandFailed(
            f"what the stream told is nothing that a node tells: {wrong}",
            "are the command and the node of one version?",
            code="feed.answer",
        ) from None
