"""Fields: Storm properties that know their kind.

A field is declared like a Storm property and is one. Its values go through the field's kind, so an
assignment that does not fit fails at once, with the kind's message.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from storm import Undef
from storm.expr import COLUMN, compile_column
from storm.expr import compile as compile_expression
from storm.properties import PropertyColumn, SimpleProperty
from storm.variables import MutableValueVariable, Variable

from records.kinds.base import Kind
from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.choices import EnumKind, SetKind
from records.kinds.documents import JsonKind
from records.kinds.identifiers import UuidKind
from records.kinds.network import AddressKind, CidrKind
from records.kinds.numbers import BitsKind, BooleanKind, DecimalKind, FloatKind, IntegerKind
from records.kinds.text import BINARY_COLLATION, FixedTextKind, LongTextKind, TextKind
from records.kinds.times import DateKind, DateTimeKind, TimeKind, TimestampKind, YearKind

MISSING: Any = object()
"""No default was declared."""

Validator = Callable[[Any, str, Any], Any]
"""Storm's: called with (object or None, attribute name, value), gives the value to keep."""


class KindVariable(Variable):  # type: ignore[misc]  # Storm has no types
    """One value of one object, converted by its field's kind."""

    def __init__(self, *args: Any, kind: Kind, **kwargs: Any) -> None:
        self._kind = kind
        super().__init__(*args, **kwargs)

    def parse_set(self, value: Any, from_db: bool) -> Any:
        """Storm's hook: what is kept for a value that was assigned or read."""
        return self._kind.from_database(value) if from_db else self._kind.check(value)

    def parse_get(self, value: Any, to_db: bool) -> Any:
        """Storm's hook: what is given out for the kept value."""
        return self._kind.to_database(value) if to_db else value

    def copy(self) -> KindVariable:
        """Storm's hook: a variable of the same state; Storm's own forgets the kind."""
        twin = type(self).__new__(type(self))
        twin._kind = self._kind
        twin.set_state(self.get_state())
        return twin


class DocumentVariable(KindVariable, MutableValueVariable):  # type: ignore[misc]  # no types
    """A JSON document: a change inside it counts as a change of the field."""

    def parse_get(self, value: Any, to_db: bool) -> Any:
        """Storm's hook: what is given out; a change made inside the document is checked here."""
        return self._kind.to_database(self._kind.check(value)) if to_db else value

    def get_state(self) -> Any:
        """Storm's hook: the document as text, so that a change inside it shows."""
        held = self._value
        if held is None or held is Undef:
            return self._lazy_value, held
        try:
            return self._lazy_value, self._kind.to_database(held)
        except (TypeError, ValueError, RecursionError):
            # Storm also asks when an object ends, where nobody could be told what is wrong.
            return self._lazy_value, held

    def set_state(self, state: Any) -> None:
        """Storm's hook: back to an earlier state."""
        self._lazy_value, frozen = state
        self._value = self._kind.from_database(frozen) if isinstance(frozen, str) else frozen


class LosslessColumn(PropertyColumn):  # type: ignore[misc]  # Storm has no types
    """A column that must be read through an expression to come out whole (FLOAT)."""


@compile_expression.when(LosslessColumn)  # type: ignore[untyped-decorator]  # Storm has no types
def _compile_lossless(compiler: Any, column: LosslessColumn, state: Any) -> str:
    """Storm's hook: only reading needs the expression."""
    text: str = compile_column(compiler, column, state)
    kind: Kind = column.variable_factory.keywords["kind"]
    return kind.column_expression(text) if state.context is COLUMN else text


class Field(SimpleProperty):  # type: ignore[misc]  # Storm has no types
    """One column of a record.

    `name` overrides the column's name. `allow_none` lets it be NULL (off unless said). `default`
    is a value, or a function called for each new record. `unique` and `index` make a key of this
    one column. `validator` is Storm's.
    """

    variable_class = KindVariable

    def __init__(
        self,
        kind: Kind,
        *,
        name: str | None = None,
        primary: bool | int = False,
        allow_none: bool = False,
        default: Any = MISSING,
        unique: bool = False,
        index: bool = False,
        validator: Validator | None = None,
    ) -> None:
        self.kind = kind
        self.column = name
        self.primary = int(primary)
        self.allow_none = allow_none
        self.default = default
        self.unique = unique
        self.index = index
        self.validator = validator
        self.reference: str | None = None
        super().__init__(name, self.primary, **self._storm_options())

    def _storm_options(self) -> dict[str, Any]:
        """The keywords of Storm's own property."""
        options: dict[str, Any] = {"kind": self.kind, "allow_none": self.allow_none}
        if callable(self.default):
            options["default_factory"] = self.default
        elif self.default is not MISSING:
            # Each object needs a document of its own.
            options["default_factory"] = partial(copy.deepcopy, self.default)
        if self.validator is not None:
            options["validator"] = self.validator
        return options

    def _get_column(self, cls: type) -> PropertyColumn:
        """Storm's hook: the column of this property in a class."""
        column = super()._get_column(cls)
        if self.kind.column_expression("") and type(column) is PropertyColumn:
            # Storm builds the column itself and offers no place to name its class.
            column.__class__ = LosslessColumn
        return column


