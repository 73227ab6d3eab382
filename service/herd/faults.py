"""The one error of whatever stands between messages and bytes."""

from __future__ import annotations

from typing import Literal, TypeAlias

Side: TypeAlias = Literal["ours", "theirs"]

OURS: Side = "ours"
THEIRS: Side = "theirs"


class WireFault(Exception):
    """A message could not become bytes, or bytes no message.

    `side` says whose fault it is: `ours` is a mistake of this node, and nothing was sent; `theirs`
    is what came in, and the link has to be closed. `code` is for programs, `text` for people.
    """

    def __init__(self, side: Side, code: str, text: str) -> None:
        super().__init__(text)
        self.side: Side = side
        self.code = code
        self.text = text
