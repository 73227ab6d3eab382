"""Values in columns, typed and exact: what a table's column holds over many rows.

A column is one *run* of values of one family; None may stand in each. A column whose values are of
several families, which a database column never is by itself, is several runs one after another.
So every type is checked by the decoder itself, and none is named once a value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import chain, groupby, repeat
from types import NoneType
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from records.states import Value
from service.herd.faults import OURS, THEIRS, Side, WireFault
from service.herd.wire.numbering import MOST_ITEMS

_DECIMAL = re.compile(r"-?(?=[\d.]{1,67}(?:E|\Z))\d+(?:\.\d+)?(?:E[+-]\d{1,2})?", re.ASCII)
"""As Python writes a DECIMAL: 65 digits at most (with a zero before the point), small exponents."""


_LOWEST, _HIGHEST = -(2**63), 2**64 - 1


_FEW = msgspec.Meta(max_length=MOST_ITEMS)


class Numbers(msgspec.Struct, array_like=True, frozen=True, tag=0):
    """Integers of 64 bits, with or without sign, and floats."""

    values: Annotated[tuple[int | float | None, ...], _FEW]


class Texts(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """Texts."""

    values: Annotated[tuple[str | None, ...], _FEW]


class Binaries(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """Bytes."""

    values: Annotated[tuple[bytes | None, ...], _FEW]


class Decimals(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """Decimal numbers, as text: with every digit they had."""

    values: Annotated[tuple[str | None, ...], _FEW]


Run: TypeAlias = Numbers | Texts | Binaries | Decimals
Column: TypeAlias = Annotated[tuple[Run, ...], _FEW]

_FAMILIES: dict[type, type[Run]] = {
    NoneType: Numbers,
    int: Numbers,
    float: Numbers,
    str: Texts,
    bytes: Binaries,
    Decimal: Decimals,
}

_Unit = TypeVar("_Unit")


def pack_column(values: Sequence[Value], where: str) -> Column:
    """The column on the wire; raises WireFault, which names the place, for what it cannot hold."""
    kinds = {*map(type, values)}
    unknown = kinds - _FAMILIES.keys()
    if unknown:
        names = ", ".join(sorted(kind.__name__ for kind in unknown))
        raise WireFault(OURS, "wire.value", f"{where} holds a value that cannot be sent ({names})")
    _require_64_bits(values, kinds, where)
    _require_finite(values, kinds, OURS, where)
    families = {_FAMILIES[kind] for kind in kinds - {NoneType}}
    if len(families) > 1:
        return tuple(
            _pack_run(family, tuple(some), where)
            for family, some in groupby(values, lambda value: _FAMILIES[type(value)])
        )
    return (_pack_run(families.pop() if families else Numbers, tuple(values), where),)


def unpack_column(column: Column, where: str) -> tuple[Value, ...]:
    """The values of a column from the wire; raises WireFault."""
    if len(column) == 1:
        return _unpack_run(column[0], where)
    return tuple(chain.from_iterable(_unpack_run(run, where) for run in column))


def turned(columns: Sequence[Sequence[_Unit]], count: int) -> Iterable[tuple[_Unit, ...]]:
    """Columns as rows, `count` of them if there is no column; unequal ones raise ValueError."""
    return zip(*columns, strict=True) if columns else repeat((), count)


def _pack_run(family: type[Run], values: tuple[Any, ...], where: str) -> Run:
    if family is Decimals:
        values = _converted(values, str)
        _require_decimals(values, OURS, where)
    return family(values)


def _unpack_run(run: Run, where: str) -> tuple[Value, ...]:
    if isinstance(run, Decimals):
        _require_decimals(run.values, THEIRS, where)
        return _converted(run.values, Decimal)
    if isinstance(run, Numbers):
        _require_finite(run.values, {*map(type, run.values)}, THEIRS, where)
    return run.values


def _converted(values: Iterable[Any], change: Callable[[Any], Any]) -> tuple[Any, ...]:
    return tuple(None if value is None else change(value) for value in values)


def _require_64_bits(values: Iterable[Value], kinds: set[type], where: str) -> None:
    """The wire has no room for more."""
    if int in kinds:
        for value in values:
            if type(value) is int and not _LOWEST <= value <= _HIGHEST:
                raise WireFault(OURS, "wire.value", f"{where} holds an integer beyond 64 bits")


def _require_finite(values: Iterable[Value], kinds: set[type], side: Side, where: str) -> None:
    """No server stores what is not a number, and it would equal nothing, not even itself."""
    if float in kinds:
        for value in values:
            if type(value) is float and not math.isfinite(value):
                raise WireFault(side, "wire.value", f"{where} holds {value}, which is no number")


def _require_decimals(texts: Iterable[str | None], side: Side, where: str) -> None:
    for text in texts:
        if text is not None and not _DECIMAL.fullmatch(text):
            problem = f"{where} holds a decimal that no column has: {text[:80]}"
            raise WireFault(side, "wire.value", problem)
