"""What a unit of work is given to work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from storm.store import Store

from records.catalogue import Catalogue

Parameters = Sequence[object]


class Transaction:
    """An open transaction. It must not leave its thread, nor live longer than its unit of work."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self.store = store
        self.catalogue = catalogue

    @property
    def room(self) -> int:
        """So many bytes of values surely fit into one statement, also where all are escaped."""
        longest: int = self.store.longest_statement
        return longest // 4

    def rows(self, statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as the driver gives them. Values stand as `?` in the statement."""
        found: list[tuple[Any, ...]] = self.store.execute(statement, parameters).get_all()
        return found

    def stream(self, statement: str, at_once: int) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a query that may have very many, some at a time.

        Nothing else may be asked before the last of them, or the end of the iterator.
        """
        found: Iterator[Sequence[tuple[Any, ...]]] = self.store.stream(statement, at_once)
        return found

    def execute(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement that writes; the number of rows it touched."""
        result = self.store.execute(statement, parameters)
        touched: int = result.rowcount
        result.close()
        return touched
