"""One row as bytes, in the form it has on the wire: its key and state, every value typed."""

from __future__ import annotations

import msgspec

from service.herd.deltas import Delta, DeltaRow
from service.herd.faults import THEIRS, WireFault
from service.herd.wire.delta import pack_delta, unpack_delta
from service.herd.wire.forms import DeltaBody

_decoder = msgspec.msgpack.Decoder(DeltaBody)


def row_bytes(row: DeltaRow) -> bytes:
    """The bytes of a row; raises WireFault, of this side, for a value that cannot be sent."""
    return msgspec.msgpack.encode(pack_delta(Delta(0, {}, {}, (row,), ())))


def row_of_bytes(content: bytes) -> DeltaRow:
    """The row of some bytes; raises WireFault, of the other side, if they are none."""
    try:
        rows = unpack_delta(_decoder.decode(content)).rows
    except (ValueError, IndexError, RecursionError) as error:
        raise WireFault(THEIRS, "wire.malformed", f"a row cannot be read: {error}") from error
    if len(rows) != 1:
        raise WireFault(THEIRS, "wire.malformed", f"{len(rows)} rows where one is wanted")
    return rows[0]
