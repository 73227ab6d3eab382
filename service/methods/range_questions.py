"""range.locate and range.disputes: what the ranges of all nodes come to."""

from __future__ import annotations

from collections.abc import Iterator

from records.kinds.base import JsonSchema
from service.methods.family_port import Ranges, Served
from service.methods.params import Arguments, Parameter, Signature
from service.methods.range_asked import address_asked
from service.methods.registry import Method, described
from service.ranges.blocks import Address
from service.ranges.disputes import Dispute
from service.ranges.values import Range

MOST_DISPUTES = 1_000
"""So many are told at once."""

RANGE_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "node": {"type": "string"},
        "cidr": {"type": "string", "format": "cidr"},
        "purpose": {"type": "string"},
    },
    "required": ["id", "node", "cidr", "purpose"],
}
_LOCATED_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "address": {"type": "string"},
        "node": {"type": ["string", "null"]},
        "range": {**RANGE_SCHEMA, "type": ["object", "null"]},
    },
    "required": ["address", "node", "range"],
}
_DISPUTES_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "disputes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"range": RANGE_SCHEMA, "against": RANGE_SCHEMA},
                "required": ["range", "against"],
            },
        },
        "count": {"type": "integer", "minimum": 0},
    },
    "required": ["disputes", "count"],
}
_LOCATE_NOTE = (
    "The longest prefix decides, and of several claims to one block the earliest. What is written "
    "here or comes from a sibling counts within a second."
)
_DISPUTES_NOTE = (
    "`range` was claimed later than `against` and gives nothing out. `count` is how many there "
    f"are; the first {MOST_DISPUTES:,} are told."
)


class RangeQuestions:
    """The methods that ask."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield described(
            "range.locate",
            "Which node serves an address.",
            Signature((Parameter("address", "an address", {"type": "string"}, required=True),)),
            _LOCATED_SCHEMA,
            {"address": "10.0.0.7"},
            self.locate,
            _LOCATE_NOTE,
        )
        yield described(
            "range.disputes",
            "The ranges that cannot stand beside an earlier one of another node.",
            Signature(),
            _DISPUTES_SCHEMA,
            {},
            self.disputes,
            _DISPUTES_NOTE,
        )

    async def locate(self, arguments: Arguments) -> object:
        """`range.locate`."""
        address = address_asked(arguments)
        arguments.problems.raise_any()
        assert address is not None, "else there was a problem"
        return _located(address, await self._ranges.locate(address))

    async def disputes(self, arguments: Arguments) -> object:
        """`range.disputes`."""
        arguments.problems.raise_any()
        found = await self._ranges.disputes()
        told = [_dispute_json(each) for each in found[:MOST_DISPUTES]]
        return {"disputes": told, "count": len(found)}


def range_json(each: Range) -> dict[str, object]:
    """A range with the name of its node."""
    return {
        "id": str(each.id),
        "node": each.node,
        "cidr": str(each.block),
        "purpose": str(each.purpose),
    }


def _located(address: Address, served: Served | None) -> dict[str, object]:
    if served is None:
        return {"address": str(address), "node": None, "range": None}
    found = range_json(served.range._replace(node=served.node))
    return {"address": str(address), "node": served.node, "range": found}


def _dispute_json(each: Dispute) -> dict[str, object]:
    return {"range": range_json(each.loser), "against": range_json(each.against)}
