"""range.split and range.merge: ranges that become others with the same addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from records.errors import ValueRefused
from records.kinds.base import JsonSchema
from records.values import RecordInfo
from service.methods.describe import field_schema, record_ref
from service.methods.family_port import Ranges, WantedMerge, WantedSplit
from service.methods.params import Arguments, Parameter, Signature
from service.methods.range_asked import block_or_id, range_asked, told_where_it_stood
from service.methods.range_giving import read_length
from service.methods.registry import Method, described
from service.methods.subjects import encoder
from service.ranges.arithmetic import MOST_PARTS
from service.ranges.blocks import BITS, Block
from service.ranges.notation import read_block

_SPLIT_NOTE = (
    f"The parts, {MOST_PARTS:,} at most, take the place of the range: they have its purpose, its "
    "note and its claim. `give` names the parts that other nodes get. A pool is split by its own "
    "node only, which is how one gives a part of its space away."
)
_MERGE_NOTE = (
    "The ranges are of one node and one purpose, and have together exactly the addresses of one "
    "block. It takes their place, with the latest of their claims and, unless `note` is there, "
    "their notes. Pools are merged by their own node only."
)


class RangeReshaping:
    """The methods that split and merge."""

    def __init__(self, record: RecordInfo, ranges: Ranges) -> None:
        self._record = record
        self._ranges = ranges
        self._encode = encoder(record, tuple(record.fields))

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield described(
            "range.split",
            "Cut a range into parts of one size, and perhaps give some to other nodes.",
            Signature(tuple(self._of_split())),
            self._parts(),
            {"range": "10.0.0.0/16", "length": 17, "give": {"10.0.128.0/17": "barn"}},
            self.split,
            _SPLIT_NOTE,
        )
        yield described(
            "range.merge",
            "Put ranges together to one.",
            Signature(tuple(self._of_merge())),
            record_ref(self._record),
            {"ranges": ["10.0.0.0/17", "10.0.128.0/17"]},
            self.merge,
            _MERGE_NOTE,
        )

    def _parts(self) -> JsonSchema:
        parts = {"type": "array", "items": record_ref(self._record)}
        return {"type": "object", "properties": {"parts": parts}, "required": ["parts"]}

    def _of_split(self) -> Iterator[Parameter]:
        which = "its id, or its block where only one range has that"
        yield Parameter("range", which, {"type": "string"}, required=True)
        bits = {"type": "integer", "minimum": 1, "maximum": BITS[6]}
        yield Parameter("length", "the prefix length of the parts", bits, required=True)
        given = {"type": ["object", "null"], "additionalProperties": {"type": "string"}}
        yield Parameter("give", "names of nodes, by the parts that they get", given)

    def _of_merge(self) -> Iterator[Parameter]:
        listed = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_PARTS}
        yield Parameter("ranges", "their ids or blocks", listed, required=True)
        yield Parameter("note", "words about the whole", field_schema(self._record.fields["note"]))

    async def split(self, arguments: Arguments) -> object:
        """`range.split`."""
        source = range_asked(arguments, "range")
        length = read_length(arguments)
        given = _given(arguments)
        arguments.problems.raise_any()
        assert source is not None, "else there was a problem"
        with told_where_it_stood(arguments):
            rows = await self._ranges.split(WantedSplit(source, length, given))
        return {"parts": [self._encode(row) for row in rows]}

    async def merge(self, arguments: Arguments) -> object:
        """`range.merge`."""
        sources = _sources(arguments)
        note: Any = arguments.get("note")
        if note is not None:
            kind = self._record.fields["note"].kind
            note = arguments.problems.attempt(arguments.place("note"), lambda: kind.from_json(note))
        arguments.problems.raise_any()
        with told_where_it_stood(arguments):
            return self._encode(await self._ranges.merge(WantedMerge(sources, note)))


def _given(arguments: Arguments) -> dict[Block, str]:
    """The parameter `give`; what is wrong with it is noted."""
    sent = arguments.get("give")
    if sent is None:
        return {}
    place = arguments.place("give")
    if not isinstance(sent, Mapping):
        said = "give is an object: names of nodes by blocks"
        arguments.problems.add("value.wrong_type", said, place)
        return {}
    if len(sent) > MOST_PARTS:
        said = f"give names {len(sent):,} parts; there are {MOST_PARTS:,} at most"
        arguments.problems.add("range.too_many", said, place)
        return {}
    found: dict[Block, str] = {}
    for text, name in sent.items():
        block = arguments.problems.attempt((*place, text), partial(read_block, text))
        if block is not None and block in found:
            said = f"{block} stands there twice; name one node for it"
            arguments.problems.add("range.twice", said, (*place, text))
        elif not isinstance(name, str):
            said = f"the node that gets {text[:100]} is named by a text"
            arguments.problems.add("value.wrong_type", said, (*place, text))
        elif block is not None:
            found[block] = name
    return found


def _sources(arguments: Arguments) -> list[Block | UUID]:
    """The parameter `ranges`; what is wrong with it is noted."""
    sent, place = arguments.get("ranges"), arguments.place("ranges")
    if not isinstance(sent, list) or len(sent) > MOST_PARTS:
        said = f"ranges is a list of ids or blocks, {MOST_PARTS:,} at most"
        if "ranges" in arguments.values:
            arguments.problems.add("value.wrong_type", said, place)
        return []
    found = (
        arguments.problems.attempt((*place, at), partial(_source, each))
        for at, each in enumerate(sent)
    )
    return [each for each in found if each is not None]


def _source(given: object) -> Block | UUID:
    if not isinstance(given, str):
        raise ValueRefused("value.wrong_type", "a range is named by its id or its block, a text")
    return block_or_id(given)
