"""node.* and range.*: the nodes of the herd, and the blocks of addresses that each has.

They are read as records of any class are. They are not written as such. A node keeps its own record
(`service.store.own_node`), so there is no `node.create` or `delete`, and `node.update` changes only
what people decide on: a record that goes takes the node's ranges along. `range.create`,
`update`, `upsert` and `restore` would go past the question whether a block is in the way, so ranges
are only added, given out (`range_giving`), split and merged (`range_reshaping`) and released. What
is asked of them beside is in `range_questions` and `range_counts`. A DBA's SQL is captured as
everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from records.catalogue import Catalogue, is_built_in
from records.values import RecordInfo
from service.methods.asked import read_flag
from service.methods.describe import count_schema, field_schema, record_ref
from service.methods.examples import example_key
from service.methods.family_port import NewRange, Ranges
from service.methods.nodes import NodeMethods
from service.methods.options import key_parameter
from service.methods.params import Arguments, Parameter, Signature
from service.methods.ports import Records
from service.methods.range_asked import block_asked, name_asked, told_where_it_stood
from service.methods.range_counts import RangeCounts
from service.methods.range_giving import RangeGiving
from service.methods.range_importing import RangeImporting
from service.methods.range_questions import RangeQuestions
from service.methods.range_reshaping import RangeReshaping
from service.methods.records import RecordMethods
from service.methods.registry import Method, described
from service.methods.subjects import encoder
from service.ranges.values import Purpose, refuse_everything

_ADD_NOTE = (
    "`node` is a node's name. What excludes the new range is named: pools of different nodes may "
    "not meet, one block is served by one node, and what lies in another node's pool is for that "
    "node to give out. Ranges that were added on both sides of a cut and exclude each other both "
    "stay; range.disputes tells of them. `0.0.0.0/0` and `::/0` are taken for `serves` only, "
    "unless `everything` is true."
)
_RELEASE_NOTE = "The key is the `id` that range.list tells."


def family_methods(catalogue: Catalogue, store: Records, ranges: Ranges) -> Iterator[Method]:
    """The methods of both classes; none where the catalogue has no such classes."""
    family = {each.name: each for each in catalogue.records.values() if is_built_in(each)}
    if family:
        yield from NodeMethods(catalogue, family["node"], store).methods()
        yield from RangeMethods(catalogue, family["range"], store, ranges).methods()
        yield from RangeImporting(family["range"], ranges).methods()
        yield from RangeGiving(family["range"], ranges).methods()
        yield from RangeReshaping(family["range"], ranges).methods()
        yield from RangeQuestions(ranges).methods()
        yield from RangeCounts(ranges).methods()


class RangeMethods:
    """The methods about ranges."""

    def __init__(
        self, catalogue: Catalogue, record: RecordInfo, store: Records, ranges: Ranges
    ) -> None:
        self._record = record
        self._ranges = ranges
        self._generic = RecordMethods(catalogue, record, store)
        self._encode = encoder(record, tuple(record.fields))

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield from self._generic.reading()
        yield described(
            "range.add",
            "Give a block of addresses to a node.",
            Signature(tuple(self._new())),
            record_ref(self._record),
            {"cidr": "10.0.0.0/24", "purpose": "serves", "node": "barn"},
            self.add,
            _ADD_NOTE,
        )
        yield described(
            "range.release",
            "Take one block or many from their nodes: all or none.",
            Signature((key_parameter(self._record),), self._record.key),
            count_schema("released"),
            {"record": example_key(self._record)},
            self.release,
            _RELEASE_NOTE,
        )

    def _new(self) -> Iterator[Parameter]:
        """What a new range is made of."""
        fields = self._record.fields
        texts = {"cidr": "the block", "purpose": "what it is for"}
        for name, text in texts.items():
            yield Parameter(name, text, field_schema(fields[name]), required=True)
        whose = "the name of the node that gets it; the node that is asked if absent"
        yield Parameter("node", whose, {"type": ["string", "null"]})
        yield Parameter("note", "words about it", field_schema(fields["note"]))
        wide = "take every address there is, also as peers, pool or admin"
        yield Parameter("everything", wide, {"type": ["boolean", "null"]})

    async def add(self, arguments: Arguments) -> object:
        """`range.add`."""
        wanted = self._read(arguments)
        with told_where_it_stood(arguments):
            return self._encode(await self._ranges.add(wanted))

    async def release(self, arguments: Arguments) -> object:
        """`range.release`."""
        answer: Any = await self._generic.delete(arguments)
        return {"released": answer["deleted"]}

    def _read(self, arguments: Arguments) -> NewRange:
        """The new range; raises with all that is wrong with the parameters."""
        block = block_asked(arguments)
        purpose = self._value(arguments, "purpose")
        note = self._value(arguments, "note")
        node = name_asked(arguments, "node")
        everything = read_flag(arguments, "everything")
        if block is not None and purpose is not None:
            arguments.problems.attempt(
                arguments.place("cidr"),
                lambda: refuse_everything(block, Purpose(purpose), meant=everything),
            )
        arguments.problems.raise_any()
        assert block is not None, "else there was a problem"
        return NewRange(node, block, purpose, note)

    def _value(self, arguments: Arguments, name: str) -> Any:
        """One field's value; what does not fit is noted."""
        given, kind = arguments.get(name), self._record.fields[name].kind
        if given is None:
            if name in arguments.values and not self._record.fields[name].allow_none:
                said = f"{name} must be given"
                arguments.problems.add("params.missing", said, arguments.place(name))
            return None
        return arguments.problems.attempt(arguments.place(name), lambda: kind.from_json(given))
