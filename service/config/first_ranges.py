"""The ranges that a node takes when it has joined, as its settings name them.

What they are is known to `service.ranges`, which is loaded only where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.config.problems import ValueWrong
from service.config.readers import Texts

ADVICE = "write PURPOSE=BLOCK, each in quotes, within [ ], such as serves=10.1.0.0/16"


def check_first_range(text: str) -> str:
    """The text itself, or ValueWrong where it is no range."""
    from service.ranges.errors import RangeRefused
    from service.ranges.wanted import read_wanted

    try:
        return str(read_wanted(text))
    except RangeRefused as error:
        raise ValueWrong(str(error), ADVICE) from None


def can_stand_together(texts: Sequence[str]) -> None:
    """ValueWrong where a range is in the way of another."""
    from service.ranges.errors import BlocksRefused
    from service.ranges.wanted import read_wanted, refuse_clashes

    try:
        refuse_clashes("this node", map(read_wanted, texts), ())
    except BlocksRefused as error:
        raise ValueWrong(str(error), "name each block once for a purpose") from None


FIRST_RANGES = Texts(check_first_range, can_stand_together, ADVICE)
"""Reads all of them."""
