"""No Storm object leaves its thread: what a unit of work returns is looked through.

Storm's objects load more of themselves when they are touched, over a connection that another
thread is using by then; its manual forbids it, and nothing would show the mistake.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import TypeVar

from records.errors import Failure
from records.kinds.network import NETWORK_VALUES

Result = TypeVar("Result")

_SCALARS = frozenset(
    {
        type(None),
        bool,
        bytes,
        datetime.date,
        datetime.datetime,
        datetime.timedelta,
        decimal.Decimal,
        float,
        int,
        str,
        uuid.UUID,
        Failure,
        *NETWORK_VALUES,
    }
)


_SCALAR_BASES = tuple(_SCALARS)


class NotPlain(TypeError):
    """A unit of work returned something that must not leave its thread."""


def require_plain(result: Result) -> Result:
    """The result, if it holds plain values only; raises NotPlain otherwise."""
    waiting: list[object] = [result]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind in _SCALARS:
            continue
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list | tuple | set | frozenset):
            waiting.extend(item)
        elif _is_frozen(kind):
            waiting.extend(vars(item).values())
        elif isinstance(item, _SCALAR_BASES):
            # A class of the user's own that is such a value, from a validator for instance.
            continue
        else:
            raise NotPlain(f"a {kind.__name__} must not leave its thread; return its values")
    return result


def _is_frozen(kind: type) -> bool:
    """Whether its values are ours and never change: they are as plain as what they hold."""
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
