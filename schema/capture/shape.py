"""What is captured of one table, as a value that a revision file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

CASCADE = "cascade"
SET_NULL = "set_null"

PLAIN = "plain"
BYTES = "bytes"
FLOATING = "floating"
"""How two values of a column are compared: as the server does (`plain`), byte by byte (`bytes`:
text, JSON and what is long, where collations and padding would hide a change), or as numbers with
the sign of zero (`floating`)."""

COMPARISONS = (PLAIN, BYTES, FLOATING)

INTEGER, BINARY, TEXT, MOMENT, BITS = "integer", "binary", "text", "moment", "bits"
"""How a part of the key becomes bytes; see `schema.capture.row_key`."""

KEY_FORMS = (INTEGER, BINARY, TEXT, MOMENT, BITS)


@dataclass(frozen=True)
class CapturedColumn:
    """One column.

    Its number is given once and never again, also when the column is gone: changelogs and clocks
    know columns by it. A renamed column keeps it.
    """

    number: int
    name: str
    comparison: str


@dataclass(frozen=True)
class KeyPart:
    """One column of the primary key, and how it becomes bytes."""

    name: str
    form: str


@dataclass(frozen=True)
class ChildRule:
    """What becomes of the children in `table` when a row is deleted: `cascade` or `set_null`.

    `columns` of the child hold the values of `parent_columns` here.
    """

    table: str
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    on_delete: str

    def renamed(self, parents: Mapping[str, str], children: Mapping[str, str]) -> ChildRule:
        """The same with other names for some columns of the parent and of the child."""
        return replace(
            self,
            columns=tuple(children.get(name, name) for name in self.columns),
            parent_columns=tuple(parents.get(name, name) for name in self.parent_columns),
        )


@dataclass(frozen=True)
class Capture:
    """What is captured of one table.

    `columns` are ordered by number. `children` are in the order in which they are to go: those that
    refer to others of them first. `last_number` is the highest number ever given to a column.
    `groups` are the numbers of columns that are written together, in order: a change of one is a
    change of its whole group.
    """

    table: str
    key: tuple[KeyPart, ...]
    columns: tuple[CapturedColumn, ...]
    children: tuple[ChildRule, ...] = ()
    last_number: int = 0
    groups: tuple[tuple[int, ...], ...] = ()

    @property
    def numbers(self) -> Mapping[int, str]:
        """The columns by number."""
        return {column.number: column.name for column in self.columns}

    def numbered_like(self, known: Capture | None) -> Capture:
        """The same with the numbers of an earlier capture; new columns get new ones."""
        given = {} if known is None else {column.name: column.number for column in known.columns}
        last = 0 if known is None else known.last_number
        columns = []
        for column in self.columns:
            number = given.get(column.name)
            if number is None:
                number = last = last + 1
            columns.append(replace(column, number=number))
        ordered = tuple(sorted(columns, key=lambda column: column.number))
        now = {old.number: new.number for old, new in zip(self.columns, columns, strict=True)}
        groups = tuple(sorted(tuple(sorted(map(now.__getitem__, group))) for group in self.groups))
        return replace(self, columns=ordered, last_number=last, groups=groups)

    def covers(self, wanted: Capture) -> bool:
        """Whether nothing that is wanted is missing here; there may be more.

        That is further columns, and groups of more columns.
        """
        same = (self.key, self.children) == (wanted.key, wanted.children)
        grouped = all(any({*ours} >= {*theirs} for ours in self.groups) for theirs in wanted.groups)
        return same and grouped and set(self.columns) >= set(wanted.columns)

    def renamed(self, table: str, column: str, new_name: str) -> Capture:
        """The same after a column of some table got another name, wherever it is named here."""
        own = {column: new_name} if table == self.table else {}
        return replace(
            self,
            key=tuple(replace(part, name=own.get(part.name, part.name)) for part in self.key),
            columns=tuple(
                replace(item, name=own.get(item.name, item.name)) for item in self.columns
            ),
            children=tuple(
                rule.renamed(own, {column: new_name} if table == rule.table else {})
                for rule in self.children
            ),
        )

    def as_plain(self) -> dict[str, Any]:
        """Lists, texts and numbers only: what a revision file and the database hold.

        Groups are left out where there are none, as before there were any.
        """
        plain = {
            "table": self.table,
            "key": [[part.name, part.form] for part in self.key],
            "columns": [[item.number, item.name, item.comparison] for item in self.columns],
            "children": [
                [rule.table, list(rule.columns), list(rule.parent_columns), rule.on_delete]
                for rule in self.children
            ],
            "last_number": self.last_number,
        }
        return plain | ({"groups": [list(group) for group in self.groups]} if self.groups else {})

    @staticmethod
    def from_plain(data: Mapping[str, Any]) -> Capture:
        """The capture that `as_plain` wrote; raises ValueError where it is not one."""
        try:
            capture = Capture(
                table=data["table"],
                key=tuple(KeyPart(name, form) for name, form in data["key"]),
                columns=tuple(
                    CapturedColumn(int(number), name, comparison)
                    for number, name, comparison in data["columns"]
                ),
                children=tuple(
                    ChildRule(table, tuple(columns), tuple(parents), on_delete)
                    for table, columns, parents, on_delete in data.get("children", ())
                ),
                last_number=int(data["last_number"]),
                groups=tuple(tuple(map(int, group)) for group in data.get("groups", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this does not describe a capture: {error!r}") from error
        return capture.checked()

    def checked(self) -> Capture:
        """The capture itself; raises ValueError with what is wrong."""
        problems = [
            *(
                f"unknown comparison {column.comparison!r}"
                for column in self.columns
                if column.comparison not in COMPARISONS
            ),
            *(
                f"unknown form {part.form!r} of a key"
                for part in self.key
                if part.form not in KEY_FORMS
            ),
            *(
                f"unknown rule {rule.on_delete!r}"
                for rule in self.children
                if rule.on_delete not in (CASCADE, SET_NULL)
            ),
        ]
        numbers = [column.number for column in self.columns]
        if numbers != sorted(set(numbers)) or (numbers and numbers[-1] > self.last_number):
            problems.append("the numbers of the columns are not ascending up to last_number")
        if not self.key:
            problems.append("there is no key")
        problems += self._group_problems()
        if problems:
            raise ValueError(f"capture of {self.table}: {'; '.join(problems)}")
        return self

    def _group_problems(self) -> Iterator[str]:
        """What is wrong with the groups; a key never changes, so none of it is in one."""
        key = {part.name for part in self.key}
        free = {column.number for column in self.columns if column.name not in key}
        grouped = [number for group in self.groups for number in group]
        if any(len(group) < 2 or list(group) != sorted(group) for group in self.groups):
            yield "a group is not several columns in ascending order"
        if len(set(grouped)) != len(grouped) or list(self.groups) != sorted(self.groups):
            yield "the groups are not in order, or share a column"
        if not free.issuperset(grouped):
            yield "a group names what is no column, or is in the key"
