"""range.free and range.summary: what is left of pools, and how much there is of what."""

from __future__ import annotations

from collections.abc import Iterator

from records.kinds.base import JsonSchema
from service.methods.asked import read_limit
from service.methods.family_port import FreeAsked, PoolFree, Ranges
from service.methods.options import LIMIT
from service.methods.params import Arguments, Parameter, Signature
from service.methods.range_asked import name_asked, pool_asked, told_where_it_stood
from service.methods.range_questions import RANGE_SCHEMA, range_json
from service.methods.registry import Method, described
from service.ranges.arithmetic import Total

_COUNT: JsonSchema = {"type": "integer", "minimum": 0}
_ADDRESSES: JsonSchema = {"type": "string", "pattern": "^[0-9]+$"}
_POOL_FREE: JsonSchema = {
    "type": "object",
    "properties": {
        "pool": RANGE_SCHEMA,
        "disputed": {"type": "boolean"},
        "free": {"type": "array", "items": {"type": "string", "format": "cidr"}},
        "blocks": _COUNT,
        "addresses": _ADDRESSES,
    },
    "required": ["pool", "disputed", "free", "blocks", "addresses"],
}
_TOTAL: JsonSchema = {
    "type": "object",
    "properties": {
        "purpose": {"type": "string"},
        "family": {"enum": [4, 6]},
        "ranges": _COUNT,
        "blocks": _COUNT,
        "addresses": _ADDRESSES,
    },
    "required": ["purpose", "family", "ranges", "blocks", "addresses"],
}
_FREE_NOTE = (
    "`free` are the first blocks, in the order of their addresses; `blocks` and `addresses` count "
    "all of them. Numbers of addresses are texts, since IPv6 has more of them than JSON "
    "has numbers. A `disputed` pool gives nothing out."
)
_SUMMARY_NOTE = (
    "`ranges` are counted one by one. `blocks` are the fewest that make up the same addresses, and "
    "`addresses`, as a text, are counted once however many ranges hold them. What is written here "
    "or comes from a sibling counts within a second."
)
_OF_NODE: JsonSchema = {"type": ["string", "null"]}


class RangeCounts:
    """The methods that count."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        pool = Parameter("pool", "one pool, by its block or its id", {"type": ["string", "null"]})
        node = Parameter("node", "all pools of a node, by its name; the asked one's", _OF_NODE)
        yield described(
            "range.free",
            "What is free of pools.",
            Signature((pool, node, LIMIT)),
            _listed("pools", _POOL_FREE),
            {"pool": "10.0.0.0/16"},
            self.free,
            _FREE_NOTE,
        )
        yield described(
            "range.summary",
            "How many ranges, blocks and addresses there are for each purpose.",
            Signature((Parameter("node", "of one node, by its name; of all if absent", _OF_NODE),)),
            _listed("totals", _TOTAL),
            {"node": "barn"},
            self.summary,
            _SUMMARY_NOTE,
        )

    async def free(self, arguments: Arguments) -> object:
        """`range.free`."""
        pool, node = pool_asked(arguments, "pool"), name_asked(arguments, "node")
        if arguments.get("pool") is not None and node is not None:
            said = "pool and node cannot be given together"
            arguments.problems.add("params.conflicting", said, arguments.place("node"))
        asked = FreeAsked(node, pool, read_limit(arguments))
        arguments.problems.raise_any()
        with told_where_it_stood(arguments):
            return {"pools": [_free_json(each) for each in await self._ranges.free(asked)]}

    async def summary(self, arguments: Arguments) -> object:
        """`range.summary`."""
        node = name_asked(arguments, "node")
        arguments.problems.raise_any()
        with told_where_it_stood(arguments):
            return {"totals": [_total_json(each) for each in await self._ranges.summary(node)]}


def _listed(name: str, schema: JsonSchema) -> JsonSchema:
    """An object with one list."""
    properties = {name: {"type": "array", "items": schema}}
    return {"type": "object", "properties": properties, "required": [name]}


def _free_json(each: PoolFree) -> dict[str, object]:
    return {
        "pool": range_json(each.pool),
        "disputed": each.disputed,
        "free": [str(block) for block in each.free],
        "blocks": each.blocks,
        "addresses": str(each.addresses),
    }


def _total_json(each: Total) -> dict[str, object]:
    return {**each._asdict(), "purpose": str(each.purpose), "addresses": str(each.addresses)}
