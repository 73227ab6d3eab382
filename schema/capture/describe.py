"""What is to be captured of a record class."""

from __future__ import annotations

from collections.abc import Iterator

from records.catalogue import Catalogue, RecordInfo, ReferenceInfo
from records.kinds.base import Kind
from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.documents import JsonKind
from records.kinds.identifiers import UuidKind
from records.kinds.network import AddressKind, CidrKind
from records.kinds.numbers import BitsKind, BooleanKind, FloatKind, IntegerKind
from records.kinds.text import FixedTextKind, LongTextKind, TextKind
from records.kinds.times import TimestampKind, YearKind
from records.relation import RESTRICT
from schema.capture.shape import (
    BINARY,
    BITS,
    BYTES,
    FLOATING,
    INTEGER,
    MOMENT,
    PLAIN,
    TEXT,
    Capture,
    CapturedColumn,
    ChildRule,
    KeyPart,
)

_COMPARED_BY_BYTES = (
    BytesKind,
    FixedBytesKind,
    LongBytesKind,
    TextKind,
    FixedTextKind,
    LongTextKind,
    JsonKind,
)
_FORMS: dict[type[Kind], str] = {
    **dict.fromkeys((IntegerKind, BooleanKind, YearKind), INTEGER),
    **dict.fromkeys((BytesKind, FixedBytesKind, UuidKind, AddressKind, CidrKind), BINARY),
    TimestampKind: MOMENT,
    BitsKind: BITS,
}


def capture_of(catalogue: Catalogue, record: RecordInfo) -> Capture:
    """What is to be captured of a class; its columns are numbered in order of declaration."""
    columns = tuple(
        CapturedColumn(number, field.column, comparison_of(field.kind))
        for number, field in enumerate(record.fields.values(), start=1)
    )
    return Capture(
        table=record.table,
        key=tuple(
            KeyPart(record.fields[name].column, form_of(record.fields[name].kind))
            for name in record.key
        ),
        columns=columns,
        children=tuple(_rules(catalogue, record)),
        last_number=len(columns),
        groups=tuple(
            tuple(number for number, name in enumerate(record.fields, start=1) if name in group)
            for group in record.atomic
        ),
    )


def comparison_of(kind: Kind) -> str:
    """How two values of a kind are compared."""
    if isinstance(kind, FloatKind):
        return FLOATING
    return BYTES if isinstance(kind, _COMPARED_BY_BYTES) else PLAIN


def form_of(kind: Kind) -> str:
    """How a value of a kind stands in a key."""
    return _FORMS.get(type(kind), TEXT)


def _rules(catalogue: Catalogue, record: RecordInfo) -> Iterator[ChildRule]:
    """What becomes of the children, those first that refer to others of them.

    A trigger cannot change a table that its statement is changing already. So references that lead
    from a class back to itself are left to the service.
    """
    found = [
        (child, reference)
        for child, reference in catalogue.children_of(record.name)
        if reference.on_delete != RESTRICT and child.name not in _above(catalogue, record.name)
    ]
    found.sort(
        key=lambda pair: (-len(_above(catalogue, pair[0].name)), pair[0].table, pair[1].name)
    )
    for child, reference in found:
        yield _rule(record, child, reference)


def _rule(record: RecordInfo, child: RecordInfo, reference: ReferenceInfo) -> ChildRule:
    return ChildRule(
        table=child.table,
        columns=child.columns(reference.fields),
        parent_columns=record.columns(reference.target_fields),
        on_delete=reference.on_delete,
    )


def _above(catalogue: Catalogue, name: str) -> set[str]:
    """The class and all that its references lead to, over any number of steps."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            references = catalogue.records[current].references.values()
            waiting.extend(reference.target for reference in references)
    return seen
