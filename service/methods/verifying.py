"""herd.tables, herd.digests, herd.rows, herd.states and herd.violations: to compare two nodes.

`herdbook verify` calls them on both. A node tells of its own database, and knows nothing of the
other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from records.catalogue import Catalogue
from records.kinds.base import JsonSchema
from service.herd.digests import MOST_DIGITS
from service.methods.help import help_text
from service.methods.params import Arguments, Parameter, Signature
from service.methods.raw_values import record_of
from service.methods.registry import Handler, Method
from service.methods.verifying_json import (
    MOMENT_SCHEMA,
    moment_json,
    row_json,
    rows_json,
    sums_json,
    table_json,
    violation_json,
)
from service.methods.verifying_port import MOST_BUCKETS, MOST_KEYS, MOST_PHANTOMS, Verifying
from service.methods.verifying_request import (
    read_buckets,
    read_columns,
    read_digits,
    read_keys,
    read_phantoms,
    read_table,
    read_vector,
)

TABLE = Parameter("table", "the name of a captured table", {"type": "string"}, required=True)
_COLUMNS = Parameter(
    "columns",
    "which columns count, by the numbers that herd.tables tells; all of them if absent",
    {"type": ["array", "null"], "items": {"type": "string"}},
)
_DIGITS = Parameter(
    "digits",
    f"by how many digits of their keys' hashes rows are sorted, 0 to {MOST_DIGITS}; 0 if absent",
    {"type": ["integer", "null"], "minimum": 0, "maximum": MOST_DIGITS},
)
_SELFTEST = Parameter(
    "selftest",
    f"up to {MOST_PHANTOMS} digests of rows that are not there, each to be counted twice in a "
    'bucket of its own, "~0", "~1" and so on: whoever compares sees whether differences are found',
    {"type": ["array", "null"], "items": {"type": "string", "pattern": "^[0-9a-f]{32}$"}},
)
_BUCKETS = Parameter(
    "buckets",
    f"up to {MOST_BUCKETS} buckets, all of as many digits",
    {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_BUCKETS},
    required=True,
)
KEYS = Parameter(
    "keys",
    f"up to {MOST_KEYS} keys, as herd.rows tells them",
    {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_KEYS},
    required=True,
)
_ABOVE = Parameter(
    "above",
    "the vector of another node; a row is `moving` if it has changes that are not in there",
    {"type": ["object", "null"], "additionalProperties": {"type": "integer"}},
)


class VerifyingMethods:
    """What a node tells of its tables to whoever compares them with another node's."""

    def __init__(self, catalogue: Catalogue, verifying: Verifying) -> None:
        self._catalogue = catalogue
        self._verifying = verifying

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield _method(
            "herd.tables",
            "The captured tables, their columns, and about how many rows each has.",
            (),
            {"tables": {"type": "array"}},
            {},
            self.tables,
        )
        yield _method(
            "herd.digests",
            "For each bucket of a table's rows, how many there are and the sum of their digests; "
            "and how many of them all are deleted ones.",
            (TABLE, _DIGITS, _COLUMNS, _SELFTEST),
            {"buckets": {"type": "object"}, "dead": {"type": "integer", "minimum": 0}},
            {"table": "country", "digits": 1},
            self.digests,
        )
        yield _method(
            "herd.rows",
            "The key and the digest of each row of some buckets.",
            (TABLE, _BUCKETS, _COLUMNS),
            {"rows": {"type": "array"}},
            {"table": "country", "buckets": ["a", "f"]},
            self.rows,
        )
        yield from self._about_rows()

    def _about_rows(self) -> Iterator[Method]:
        """The methods that tell of single rows."""
        yield _method(
            "herd.states",
            "How rows stand: their values, lives, and the versions of their columns.",
            (TABLE, KEYS, _ABOVE),
            {"rows": {"type": "array"}},
            {"table": "country", "keys": ["b3036fa1c21852d3a0ae60ca125dde48"]},
            self.states,
        )
        yield _method(
            "herd.violations",
            "Rows of a table whose parents are not there, and values that stand twice in it where "
            "they must not.",
            (TABLE,),
            {"violations": {"type": "array"}},
            {"table": "country"},
            self.violations,
        )

    async def tables(self, arguments: Arguments) -> object:
        """`herd.tables`."""
        arguments.problems.raise_any()
        moment, tables = await self._verifying.tables()
        return moment_json(moment) | {"tables": [table_json(table) for table in tables]}

    async def digests(self, arguments: Arguments) -> object:
        """`herd.digests`."""
        table, columns = read_table(arguments), read_columns(arguments)
        digits, phantoms = read_digits(arguments), read_phantoms(arguments)
        arguments.problems.raise_any()
        moment, found = await self._verifying.digests(table, digits, columns, phantoms)
        return moment_json(moment) | {"buckets": sums_json(found.sums), "dead": found.dead}

    async def rows(self, arguments: Arguments) -> object:
        """`herd.rows`."""
        table, columns = read_table(arguments), read_columns(arguments)
        buckets = read_buckets(arguments)
        arguments.problems.raise_any()
        moment, rows = await self._verifying.rows(table, buckets, columns)
        return moment_json(moment) | {"rows": rows_json(rows)}

    async def states(self, arguments: Arguments) -> object:
        """`herd.states`."""
        table, keys, above = read_table(arguments), read_keys(arguments), read_vector(arguments)
        arguments.problems.raise_any()
        moment, rows = await self._verifying.states(table, keys, above)
        record = record_of(self._catalogue, table)
        return moment_json(moment) | {"rows": [row_json(record, row) for row in rows]}

    async def violations(self, arguments: Arguments) -> object:
        """`herd.violations`."""
        table = read_table(arguments)
        arguments.problems.raise_any()
        moment, found = await self._verifying.violations(table)
        record = record_of(self._catalogue, table)
        told = [violation_json(record, one) for one in found]
        return moment_json(moment) | {"violations": told}


def _method(
    name: str,
    summary: str,
    parameters: tuple[Parameter, ...],
    answer: dict[str, Any],
    example: dict[str, object],
    handler: Handler,
) -> Method:
    """One method with its help."""
    signature = Signature(parameters)
    note = (
        "The answer is of one moment, and tells of it: `vector` is what the node had, `unsealed` "
        "are changes without a position yet, `held` are rows that wait."
    )
    text = help_text(name, summary, signature, example, [note])
    properties = MOMENT_SCHEMA | answer
    result: JsonSchema = {"type": "object", "properties": properties, "required": [*properties]}
    return Method(name, summary, text, signature, result, example, handler)
