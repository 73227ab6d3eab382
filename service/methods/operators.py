"""Which operators the fields of each kind have, and what stands on their right side.

`=` and `!=` take null for a value like any other, and so do `in` and `not_in`. Every other
comparison with null is false. An ENUM has the order of its declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from records.errors import ValueRefused
from records.kinds.base import Kind
from records.kinds.binary import BytesKind, LongBytesKind
from records.kinds.choices import SetKind
from records.kinds.documents import JsonKind
from records.kinds.network import AddressKind, CidrKind
from records.kinds.numbers import BooleanKind
from records.kinds.text import LongTextKind, TextKind, require_unicode
from records.validation import Suggest

MOST_VALUES = 1_000
"""Values in one `where`, all lists together: the largest page of keys, asked for again."""

_LONGEST_SHOWN = 20
_BLOCK, _ADDRESS = CidrKind(), AddressKind()


def _one(kind: Kind, value: object) -> Any:
    """A value of the field, or null."""
    return None if value is None else kind.from_json(value)


def _comparable(kind: Kind, value: object) -> Any:
    """A value of the field; nothing is smaller or larger than null."""
    if value is None:
        raise ValueRefused("value.null", "null has no order; use is_null")
    return kind.from_json(value)


def _several(kind: Kind, value: object) -> tuple[Any, ...]:
    """A list of values of the field."""
    if not isinstance(value, list):
        raise ValueRefused("value.wrong_type", "in and not_in need a list of values")
    if len(value) > MOST_VALUES:
        raise ValueRefused(
            "where.too_large", f"{len(value)} values, where at most {MOST_VALUES} may be"
        )
    return tuple(_one(kind, item) for item in value)


def _truth(_kind: Kind, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueRefused("value.wrong_type", "is_null needs true or false")
    return value


def _text(_kind: Kind, value: object) -> str:
    """A pattern or a beginning; it may be longer than the field."""
    return require_unicode(value)


def _block(_kind: Kind, value: object) -> Any:
    """A network block."""
    return _BLOCK.from_json(value)


def _block_or_address(_kind: Kind, value: object) -> Any:
    """A network block, or an address as the block of one."""
    if isinstance(value, str) and "/" not in value:
        address = _ADDRESS.from_json(value)
        return _BLOCK.from_json(f"{address}/{32 if address.version == 4 else 128}")
    return _BLOCK.from_json(value)


Reading = Callable[[Kind, object], Any]

_NULL: dict[str, Reading] = {"is_null": _truth}
_EQUAL: dict[str, Reading] = {"=": _one, "!=": _one}
_LISTED: dict[str, Reading] = {"in": _several, "not_in": _several}
_ORDERED: dict[str, Reading] = {
    "<": _comparable,
    "<=": _comparable,
    ">": _comparable,
    ">=": _comparable,
}
_TEXTUAL: dict[str, Reading] = {"like": _text, "starts_with": _text}

OPERATORS: Mapping[str, Reading] = MappingProxyType(
    _EQUAL
    | _ORDERED
    | _LISTED
    | _TEXTUAL
    | {"within": _block, "contains": _block_or_address}
    | _NULL
)
"""Every operator, with what reads its right side."""

_USUAL = (*_EQUAL, *_ORDERED, *_LISTED, *_NULL)

_BY_KIND: tuple[tuple[type[Kind], tuple[str, ...]], ...] = (
    (JsonKind, tuple(_NULL)),
    (SetKind, (*_EQUAL, *_NULL)),
    (BooleanKind, (*_EQUAL, *_LISTED, *_NULL)),
    (TextKind, (*_USUAL, *_TEXTUAL)),
    (LongTextKind, (*_USUAL, *_TEXTUAL)),
    (AddressKind, (*_USUAL, "within")),
    (CidrKind, (*_USUAL, "within", "contains")),
    (Kind, _USUAL),
)

_UNSORTED = (JsonKind, SetKind)

LONGEST_SORTED_TEXT, LONGEST_SORTED_BYTES = 255, 1_000
"""Fields that may hold more are sorted by this beginning, which keeps cursors and the servers' sort
buffers small. Sessions let 8,192 bytes of a value decide (`max_sort_length`): enough for such a
beginning at 32 bytes a character, and for a whole key of 768 characters at ten, so that pages
continue where the server's own order did."""


def is_sortable(kind: Kind) -> bool:
    """Whether a list can be sorted by it: documents and sets have no order."""
    return not isinstance(kind, _UNSORTED)


def sorted_beginning(kind: Kind) -> int | None:
    """How many characters or bytes of a value a list is sorted by; None where it is all of it."""
    if isinstance(kind, LongTextKind) or (
        isinstance(kind, TextKind) and kind.length > LONGEST_SORTED_TEXT
    ):
        return LONGEST_SORTED_TEXT
    if isinstance(kind, LongBytesKind) or (
        isinstance(kind, BytesKind) and kind.length > LONGEST_SORTED_BYTES
    ):
        return LONGEST_SORTED_BYTES
    return None


def operators_of(kind: Kind) -> tuple[str, ...]:
    """The operators of a field of this kind."""
    return next(names for cls, names in _BY_KIND if isinstance(kind, cls))


def read_operator(field: str, kind: Kind, operator: object, suggest: Suggest) -> str:
    """The operator, if the field has it; raises ValueRefused, naming those that it has."""
    possible = operators_of(kind)
    if isinstance(operator, str) and operator in possible:
        return operator
    listed = f"{field} has {', '.join(possible)}"
    if isinstance(operator, str) and operator in OPERATORS:
        raise ValueRefused(
            "operator.not_possible", f"{operator} cannot be asked of {field}; {listed}"
        )
    shown = operator[:_LONGEST_SHOWN] if isinstance(operator, str) else ""
    said = f"{shown or 'this'} is no operator{suggest(shown, possible)}"
    raise ValueRefused("operator.unknown", f"{said}; {listed}")
