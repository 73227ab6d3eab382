"""range.allocate: the next free block of the pools of the node that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from records.values import RecordInfo
from service.access.roles import Role
from service.methods.caller import require_role
from service.methods.describe import field_schema, record_ref
from service.methods.family_port import Ranges, WantedBlock
from service.methods.params import Arguments, Parameter, Signature
from service.methods.range_asked import pool_asked, told_where_it_stood
from service.methods.registry import Method, described
from service.methods.subjects import encoder
from service.ranges.blocks import BITS
from service.ranges.values import Purpose

_NOTE = (
    "The best fit is given: of the free blocks that are large enough the smallest, of these the "
    "lowest, and of it the lowest part. Without `from` all pools of one family are looked into: "
    "IPv6 where `length` is more than 32, else IPv4 unless `family` is 6. Where nothing of that "
    "length is free, `error.data.largest` is the largest free block, if there is any. "
    "With a token, a purpose other than `serves` needs the role `admin`."
)


class RangeGiving:
    """The method that gives blocks out."""

    def __init__(self, record: RecordInfo, ranges: Ranges) -> None:
        self._record = record
        self._ranges = ranges
        self._encode = encoder(record, tuple(record.fields))

    def methods(self) -> Iterator[Method]:
        """The method with its description."""
        yield described(
            "range.allocate",
            "Give the next free block of the pools of this node to this node.",
            Signature(tuple(self._parameters())),
            record_ref(self._record),
            {"length": 28, "purpose": "serves", "from": "10.0.0.0/16"},
            self.allocate,
            _NOTE,
        )

    def _parameters(self) -> Iterator[Parameter]:
        fields = self._record.fields
        bits = {"type": "integer", "minimum": 0, "maximum": BITS[6]}
        yield Parameter("length", "the prefix length of the block", bits, required=True)
        purpose = field_schema(fields["purpose"])
        yield Parameter("purpose", "what it is for", purpose, required=True)
        source = "the pool to take it from, by its block or its id; any of this node's if absent"
        yield Parameter("from", source, {"type": ["string", "null"]})
        yield Parameter("family", "4 or 6, where no pool is named", {"enum": [4, 6, None]})
        yield Parameter("note", "words about it", field_schema(fields["note"]))

    async def allocate(self, arguments: Arguments) -> object:
        """`range.allocate`."""
        wanted = self._read(arguments)
        if wanted.purpose != Purpose.SERVES:
            # From such a block links may come, or the node be managed: `range.add` needs no less.
            require_role(Role.ADMIN, f"range.allocate for {wanted.purpose}")
        with told_where_it_stood(arguments):
            return self._encode(await self._ranges.allocate(wanted))

    def _read(self, arguments: Arguments) -> WantedBlock:
        """The block that is wanted; raises with all that is wrong with the parameters."""
        length = read_length(arguments)
        source = pool_asked(arguments, "from")
        family = _family(arguments, length)
        purpose, note = self._value(arguments, "purpose"), self._value(arguments, "note")
        arguments.problems.raise_any()
        return WantedBlock(length, source, family, purpose, note)

    def _value(self, arguments: Arguments, name: str) -> Any:
        """One field's value; what does not fit is noted."""
        given, info = arguments.get(name), self._record.fields[name]
        if given is not None:
            return arguments.problems.attempt(
                arguments.place(name), lambda: info.kind.from_json(given)
            )
        if name in arguments.values and not info.allow_none:
            arguments.problems.add("params.missing", f"{name} must be given", arguments.place(name))
        return None


def read_length(arguments: Arguments) -> int:
    """The parameter `length`; 0 where it is none."""
    given = arguments.get("length")
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= BITS[6]:
        return given
    if given is not None or "length" in arguments.values:
        said = f"length is the number of bits of a prefix, from 1 to {BITS[4]} or {BITS[6]}"
        arguments.problems.add("range.length", said, arguments.place("length"))
    return 0


def _family(arguments: Arguments, length: int) -> int:
    """The parameter `family`, or what follows from the length."""
    given = arguments.get("family")
    if given is None:
        return 6 if length > BITS[4] else 4
    if given in (4, 6) and isinstance(given, int):
        return given
    arguments.problems.add("range.family", "family is 4 or 6", arguments.place("family"))
    return 4
