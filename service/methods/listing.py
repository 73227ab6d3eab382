"""From the parameters of a list to its query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from records.catalogue import Catalogue
from records.errors import ValueRefused
from records.validation import Row
from records.values import Order, RecordInfo
from service.methods.cursor import digest_of, read_cursor, write_cursor
from service.methods.operators import is_sortable, sorted_beginning
from service.methods.params import Arguments
from service.methods.paths import find_path, own_path
from service.methods.problems import Place
from service.methods.query import Condition, Every, Path, Query, SortBy
from service.methods.where import ConditionParser

USUAL_LIMIT, LARGEST_LIMIT = 50, 1_000
MOST_SORT_FIELDS = 8
MOST_PARENTS = 10
"""Parents joined for one list. The servers try many orders of joining, at a cost that explodes."""


@dataclass(frozen=True)
class Listing:
    """A query with what is needed to answer it: the fields asked for, and the list's digest."""

    query: Query
    fields: tuple[str, ...]
    digest: str

    def cut(self, rows: list[Row]) -> tuple[list[Row], str | None]:
        """The rows of this page and the cursor of the next one, from one row more than fits."""
        fitting = rows[: self.query.limit - 1]
        if len(rows) == len(fitting):
            return rows, None
        return fitting, write_cursor(self.digest, self.query.order, fitting[-1])


