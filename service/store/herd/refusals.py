"""What the database refuses, told by rows: which ones it is, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from MySQLdb import Error as DriverError

from service.herd.shapes import Place
from service.store.database import error_number
from service.store.packets import TOO_LONG
from service.store.sealing.troubles import is_everybodys
from service.store.translation import constraint_named, is_of_the_server

Item = TypeVar("Item")
Write = Callable[[Sequence[Item]], object]

_DUPLICATE, _REFERRED, _NO_PARENT = 1062, 1451, 1452
_SIGNAL = 1644
_CHECKS = frozenset({3819, 4025})

COLLISIONS = frozenset({_DUPLICATE, _REFERRED, _NO_PARENT, 1761})
"""What was planned with care is refused like this only where somebody else wrote in between."""

_TEXTS: Mapping[int, str] = {
    _DUPLICATE: "another row has its unique value",
    1761: "another row has its unique value",
    _REFERRED: "another row refers to it",
    _NO_PARENT: "the row that it refers to is not there",
    1048: "a column that may not be empty is",
    1364: "a column that may not be empty is",
    1264: "a number is out of its column's range",
    1265: "a value does not fit its column",
    1292: "a value does not fit its column",
    1366: "a value does not fit its column",
    1406: "a value is too long for its column",
    3140: "a value is no JSON",
}


class RowsRefused(Exception):
    """The database did not take some rows; `texts` say why, `collided` whether others caused it."""

    def __init__(self, texts: Mapping[Place, str], *, collided: bool) -> None:
        super().__init__(f"{len(texts)} rows are refused")
        self.texts = texts
        self.collided = collided


def write_all(items: Sequence[Item], place: Callable[[Item], Place], write: Write[Item]) -> None:
    """Write some rows together.

    Raises RowsRefused where it is single rows that the database does not take; then it is unknown
    which of the others were written. Raises the driver's error for whatever else it refuses.
    """
    try:
        write(items)
    except DriverError as error:
        if not is_of_rows(error):
            raise
        odd = [(place(item), one) for item, one in apart(items, write)]
        if not odd and error_number(error) == TOO_LONG:
            # They were too much for one statement only.
            return
        # Where single rows are at fault, others collide only with what that left undone.
        faults = [(at, one) for at, one in odd if error_number(one) not in COLLISIONS]
        texts = {at: text_of(one) for at, one in faults or odd}
        raise RowsRefused(texts, collided=not faults) from error


def apart(items: Sequence[Item], write: Write[Item]) -> list[tuple[Item, DriverError]]:
    """Do it by halves; the items with which it cannot be done, and what was said of them."""
    odd: list[tuple[Item, DriverError]] = []
    parts = [items] if items else []
    while parts:
        part = parts.pop()
        try:
            write(part)
        except DriverError as error:
            if not is_of_rows(error):
                raise
            if len(part) == 1:
                odd.append((part[0], error))
            else:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
    return odd


def is_of_rows(error: DriverError) -> bool:
    """Whether it may be single rows that the database does not take."""
    if error_number(error) == TOO_LONG:
        return True
    return not (is_everybodys(error) or is_of_the_server(error))


def text_of(error: DriverError) -> str:
    """Why a row is refused, without SQL."""
    number = error_number(error)
    if number == _SIGNAL:
        return f"a trigger refuses it: {error.args[1]}"
    if number == TOO_LONG:
        return f"{error.args[1]}, then try it again with held.retry"
    if number in _CHECKS:
        named = constraint_named(error)
        return f"the CHECK {named} does not hold" if named else "a CHECK does not hold"
    return _TEXTS.get(number or 0, f"error {number} of the database")
