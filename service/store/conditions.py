"""From conditions to SQL.

A condition is true or false: what would be NULL in SQL counts as false, also below a `not`. So the
negation of a comparison is made here, from the comparison and from NULL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from records.catalogue import Catalogue
from records.kinds.choices import EnumKind
from records.values import RecordInfo
from service.methods.query import Comparison, Condition, Every, Not, Path
from service.store import blocks, sql


@dataclass(frozen=True)
class Fragment:
    """Some SQL and its parameters, ready for the driver."""

    text: str
    parameters: tuple[Any, ...] = ()


TRUE, FALSE = Fragment("TRUE"), Fragment("FALSE")


def joined(fragments: Iterable[Fragment], word: str) -> Fragment:
    """Fragments with AND or OR between."""
    parts = list(fragments)
    if len(parts) == 1:
        return parts[0]
    text = f" {word} ".join(part.text for part in parts)
    return Fragment(f"({text})", tuple(value for part in parts for value in part.parameters))


class Source:
    """The table of a record, and the tables of those parents whose fields are asked for."""

    def __init__(self, catalogue: Catalogue, record: RecordInfo) -> None:
        self._catalogue = catalogue
        self._tables: dict[tuple[str, ...], tuple[RecordInfo, str]] = {(): (record, "t0")}
        self._text = f"{sql.quoted(record.table)} AS t0"

    @property
    def text(self) -> str:
        """What stands after FROM; whole once every column was asked for."""
        return self._text

    def column(self, path: Path) -> str:
        """The qualified column of a field; its table is joined if it must be.

        A key field of a parent stands in the child as well, and needs no join.
        """
        steps, field = path.steps, path.info.name
        while steps:
            child, _alias = self._table(steps[:-1])
            reference = child.references[steps[-1]]
            if field not in reference.target_fields:
                break
            field = reference.fields[reference.target_fields.index(field)]
            steps = steps[:-1]
        record, alias = self._table(steps)
        return f"{alias}.{sql.column(record, field)}"

    def _table(self, steps: tuple[str, ...]) -> tuple[RecordInfo, str]:
        """The record and the alias at the end of some steps."""
        if steps not in self._tables:
            child, child_alias = self._table(steps[:-1])
            reference = child.references[steps[-1]]
            parent, alias = self._catalogue.records[reference.target], f"t{len(self._tables)}"
            pairs = zip(reference.target_fields, reference.fields, strict=True)
            matches = " AND ".join(
                f"{alias}.{sql.column(parent, there)} = {child_alias}.{sql.column(child, here)}"
                for there, here in pairs
            )
            # LEFT also below an optional parent: an inner join there would drop the record.
            self._text += f" LEFT JOIN {sql.quoted(parent.table)} AS {alias} ON {matches}"
            self._tables[steps] = parent, alias
        return self._tables[steps]


def compile_condition(source: Source, condition: Condition, negated: bool = False) -> Fragment:
    """The condition, or its negation, as SQL that holds for the same rows."""
    if isinstance(condition, Not):
        return compile_condition(source, condition.condition, not negated)
    if isinstance(condition, Comparison):
        return _comparison(source, condition, negated)
    parts = [compile_condition(source, part, negated) for part in condition.conditions]
    # De Morgan: a negated "and" is an "or" of negations.
    all_of_them = isinstance(condition, Every) != negated
    if not parts:
        return TRUE if all_of_them else FALSE
    return joined(parts, "AND" if all_of_them else "OR")


def ordered_value(path: Path, value: Any) -> Any:
    """What `<` and its like compare with: an ENUM has the order of its declaration.

    Both servers compare an ENUM with a number by its place in that order.
    """
    if isinstance(path.kind, EnumKind):
        return path.kind.values.index(value) + 1
    return path.kind.to_database(value)


def _comparison(source: Source, comparison: Comparison, negated: bool) -> Fragment:
    """One comparison or its negation."""
    path, operator, value = comparison.path, comparison.operator, comparison.value
    column = source.column(path)
    if operator in ("!=", "not_in"):
        operator, negated = ("=" if operator == "!=" else "in"), not negated
    if operator == "is_null":
        return Fragment(f"{column} IS {'NULL' if value != negated else 'NOT NULL'}")
    if operator in ("=", "in"):
        values = value if operator == "in" else (value,)
        return _among(path, column, values, negated)
    asked = _asked(path, column, operator, value)
    return asked if not negated else _negation(path, column, asked)


def _among(path: Path, column: str, values: tuple[Any, ...], negated: bool) -> Fragment:
    """Whether the field has one of the values; null is one like any other."""
    given = tuple(path.kind.to_database(value) for value in values if value is not None)
    with_null = len(given) < len(values)
    found = Fragment(f"{column} IN ({sql.marks(len(given))})", given) if given else FALSE
    if len(given) == 1:
        found = Fragment(f"{column} = ?", given)
    if not negated:
        return joined([found, Fragment(f"{column} IS NULL")], "OR") if with_null else found
    other = Fragment(f"NOT ({found.text})", found.parameters)
    if with_null:
        return joined([other, Fragment(f"{column} IS NOT NULL")], "AND")
    return joined([other, Fragment(f"{column} IS NULL")], "OR") if path.allow_none else other


def _negation(path: Path, column: str, asked: Fragment) -> Fragment:
    """The rows for which something does not hold; it never holds for NULL."""
    other = Fragment(f"NOT ({asked.text})", asked.parameters)
    return joined([other, Fragment(f"{column} IS NULL")], "OR") if path.allow_none else other


def _asked(path: Path, column: str, operator: str, value: Any) -> Fragment:
    """A comparison that is never true for NULL."""
    if operator == "like":
        return Fragment(f"{column} LIKE ?", (value,))
    if operator == "starts_with":
        return Fragment(f"{column} LIKE ?", (_escaped(value) + "%",))
    if operator == "within":
        ranges = blocks.within(path.kind, value)
        return joined((Fragment(f"{column} BETWEEN ? AND ?", pair) for pair in ranges), "OR")
    if operator == "contains":
        around = blocks.around(value)
        return Fragment(f"{column} IN ({sql.marks(len(around))})", around)
    return Fragment(f"{column} {operator} ?", (ordered_value(path, value),))


def _escaped(text: str) -> str:
    """Text that LIKE takes literally, by the escape character both servers begin with."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