class ListParser:
    """Reads what lists of one record class are asked for; mistakes go to their problems."""

    def __init__(self, catalogue: Catalogue, record: RecordInfo, arguments: Arguments) -> None:
        self._catalogue = catalogue
        self._record = record
        self._arguments = arguments
        self._problems = arguments.problems
        self._parents: set[tuple[str, ...]] = set()

    def listing(
        self,
        default: Sequence[Order] = (),
        within: Sequence[Condition] = (),
        about: object = None,
    ) -> Listing | None:
        """The list that is asked for, or None where there are problems.

        `default` is the order where none is given; `within` are conditions that hold anyway, and
        `about` is what they are about, as JSON.
        """
        where = self._where()
        order = self._order(default)
        fields = self._fields()
        limit = self._limit()
        self._check_parents()
        sorted_by = [("-" if sort.descending else "") + sort.path.name for sort in order]
        digest = digest_of(self._record.name, about, self._arguments.get("where"), sorted_by)
        after = None if self._problems.failures else self._after(digest, order)
        if self._problems.failures:
            return None
        select = {path.name: path for path in (*self._own(fields), *(sort.path for sort in order))}
        conditions = (*within, *(() if where is None else (where,)))
        query = Query(
            select=tuple(select.values()),
            order=order,
            # One more than asked for tells whether there is a next page.
            limit=limit + 1,
            where=Every(conditions) if conditions else None,
            after=after,
        )
        return Listing(query, fields, digest)

    def condition(self) -> Condition | None:
        """The parameter `where` alone."""
        condition = self._where()
        self._check_parents()
        return condition

    def _where(self) -> Condition | None:
        """The parameter `where`."""
        data = self._arguments.get("where")
        if data is None:
            return None
        return ConditionParser(self._path, self._problems).parse(
            data, self._arguments.place("where")
        )

    def _fields(self) -> tuple[str, ...]:
        """The parameter `fields`."""
        return read_fields(self._record, self._arguments)

    def _own(self, fields: Sequence[str]) -> list[Path]:
        """Paths to fields of the record."""
        return [own_path(self._record, name) for name in fields]

    def _path(self, text: object) -> Path:
        """The field that `text` names; its parents are counted."""
        path = find_path(self._catalogue, self._record, text, self._problems.suggest)
        self._parents |= {path.steps[:count] for count in range(1, len(path.steps) + 1)}
        return path

    def _check_parents(self) -> None:
        """Too many joins are refused."""
        if len(self._parents) > MOST_PARENTS:
            self._problems.add(
                "where.too_many_parents",
                f"fields of {len(self._parents)} parents, where at most {MOST_PARENTS} may be",
                (),
            )

    def _order(self, default: Sequence[Order]) -> tuple[SortBy, ...]:
        """The parameter `order`, ended by the key in the direction of the last field.

        That direction is the one in which an index over the fields can be read.
        """
        given = self._arguments.get("order")
        if given is None:
            usual = [(own_path(self._record, by.field), by.descending) for by in default]
            chosen = [self._sort_by(*by) for by in usual if is_sortable(by[0].kind)]
        else:
            chosen = self._given_order(given, self._arguments.place("order"))
        last = chosen[-1].descending if chosen else False
        # A field that is sorted by its beginning leaves rows level that differ behind it.
        present = {sort.path.name for sort in chosen if sort.beginning is None}
        key = [own_path(self._record, name) for name in self._record.key if name not in present]
        return (*chosen, *(SortBy(path, last) for path in key))

    def _given_order(self, given: object, place: Place) -> list[SortBy]:
        """The fields a client sorts by: one name or a list of them."""
        names = [given] if isinstance(given, str) else given
        if not isinstance(names, list) or len(names) > MOST_SORT_FIELDS:
            self._problems.add(
                "order.malformed",
                f"order is a field or a list of at most {MOST_SORT_FIELDS}, such as "
                '["name", "-id"]',
                place,
            )
            return []
        places = [place if names is not given else (*place, at) for at in range(len(names))]
        found = [
            self._problems.attempt(at, lambda name=name: self._named_sort(name))  # type: ignore[misc]
            for at, name in zip(places, names, strict=True)
        ]
        for at, sort in enumerate(found):
            if sort and any(other and other.path == sort.path for other in found[:at]):
                self._problems.add(
                    "order.repeated", f"{sort.path.name} stands there twice", places[at]
                )
        return [sort for sort in found if sort is not None]

    def _named_sort(self, name: object) -> SortBy:
        """One field to sort by; raises ValueRefused."""
        descending = isinstance(name, str) and name.startswith("-")
        path = self._path(name[1:] if isinstance(name, str) and descending else name)
        return self._sort_by(path, descending)

    def _sort_by(self, path: Path, descending: bool) -> SortBy:
        """Sorting by a field that has an order; raises ValueRefused."""
        if not is_sortable(path.kind):
            raise ValueRefused("order.not_possible", f"{path.name} has no order to sort by")
        return SortBy(path, descending, sorted_beginning(path.kind))

    def _limit(self) -> int:
        """The parameter `limit`."""
        limit = self._arguments.get("limit")
        if limit is None:
            return USUAL_LIMIT
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LARGEST_LIMIT:
            self._problems.add(
                "limit.invalid",
                f"limit is a whole number from 1 to {LARGEST_LIMIT}; the next pages follow by next",
                self._arguments.place("limit"),
            )
            return USUAL_LIMIT
        return limit

    def _after(self, digest: str, order: Sequence[SortBy]) -> tuple[Any, ...] | None:
        """The parameter `next`."""
        text = self._arguments.get("next")
        if text is None:
            return None
        return self._problems.attempt(
            self._arguments.place("next"), lambda: read_cursor(text, digest, order)
        )


def read_fields(record: RecordInfo, arguments: Arguments) -> tuple[str, ...]:
    """The parameter `fields`: names of the record's own fields, all where it is absent."""
    problems = arguments.problems
    given = arguments.get("fields")
    if given is None:
        return tuple(record.fields)
    place = arguments.place("fields")
    if not isinstance(given, list) or not given:
        problems.add("value.wrong_type", 'fields is a list of names such as ["name"]', place)
        return ()
    if len(given) > len(record.fields):
        problems.add(
            "value.too_long", f"{len(given)} names, where there are {len(record.fields)}", place
        )
        return ()
    for at, name in enumerate(given):
        if not isinstance(name, str) or name not in record.fields:
            shown = str(name)[:100]
            problems.add(
                "field.unknown",
                f"{record.name} has no field {shown}{problems.suggest(shown, record.fields)}",
                (*place, at),
            )
    return tuple(dict.fromkeys(name for name in given if isinstance(name, str)))
