"""Messages as bytes: one byte says which message it is, the rest is its fields in MessagePack.

The form of a message on the wire follows from its class. Fields that a newer sibling added at the
end are dropped; one that an older sibling does not send yet needs a default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_type_hints

import msgspec

from service.herd.deltas import Delta
from service.herd.faults import OURS, THEIRS, WireFault
from service.herd.messages import (
    PROTOCOL,
    Applied,
    Graft,
    Have,
    Hello,
    Message,
    Portion,
    Prune,
    Refusal,
)
from service.herd.vectors import Vector
from service.herd.wire.delta import pack_delta, unpack_delta
from service.herd.wire.forms import DeltaBody, WireVector
from service.herd.wire.numbering import Natural

MESSAGES: Mapping[int, type[Message]] = {
    1: Hello,
    2: Have,
    3: Portion,
    4: Applied,
    5: Prune,
    6: Graft,
    7: Refusal,
}
"""Every message by its number, which is never given to another."""


class _Wired(NamedTuple):
    """How fields of one type stand on the wire."""

    form: Any
    pack: Callable[[Any], Any] | None = None
    unpack: Callable[[Any], Any] | None = None


_WIRED: Mapping[Any, _Wired] = {
    int: _Wired(Natural),
    Vector: _Wired(WireVector),
    Delta: _Wired(DeltaBody, pack_delta, unpack_delta),
}
"""All other types stand there as they are."""


class Form:
    """One message on the wire: its number, and the form of its fields."""

    def __init__(self, number: int, message: type[Any]) -> None:
        hints = get_type_hints(message)
        self._message = message
        self._mark = bytes([number])
        self._fields = [(name, _WIRED.get(hint, _Wired(hint))) for name, hint in hints.items()]
        self._decoder = msgspec.msgpack.Decoder(
            msgspec.defstruct(
                message.__name__,
                [
                    (name, wired.form, message._field_defaults.get(name, msgspec.NODEFAULT))
                    for name, wired in self._fields
                ],
                array_like=True,
            )
        )

    def encode(self, message: Any) -> bytes:
        """The number of the message, and its fields."""
        fields = [
            value if wired.pack is None else wired.pack(value)
            for (_, wired), value in zip(self._fields, message, strict=True)
        ]
        return self._mark + msgspec.msgpack.encode(fields)

    def decode(self, fields: memoryview) -> Any:
        """The message of these fields."""
        values = msgspec.structs.astuple(self._decoder.decode(fields))
        return self._message(
            *(
                value if wired.unpack is None else wired.unpack(value)
                for (_, wired), value in zip(self._fields, values, strict=True)
            )
        )


_BY_NUMBER = {number: Form(number, message) for number, message in MESSAGES.items()}
_BY_CLASS = {message: _BY_NUMBER[number] for number, message in MESSAGES.items()}


class _Opening(msgspec.Struct, array_like=True):
    """What every `Hello` of any protocol begins with."""

    protocol: int


_opening = msgspec.msgpack.Decoder(_Opening)


def encode(message: Message) -> bytes:
    """The bytes of a message; raises WireFault, of this side, for one that has none."""
    form = _BY_CLASS.get(type(message))
    if form is None:
        kind = type(message).__name__
        raise WireFault(OURS, "wire.message", f"{kind} is no message")
    try:
        return form.encode(message)
    except (OverflowError, UnicodeEncodeError, TypeError, ValueError) as error:
        kind = type(message).__name__
        raise WireFault(OURS, "wire.value", f"{kind} cannot be sent: {error}") from error


def decode(payload: bytes) -> Message:
    """The message of some bytes; raises WireFault, of the other side, if they are none.

    A `Hello` of another protocol is a message as long as it can be read; whether to go on is not
    decided here.
    """
    if not payload:
        raise WireFault(THEIRS, "wire.malformed", "a message of no bytes")
    form = _BY_NUMBER.get(payload[0])
    if form is None:
        raise WireFault(THEIRS, "wire.message", f"message {payload[0]} is unknown here")
    fields = memoryview(payload)[1:]
    try:
        message: Message = form.decode(fields)
    except (ValueError, IndexError, RecursionError) as error:
        # What msgspec raises is a ValueError too.
        _require_our_protocol(payload[0], fields)
        kind = MESSAGES[payload[0]].__name__
        raise WireFault(THEIRS, "wire.malformed", f"{kind} cannot be read: {error}") from error
    return message


def _require_our_protocol(number: int, fields: memoryview) -> None:
    """Raise WireFault if a message that cannot be read is the greeting of another protocol."""
    if MESSAGES[number] is not Hello:
        return
    try:
        protocol = _opening.decode(fields).protocol
    except (ValueError, RecursionError):
        return
    if protocol != PROTOCOL:
        text = f"the other node speaks protocol {protocol}, this one {PROTOCOL}"
        raise WireFault(THEIRS, "wire.protocol", text)
