"""Following the feed for people and programs: what was shown is not shown again.

The position moves on only when changes were shown, so that a connection that breaks at any moment
costs nothing: the next one takes up where the last change was.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from service.cli.output import CommandFailed, Output, json_text, write_json
from service.cli.stream_client import (
    FIRST_ANSWER_SECONDS,
    Address,
    CallRefused,
    Message,
    Shows,
    StreamClient,
    StreamLost,
    unreachable,
)

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
        shows: Shows | None = None,
    ) -> None:
        """`start` is a position or "now". After `count` changes it ends; without, never."""
        self._address = address
        self._shows = shows
        self._params = params
        self._start = start
        self._left = count
        self._output = output
        self._pause = pause
        self._was_there = False
        self._next_pause = _FIRST_PAUSE
        self._said = ""

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
                if not self._was_there or not _may_pass(refused):
                    raise
                self._wait(_told_of(refused))

    def _is_done(self) -> bool:
        return self._left == 0

    def _follow(self) -> None:
        """Subscribe on a connection of its own, and show what comes until it or the count ends."""
        client = StreamClient(self._address, self._shows)
        try:
            params = self._params | {"from": self._start}
            answer = client.call("feed.subscribe", params, FIRST_ANSWER_SECONDS)
            subscribed = _decoded(answer, _Subscribed)
            self._start, self._was_there = subscribed.start, True
            while not self._is_done():
                message = self._next(client)
                told = _decoded(message.params, _Told)
                if told.subscription != subscribed.subscription:
                    continue
                if message.method == "feed.overflow":
                    self._overflowed(told, client)
                    return
                self._show(told)
        finally:
            client.close()

    def _next(self, client: StreamClient) -> Message:
        """What is told next; a subscription that stood until its connection broke was well."""
        try:
            return client.next_told()
        except StreamLost:
            self._be_well()
            raise

    def _be_well(self) -> None:
        """What went wrong before is over: the next trouble is a new one."""
        self._next_pause, self._said = _FIRST_PAUSE, ""

    def _show(self, told: _Told) -> None:
        """Show a page, and only then go on from behind it."""
        self._be_well()
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
        # The codes of errors have a dot.
        if "." not in told.reason or not self._waited_until_well(client):
            self._wait(f"the node ended the subscription ({told.reason})")

    def _waited_until_well(self, client: StreamClient) -> bool:
        """Read until the node can again; False where it could at once.

        What keeps the node from it is said in its own words. Raises CallRefused where that will not
        pass, StreamLost or CommandFailed.
        """
        asked = self._params | {"from": self._start, "limit": 1}
        waited = False
        while True:
            try:
                client.call("feed.read", asked)
                return waited
            except CallRefused as refused:
                if not _may_pass(refused):
                    raise
                waited = True
                self._wait(_told_of(refused))

    def _wait(self, why: str) -> None:
        """Say why it does not go on at once, and only once; the pauses grow until it does."""
        if why != self._said:
            self._output.note(f"{why}; trying again")
        self._said = why
        self._pause(self._next_pause)
        self._next_pause = min(2 * self._next_pause, _LONGEST_PAUSE)


def _may_pass(refused: CallRefused) -> bool:
    """Whether a refusal is about the node and not about what was asked: it can be mended."""
    return refused.retryable or refused.code.startswith("server.")


def _told_of(refused: CallRefused) -> str:
    """A refusal on one line, with what the node says is to be done."""
    # It is sent again without anybody's doing.
    hint = re.sub(r"\bSend the call[^.]*\.", "", refused.hint).strip()
    return f"{refused} ({hint})" if hint else str(refused)


def _not_there(position: int, ends: _Ends) -> CommandFailed:
    """Why the changelog cannot be continued from a position."""
    return CommandFailed(
        f"the changes after position {position} are no longer kept; those after "
        f"{ends.horizon} are, up to {ends.head}",
        "list the records anew, and follow --from now; a registered consumer keeps changes",
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
