"""herd.fetch and herd.mend: rows whole, out of one node and into another.

`herdbook verify --repair` calls them. A row travels as bytes, in base64: with its key, its life,
the versions of its columns, and every value typed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from service.herd.deltas import DeltaRow
from service.herd.faults import WireFault
from service.herd.wire.single import row_bytes, row_of_bytes
from service.methods.help import help_text
from service.methods.mending_port import MOST_ROWS, Mending
from service.methods.params import Arguments, Parameter, Signature
from service.methods.registry import Method
from service.methods.verifying import KEYS, TABLE
from service.methods.verifying_request import read_keys, read_table

_ROWS = Parameter(
    "rows",
    f"1 to {MOST_ROWS} rows, as herd.fetch of another node tells them",
    {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_ROWS},
    required=True,
)


class MendingMethods:
    """The methods by which two nodes are made equal again."""

    def __init__(self, mending: Mending) -> None:
        self._mending = mending

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield self._fetch()
        yield self._mend()

    def _fetch(self) -> Method:
        name, signature = "herd.fetch", Signature((TABLE, KEYS))
        summary = "Rows of a table, whole, in the form in which herd.mend takes them."
        note = "`rows` has null for each row that is not there."
        example: dict[str, object] = {
            "table": "country",
            "keys": ["b3036fa1c21852d3a0ae60ca125dde48"],
        }
        text = help_text(name, summary, signature, example, [note])
        result = {"type": "object", "properties": {"rows": {"type": "array"}}, "required": ["rows"]}
        return Method(name, summary, text, signature, result, example, self.fetch)

    def _mend(self) -> Method:
        name, signature = "herd.mend", Signature((_ROWS,))
        summary = "Merge rows of another node with those here, whatever was exchanged before."
        note = (
            "What comes out is written with its versions, and noted in the changelog. Where a "
            "column has one version on both nodes and not one value, the other node's value is "
            "taken. `held` are rows that the database did not take."
        )
        example: dict[str, object] = {"rows": ["…"]}
        text = help_text(name, summary, signature, example, [note])
        counted = {"type": "integer", "minimum": 0}
        properties = {"written": counted, "held": counted}
        result = {"type": "object", "properties": properties, "required": [*properties]}
        return Method(name, summary, text, signature, result, example, self.mend)

    async def fetch(self, arguments: Arguments) -> object:
        """`herd.fetch`."""
        table, keys = read_table(arguments), read_keys(arguments)
        arguments.problems.raise_any()
        rows = await self._mending.fetch(table, keys)
        encoded = (None if row is None else base64.b64encode(row_bytes(row)) for row in rows)
        return {"rows": [None if row is None else row.decode() for row in encoded]}

    async def mend(self, arguments: Arguments) -> object:
        """`herd.mend`."""
        rows = _read_rows(arguments)
        arguments.problems.raise_any()
        return (await self._mending.mend(rows))._asdict()


def _read_rows(arguments: Arguments) -> list[DeltaRow]:
    given, place = arguments.get("rows"), arguments.place("rows")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_ROWS:
        if "rows" in arguments.values:
            message = f"rows is a list of 1 to {MOST_ROWS} texts"
            arguments.problems.add("value.wrong_type", message, place)
        return []
    rows: list[DeltaRow] = []
    for at, text in enumerate(given):
        try:
            rows.append(row_of_bytes(base64.b64decode(text, validate=True)))
        except (TypeError, ValueError, binascii.Error, WireFault):
            message = "this is no row that herd.fetch has told"
            arguments.problems.add("row.malformed", message, (*place, at))
    return rows
