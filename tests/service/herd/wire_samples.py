"""Messages and deltas with something of everything in them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from records.stamps import NEVER, Slot, Version
from records.states import Death, RowState, born
from service.herd.codec import encode
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow, LogEntry
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
from service.herd.wire.delta import pack_delta
from service.herd.wire.forms import DeltaBody

VALUES: tuple[Any, ...] = (
    None,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    2**64 - 1,
    0.0,
    -0.0,
    0.1,
    5e-324,
    1.7976931348623157e308,
    "",
    "Zürich 東京 🐄",
    "a\x00b",
    b"",
    b"\x00\xff",
    Decimal("0"),
    Decimal("-0.00"),
    Decimal("1.10"),
    Decimal("0E-30"),
    Decimal("9" * 35 + "." + "9" * 30),
    Decimal("-" + "9" * 65),
)
"""One of each type, and the ends of its range."""

STAMP = 1_760_000_000_000_000


def row(key: int, values: Mapping[str, Any], table: str = "city") -> DeltaRow:
    """A new row, whole."""
    return DeltaRow(table, (key,), born(values, STAMP + key, 7), whole=True)


def entry(position: int, key: int, kind: str = INSERT, table: str = "city") -> LogEntry:
    """A log entry that goes with it."""
    columns = ("name",) if kind == UPDATE else ()
    return LogEntry(7, position, table, (key,), kind, columns, 1, STAMP + key, "root@localhost")


def delta(*rows: DeltaRow, entries: tuple[LogEntry, ...] = ()) -> Delta:
    """A delta of these rows."""
    return Delta(7, {7: 0}, {7: 99, 2**32 - 1: 2**63 - 1}, rows, entries)


def with_value(value: object) -> Delta:
    """A delta of one row that holds a value."""
    return delta(row(1, {"name": value}))


PARTLY = DeltaRow(
    "country",
    ("DE", b"\x01"),
    RowState(
        3,
        Version(5, 7),
        {"name": Slot(Version(8, 9), Version(5, 7)), "area": Slot(Version(9, 7))},
        {"area": Decimal("1.50"), "name": "Deutschland"},
    ),
    whole=False,
)
DEAD = DeltaRow(
    "country",
    ("FR", b"\x02"),
    RowState(2, Version(5, 9), {}, {"name": None}, Death(11, "root@localhost")),
    whole=True,
)
WITHOUT_COLUMNS = DeltaRow("tag", ("red",), RowState(1, Version(5, 9), {}, {}), whole=False)

EVERYTHING = delta(
    row(1, {"name": "Ulm", "area": 118.69}),
    PARTLY,
    row(2, {"name": None, "area": 3}),
    DEAD,
    WITHOUT_COLUMNS,
    PARTLY._replace(key=("AT", b""), state=PARTLY.state._replace(slots={"name": Slot(NEVER)})),
    PARTLY._replace(key=("CH", b""), state=PARTLY.state._replace(slots={"area": Slot(NEVER)})),
    row(3, {"area": 1.0, "name": "Jena"}),
    row(4, {"name": "Bonn", "area": 141.06})._replace(whole=False),
    entries=(
        entry(2, 1),
        entry(1, 2, UPDATE),
        LogEntry(9, 4, "country", ("FR", b"\x02"), DELETE, (), 2, 11, "app@%"),
        entry(3, 1),
        entry(4, 1, DELETE),
        entry(5, 2, UPDATE)._replace(columns=("area",)),
    ),
)
"""Rows of several tables and columns in a mixed order."""

MESSAGES: tuple[Message, ...] = (
    Hello(PROTOCOL, 2**32, 2**64 - 1, "Zürich", "gazetteer 3", {7: 2**63 - 1, 1: 0}),
    Have({}),
    Have({5: 1, 3: 2}),
    Portion(1, 0, EVERYTHING),
    Portion(2, 9, delta()._replace(last=False)),
    *(Portion(3, number, with_value(value)) for number, value in enumerate(VALUES)),
    Portion(4, 0, delta(*(row(key, {"mixed": value}) for key, value in enumerate(VALUES)))),
    Applied(3, 1, {7: 5}),
    Prune(4),
    Graft({7: 4}),
    Refusal("herd.clone", "two nodes show the origin 7"),
)


def body_of(some: Delta, **changes: object) -> DeltaBody:
    """The form of a delta on the wire, with some of it changed."""
    return msgspec.structs.replace(pack_delta(some), **changes)


def sent(body: DeltaBody) -> bytes:
    """The bytes of a message that carries a delta of this form, right or wrong."""
    return encode(Portion(1, 0, delta()))[:1] + msgspec.msgpack.encode((1, 0, body))
