"""The digest of a row's state, as `digest_sql` has servers compute it of a row in a table.

For rows of which something is held: their state stands in no table as a whole.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal

from records.states import RowState, Value
from schema.capture.clock import Slot, Version
from schema.capture.columns import number_bytes
from service.store.herd.by_value import digest_with
from service.store.herd.digest_sql import (
    BINARIES,
    BLOBS,
    DIGEST_DIGITS,
    DOUBLES,
    LONG_TEXTS,
    TEXTS,
    DigestSql,
)
from service.store.herd.values import HerdColumn

_NULL = b"N,"


def digest_of(sql: DigestSql, state: RowState) -> int:
    """The digest of a state, of the columns that the SQL looks at."""
    latest = state.latest
    text = b"".join(
        (
            _existence(state),
            b"%d,%d," % (latest.stamp, latest.origin),
            _clock(sql, state),
            b",",
            *(_text_of(column, state.values.get(column.id)) for column in sql.columns),
        )
    )
    core = hashlib.sha256(text).hexdigest()[:DIGEST_DIGITS]
    if not sql.documents:
        return int(core, 16)
    return digest_with(core, [state.values.get(column.id) for column in sql.documents])


def _existence(state: RowState) -> bytes:
    if state.death is None:
        return b"L%d," % state.life
    writer = _measured(state.death.writer.encode())
    return b"D%d,%d,%s" % (state.life, state.death.died, writer)


def _clock(sql: DigestSql, state: RowState) -> bytes:
    total = 0
    for column in (*sql.columns, *sql.documents):
        slot = state.slots.get(column.id)
        if slot is not None:
            version, beneath = Version(*slot.version), Version(*slot.over)
            known = Slot(version, beneath)
            raw = number_bytes(int(column.id)) + known.version.as_bytes + known.overwrote.as_bytes
            total += int(hashlib.sha256(raw).hexdigest()[:16], 16)
    return Version(*state.born).as_bytes + b"%d" % total


def _text_of(column: HerdColumn, value: Value) -> bytes:
    if value is None:
        return _NULL
    for kinds, form in _FORMS.items():
        if column.data_type in kinds:
            return form(value)
    if column.data_type == "year":
        return b"%04d," % value
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.encode() + b","


def _measured(raw: bytes) -> bytes:
    return b"%d:%s" % (len(raw), raw)


def _hashed(raw: bytes) -> bytes:
    return hashlib.sha256(raw).hexdigest().encode()


_FORMS: Mapping[frozenset[str], Callable[[Value], bytes]] = {
    TEXTS: lambda value: _measured(value.encode()),
    LONG_TEXTS: lambda value: _hashed(value.encode()),
    BINARIES: _measured,
    BLOBS: _hashed,
    DOUBLES: lambda value: struct.pack("<d", value + 0.0),
}
