"""From the `where` of a call to conditions.

condition = [field, operator, value] | ["and", condition…] | ["or", condition…]
          | ["not", condition]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from service.methods.operators import MOST_VALUES, OPERATORS, read_operator
from service.methods.problems import Place, Problems
from service.methods.query import Comparison, Condition, Every, Not, Path, Some

MOST_LEVELS = 20
"""Conditions within conditions. What people and programs write by hand has fewer than ten."""

_CONNECTIVES = ("and", "or", "not")
_SHAPE = 'a condition is a list: ["name", "=", "x"], ["and", …], ["or", …] or ["not", …]'


class ConditionParser:
    """Reads one `where`; every mistake in it is noted, with its place."""

    def __init__(self, find_path: Callable[[object], Path], problems: Problems) -> None:
        self._find_path = find_path
        self._problems = problems
        self._values = 0

    def parse(self, data: object, place: Place) -> Condition | None:
        """The condition that stands at `place`, or None where it has mistakes."""
        before = len(self._problems.failures)
        condition = self._condition(data, place, 1)
        if self._values > MOST_VALUES:
            self._problems.add(
                "where.too_large",
                f"more than {MOST_VALUES} values; split the list or ask several times",
                place,
            )
        return condition if len(self._problems.failures) == before else None

    def _condition(self, data: object, place: Place, level: int) -> Condition | None:
        """Any condition, unless there were too many before it."""
        if self._values > MOST_VALUES:
            return None
        if not isinstance(data, list) or len(data) < 2:
            return self._refuse("where.malformed", _SHAPE, place)
        if level > MOST_LEVELS:
            return self._refuse("where.too_deep", f"more than {MOST_LEVELS} levels", place)
        # A field may be called `and`; its operator is text, where a condition is a list.
        if data[0] in _CONNECTIVES and not isinstance(data[1], str):
            return self._connected(data, place, level)
        return self._comparison(data, place)

    def _connected(self, data: list[Any], place: Place, level: int) -> Condition | None:
        """Conditions joined by and, or, not."""
        found = [
            self._condition(part, (*place, number), level + 1)
            # Each counts for a value at least; those beyond are refused unseen.
            for number, part in enumerate(data[1 : MOST_VALUES + 2], 1)
        ]
        parts = tuple(part for part in found if part is not None)
        if data[0] == "not":
            if len(found) != 1:
                return self._refuse("where.malformed", "not takes one condition", place)
            return Not(parts[0]) if parts else None
        return Every(parts) if data[0] == "and" else Some(parts)

    def _comparison(self, data: list[Any], place: Place) -> Condition | None:
        """A field, an operator and a value."""
        if len(data) != 3:
            return self._refuse("where.malformed", _SHAPE, place)
        name, operator, value = data
        self._values += max(1, len(value)) if isinstance(value, list) else 1
        path = self._problems.attempt((*place, 0), lambda: self._find_path(name))
        if path is None:
            return None
        known = self._problems.attempt(
            (*place, 1),
            lambda: read_operator(path.name, path.kind, operator, self._problems.suggest),
        )
        if known is None:
            return None
        # None is a value here, so what was refused shows in the failures and not in the result.
        plain = self._problems.attempt((*place, 2), lambda: OPERATORS[known](path.kind, value))
        return Comparison(path, known, plain)

    def _refuse(self, code: str, message: str, place: Place) -> Condition | None:
        """Note a mistake; there is no condition then, but it counts like one."""
        self._values += 1
        self._problems.add(code, message, place)
        return None
