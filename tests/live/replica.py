"""A reader of the feed that keeps tables of its own, and looks at each page as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from records.catalogue import Catalogue
from tests.live.node import CallFailed, NodeProcess

Row = dict[str, Any]
Key = tuple[Any, ...]

_RETRIED = {"server.unavailable", "server.busy"}
PATIENCE = 30.0
"""Seconds within which what was committed must be told."""


class Life:
    """What the feed told of one key so far: it is born, changes, dies, and may be born again."""

    def __init__(self) -> None:
        self.alive = False
        self.life = 0

    def tell(self, change: Mapping[str, Any]) -> None:
        """One more entry; it must go on from those before."""
        kind, life = change["kind"], change["life"]
        said = f"{change} after life {self.life}, alive: {self.alive}"
        assert self.alive is (kind != "insert"), f"out of order: {said}"
        if kind == "update":
            assert life == self.life, f"a change of another life: {said}"
        else:
            assert life > self.life, f"a life that does not go on: {said}"
            assert life % 2 == (kind == "insert"), f"the living have odd lives: {said}"
        self.alive, self.life = kind != "delete", life


class Replica:
    """Tables made from nothing but the feed."""

    def __init__(self, node: NodeProcess, catalogue: Catalogue) -> None:
        self._node = node
        self._catalogue = catalogue
        self.tables: dict[str, dict[Key, Row]] = {name: {} for name in catalogue.records}
        self.lives: dict[tuple[str, Key], Life] = {}
        self.position = 0
        self.complete_pages = 0
        self.complete = False

    def read(self, limit: int = 1_000, wait_seconds: float = 0) -> int:
        """Take one page in; how many changes it had."""
        try:
            page = self._node.call(
                "feed.read",
                {"from": self.position, "limit": limit, "wait_seconds": wait_seconds},
            )
        except CallFailed as failed:
            if failed.code not in _RETRIED:
                raise
            return 0
        assert page["found"] is True
        changes: list[dict[str, Any]] = page["changes"]
        self.apply(changes)
        assert page["next"] == self.position, "without filters, the last change is the end"
        assert page["head"] >= page["next"]
        self.complete = page["complete"]
        if self.complete:
            self.complete_pages += 1
            self.require_whole()
        return len(changes)

    def apply(self, changes: Iterable[Mapping[str, Any]]) -> None:
        """Take changes in, each once, in order, none left out."""
        for change in changes:
            assert change["position"] == self.position + 1, "a gap, or a change told again"
            self.position += 1
            key = tuple(change["key"].values())
            self.lives.setdefault((change["record"], key), Life()).tell(change)
            table = self.tables[change["record"]]
            if change["kind"] != "delete" and change["row"] is not None:
                table[key] = change["row"]
            else:
                table.pop(key, None)

    def read_to_the_end(self) -> None:
        """Read until a page says that nothing is left."""
        deadline = time.monotonic() + PATIENCE
        while self.read() or not self.complete:
            assert time.monotonic() < deadline, f"no end after position {self.position}"
            time.sleep(0.01)

    def require_whole(self) -> None:
        """Every reference leads to a row that is there, and nothing unique is there twice."""
        for name, record in self._catalogue.records.items():
            rows = list(self.tables[name].values())
            for reference in record.references.values():
                parents = {
                    tuple(parent[field] for field in reference.target_fields)
                    for parent in self.tables[reference.target].values()
                }
                found = {tuple(row[field] for field in reference.fields) for row in rows}
                lost = {key for key in found - parents if None not in key}
                assert not lost, f"{name}.{reference.name} leads nowhere: {lost}"
            for unique in record.uniques:
                held = [tuple(row[field] for field in unique.fields) for row in rows]
                full = [values for values in held if None not in values]
                assert len(full) == len(set(full)), f"{name}.{unique.name} is there twice"
