"""What `herdbook verify` asks of a node, and the answers as values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from service.cli.output import CommandFailed
from service.cli.rpc_client import Request, send
from service.herd.digests import Sum, Sums

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Seen(msgspec.Struct, frozen=True):
    """What every answer tells of the node at its moment."""

    origin: int
    vector: dict[str, int]
    unsealed: int
    horizon: int
    held: int


class Table(msgspec.Struct, frozen=True):
    """A captured table of a node."""

    name: str
    columns: dict[str, str]
    rows: int


class Tables(Seen, frozen=True):
    """All captured tables."""

    tables: list[Table]


class Digests(Seen, frozen=True):
    """A table's sums by bucket, and how many of its rows are deleted ones."""

    buckets: dict[str, tuple[int, str]]
    dead: int

    @property
    def sums(self) -> Sums:
        """The sums as they are compared."""
        return {bucket: Sum(rows, int(total, 16)) for bucket, (rows, total) in self.buckets.items()}


class Rows(Seen, frozen=True):
    """Keys and digests of single rows."""

    rows: list[tuple[str, str]]


class State(msgspec.Struct, frozen=True):
    """A row's state. Slots: stamp and origin of the version, and of the one beneath."""

    life: int
    stamp: int
    origin: int
    born: tuple[int, int]
    slots: dict[str, tuple[int, int, int, int]]
    values: dict[str, Any]
    died: int | None = None
    writer: str | None = None


class Row(msgspec.Struct, frozen=True):
    """A row as it stands; neither state nor problem: it is not there."""

    key: str
    shown: list[Any]
    moving: bool
    state: State | None = None
    problem: str | None = None


class States(Seen, frozen=True):
    """Some rows as they stand."""

    rows: list[Row]


class Violation(msgspec.Struct, frozen=True):
    """Rows that break a rule between rows."""

    rule: str
    name: str
    columns: list[str]
    rows: int
    some: list[list[Any]]


class Violations(Seen, frozen=True):
    """The broken rules of one table."""

    violations: list[Violation]


class Fetched(msgspec.Struct, frozen=True):
    """Rows as they travel."""

    rows: list[str | None]


class Mended(msgspec.Struct, frozen=True):
    """How many rows were written, and how many the database did not take."""

    written: int
    held: int


@dataclass(frozen=True)
class AskedNode:
    """A running node. What it cannot answer is a CommandFailed with its address."""

    url: str
    timeout: float
    token: str | None = field(default=None, repr=False, kw_only=True)
    ca: Path | None = field(default=None, kw_only=True)

    def tables(self) -> Tables:
        """Its captured tables."""
        return self._ask("herd.tables", {}, Tables)

    def digests(
        self, table: str, digits: int, columns: Sequence[str], phantoms: Sequence[int]
    ) -> Digests:
        """The sums of a table, in buckets by so many digits."""
        planted = [f"{digest:032x}" for digest in phantoms]
        params = {"table": table, "digits": digits, "columns": columns, "selftest": planted}
        return self._ask("herd.digests", params, Digests)

    def rows(self, table: str, buckets: Sequence[str], columns: Sequence[str]) -> Rows:
        """The rows of some buckets."""
        params = {"table": table, "buckets": buckets, "columns": columns}
        return self._ask("herd.rows", params, Rows)

    def states(self, table: str, keys: Sequence[str], above: Mapping[str, int]) -> States:
        """How some rows stand, and which of them have changes above a vector."""
        return self._ask("herd.states", {"table": table, "keys": keys, "above": above}, States)

    def violations(self, table: str) -> Violations:
        """What breaks the rules between rows."""
        return self._ask("herd.violations", {"table": table}, Violations)

    def fetch(self, table: str, keys: Sequence[str]) -> list[str | None]:
        """Rows whole, as they travel; None for each that is not there."""
        return self._ask("herd.fetch", {"table": table, "keys": keys}, Fetched).rows

    def mend(self, rows: Sequence[str]) -> Mended:
        """Let it take in rows of another node."""
        return self._ask("herd.mend", {"rows": rows}, Mended)

    def _ask(self, method: str, params: Mapping[str, object], form: type[Answer]) -> Answer:
        request = Request(method, json.dumps(params), 1)
        answer = send(self.url, request, self.timeout, self.token, self.ca)
        if answer.error is not None:
            raise _refused(self.url, method, json.loads(answer.error))
        try:
            return msgspec.json.decode(answer.result or "", type=form)
        except msgspec.MsgspecError as error:
            message = f"what {self.url} answered to {method} cannot be read: {error}"
            raise CommandFailed(message, _OLDER, code="verify.answer") from None


_OLDER = "do both nodes run the same release of Herdbook?"


def _refused(url: str, method: str, error: Mapping[str, Any]) -> CommandFailed:
    """What a node refused, in its own words."""
    data = error.get("data") or {}
    code = data.get("code", "")
    hint = _OLDER if code == "method.unknown" else data.get("hint", "")
    message = f"{url} refused {method}: {error.get('message', 'without a reason')}"
    return CommandFailed(message, hint, code="verify.refused", details={"refused": code})
