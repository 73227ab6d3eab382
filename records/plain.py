"""Plain Storm properties in a record class: which kind of value each one holds."""

from __future__ import annotations

from typing import Any

from storm import variables
from storm.properties import Property

from records.errors import DeclarationError
from records.fields import MISSING, Field
from records.kinds.base import Kind
from records.kinds.binary import LongBytesKind
from records.kinds.documents import JsonKind
from records.kinds.numbers import BooleanKind, DecimalKind, FloatKind, IntegerKind
from records.kinds.text import LongTextKind, TextKind
from records.kinds.times import DateKind, DateTimeKind

_KINDS: dict[type, Kind] = {
    variables.BoolVariable: BooleanKind(),
    variables.IntVariable: IntegerKind(),
    variables.FloatVariable: FloatKind(),
    variables.DecimalVariable: DecimalKind(65, 30),
    variables.BytesVariable: LongBytesKind(),
    variables.UnicodeVariable: LongTextKind(),
    variables.DateTimeVariable: DateTimeKind(),
    variables.DateVariable: DateKind(),
    variables.JSONVariable: JsonKind(),
}
"""Storm's properties whose form in the database is the same as ours."""

_LONGEST_KEY_TEXT = 191
"""Characters of a text key declared without a length; it fits every index format of InnoDB."""


def kind_of(prop: Property) -> Kind:
    """The kind of a field or a plain Storm property.

    Raises DeclarationError for Storm properties that MySQL cannot keep faithfully.
    """
    if isinstance(prop, Field):
        return prop.kind
    kind = _KINDS.get(prop._variable_class)
    if kind is None:
        name = type(prop).__name__
        raise DeclarationError([f"Storm's {name} cannot be kept without loss; use a field"])
    if prop._primary and isinstance(kind, LongTextKind):
        return TextKind(_LONGEST_KEY_TEXT)
    return kind


def is_kept(prop: Property) -> bool:
    """Whether the property is of a kind that MySQL keeps."""
    return isinstance(prop, Field) or prop._variable_class in _KINDS


def options_of(prop: Property) -> dict[str, Any]:
    """What a field or plain Storm property says of NULL, default and validator."""
    if isinstance(prop, Field):
        return {
            name: getattr(prop, name)
            for name in ("allow_none", "default", "unique", "index", "validator", "reference")
        }
    options = prop._variable_kwargs
    default = options.get("value", variables.Undef)
    factory = options.get("value_factory", variables.Undef)
    given = factory if factory is not variables.Undef else default
    return {
        "allow_none": options.get("allow_none", True) and not prop._primary,
        "default": MISSING if given is variables.Undef else given,
        "unique": False,
        "index": False,
        "validator": options.get("validator"),
        "reference": None,
    }
