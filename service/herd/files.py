"""A delta as a file: frames with a greeting, and then all parts in their order.

The bytes are those of a link, so whatever travels there can be carried on a stick as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.herd.codec import decode, encode
from service.herd.deltas import Delta
from service.herd.faults import THEIRS, WireFault
from service.herd.frames import FrameReader, framed
from service.herd.messages import PROTOCOL, Hello, Message, Portion


def delta_file(name: str, schema: str, parts: Iterable[Delta]) -> Iterator[tuple[bytes, Delta]]:
    """The bytes of a file, a part after the other, and each part; raises WireFault."""
    number = 1
    for at, part in enumerate(parts):
        data = framed(encode(Portion(number, at, part)))
        if at == 0:
            hello = Hello(PROTOCOL, part.sender, 0, name, schema, part.covers)
            data = framed(encode(hello)) + data
        yield data, part


def parts_in(pieces: Iterable[bytes]) -> Iterator[Portion]:
    """The parts in a file that is read in pieces of any size; raises WireFault for another file.

    The greeting is checked and left out. A file that ends before the last part is a fault too.
    """
    messages = _messages(pieces)
    hello = next(messages, None)
    if not isinstance(hello, Hello) or hello.protocol != PROTOCOL:
        raise WireFault(THEIRS, "file.unknown", "it does not begin as a delta of this release does")
    expected = 0
    for message in messages:
        if not isinstance(message, Portion) or message.part != expected:
            raise WireFault(THEIRS, "file.broken", f"part {expected} is not where it should be")
        expected += 1
        yield message
        if message.delta.last:
            return
    raise WireFault(THEIRS, "file.short", f"it ends after {expected} parts, before the last one")


def _messages(pieces: Iterable[bytes]) -> Iterator[Message]:
    reader = FrameReader()
    for piece in pieces:
        reader.feed(piece)
        for payload in reader.payloads():
            yield decode(payload)
    reader.finish()