class Integer(Field):
    """A whole number: BIGINT, or `bits` of 8, 16, 24, 32; `unsigned` if asked."""

    def __init__(self, *, bits: int = 64, unsigned: bool = False, **options: Any) -> None:
        super().__init__(IntegerKind(bits, unsigned), **options)


class Boolean(Field):
    """True or false: BOOLEAN."""

    def __init__(self, **options: Any) -> None:
        super().__init__(BooleanKind(), **options)


class Bits(Field):
    """Up to 64 bits as a whole number: BIT(length)."""

    def __init__(self, *, length: int = 1, **options: Any) -> None:
        super().__init__(BitsKind(length), **options)


class Decimal(Field):
    """An exact number: DECIMAL(precision, scale)."""

    def __init__(self, *, precision: int, scale: int = 0, **options: Any) -> None:
        super().__init__(DecimalKind(precision, scale), **options)


class Float(Field):
    """A number in single precision: FLOAT. What is assigned is rounded to the nearest single."""

    def __init__(self, **options: Any) -> None:
        super().__init__(FloatKind(single=True), **options)


class Double(Field):
    """A number in double precision: DOUBLE."""

    def __init__(self, **options: Any) -> None:
        super().__init__(FloatKind(), **options)


class Text(Field):
    """Text: VARCHAR(length), or without a length TEXT of `size` tiny, "", medium or long."""

    def __init__(
        self,
        *,
        length: int | None = None,
        size: str = "",
        collation: str = BINARY_COLLATION,
        **options: Any,
    ) -> None:
        kind = LongTextKind(size, collation) if length is None else TextKind(length, collation)
        super().__init__(kind, **options)


class FixedText(Field):
    """Text without trailing spaces: CHAR(length)."""

    def __init__(self, *, length: int, collation: str = BINARY_COLLATION, **options: Any) -> None:
        super().__init__(FixedTextKind(length, collation), **options)


class Bytes(Field):
    """Bytes: VARBINARY(length), or without a length BLOB of `size` tiny, "", medium or long."""

    def __init__(self, *, length: int | None = None, size: str = "", **options: Any) -> None:
        kind = LongBytesKind(size) if length is None else BytesKind(length)
        super().__init__(kind, **options)


class FixedBytes(Field):
    """Exactly `length` bytes: BINARY(length)."""

    def __init__(self, *, length: int, **options: Any) -> None:
        super().__init__(FixedBytesKind(length), **options)


class Date(Field):
    """A day: DATE."""

    def __init__(self, **options: Any) -> None:
        super().__init__(DateKind(), **options)


class DateTime(Field):
    """A moment, kept in UTC: DATETIME(precision)."""

    def __init__(self, *, precision: int = 6, **options: Any) -> None:
        super().__init__(DateTimeKind(precision), **options)


class Timestamp(Field):
    """A moment between 1970 and 2038: TIMESTAMP(precision)."""

    def __init__(self, *, precision: int = 6, **options: Any) -> None:
        super().__init__(TimestampKind(precision), **options)


class Time(Field):
    """A span or a time of day: TIME(precision)."""

    def __init__(self, *, precision: int = 6, **options: Any) -> None:
        super().__init__(TimeKind(precision), **options)


class Year(Field):
    """A year from 1901 to 2155: YEAR."""

    def __init__(self, **options: Any) -> None:
        super().__init__(YearKind(), **options)


class Enum(Field):
    """One of some values: ENUM."""

    def __init__(self, values: Sequence[str], **options: Any) -> None:
        super().__init__(EnumKind(tuple(values)), **options)


class Set(Field):
    """Any of some values: SET."""

    def __init__(self, values: Sequence[str], **options: Any) -> None:
        super().__init__(SetKind(tuple(values)), **options)


class Json(Field):
    """A JSON document: JSON."""

    variable_class = DocumentVariable

    def __init__(self, **options: Any) -> None:
        super().__init__(JsonKind(), **options)


class Uuid(Field):
    """A UUID: BINARY(16)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(UuidKind(), **options)


class Address(Field):
    """An IPv4 or IPv6 address: BINARY(16)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(AddressKind(), **options)


class Cidr(Field):
    """An IPv4 or IPv6 block: BINARY(17)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(CidrKind(), **options)
