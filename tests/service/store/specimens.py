"""A record class with a field of every kind, and rows that hold every extreme value."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from records import Integer, Record
from records.catalogue import catalogue_of
from records.fields import Field, Json
from records.kinds.base import Kind
from records.kinds.documents import JsonKind
from records.kinds.numbers import BitsKind
from records.validation import Row
from tests.records.samples import KINDS, SAMPLES
from tests.records.strategies import STRATEGIES

ALL_KINDS: list[Kind] = list(
    dict.fromkeys(
        [
            *KINDS,
            *(kind for kind, _values in STRATEGIES),
            *(BitsKind(length) for length in range(1, 65)),
        ]
    )
)


def field_name(kind: Kind) -> str:
    """The field that holds values of a kind."""
    return f"field_{ALL_KINDS.index(kind)}"


def _field(kind: Kind) -> Field:
    """A field of a kind that may be NULL."""
    return Json(allow_none=True) if isinstance(kind, JsonKind) else Field(kind, allow_none=True)


_make_class: Any = type(Record)
Specimen = _make_class(
    "Specimen",
    (Record,),
    {
        "__module__": __name__,
        "number": Integer(primary=True),
        **{field_name(kind): _field(kind) for kind in ALL_KINDS},
    },
)

CATALOGUE = catalogue_of([Specimen])
SPECIMEN = CATALOGUE.records["specimen"]
FIELD_NAMES = [field_name(kind) for kind in ALL_KINDS]


def empty_row(number: int) -> Row:
    """A specimen whose every field is NULL."""
    return {"number": number, **dict.fromkeys(FIELD_NAMES)}


def extreme_rows() -> list[Row]:
    """Specimens that hold all samples between them, and one of NULLs."""
    columns = [
        [(field_name(kind), sample.kind.check(sample.value)) for sample in _samples_of(kind)]
        for kind in ALL_KINDS
    ]
    rows = [
        empty_row(number) | dict(pair for pair in part if pair is not None)
        for number, part in enumerate(zip_longest(*columns), start=1)
    ]
    return [*rows, empty_row(0)]


def _samples_of(kind: Kind) -> list[Any]:
    """The samples of one kind."""
    return [sample for sample in SAMPLES if sample.kind == kind]
