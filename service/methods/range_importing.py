"""range.import: many ranges in one call, as they stand in a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from records.errors import Failure, ValueRefused
from records.kinds.base import JsonSchema
from records.values import RecordInfo
from service.methods.asked import read_flag
from service.methods.describe import field_schema
from service.methods.family_port import NewRange, Ranges
from service.methods.params import Arguments, Parameter, Signature
from service.methods.registry import Method, described
from service.methods.subjects import listed_records
from service.ranges.notation import read_block
from service.ranges.values import Purpose, refuse_everything

_NOTE = (
    "What is said of `range.add` holds for each of them. Those that are there already are passed "
    "over, so a call may be sent again. Those of one call are judged beside what is there, and may "
    "lie in each other's pools, but not exclude each other. With `dry_run` nothing is written, and "
    "all that is wrong is told."
)
_RESULT: JsonSchema = {
    "type": "object",
    "properties": {
        "added": {"type": "integer", "minimum": 0},
        "there": {"type": "integer", "minimum": 0},
    },
    "required": ["added", "there"],
}
_NAMES = ("node", "cidr", "purpose", "note")


class RangeImporting:
    """The method that takes many ranges."""

    def __init__(self, record: RecordInfo, ranges: Ranges) -> None:
        self._record = record
        self._ranges = ranges

    def methods(self) -> Iterator[Method]:
        """The method with its description."""
        wide = "take every address there is, also as peers, pool or admin"
        yield described(
            "range.import",
            "Give many blocks of addresses to nodes: all or none.",
            Signature(
                (
                    Parameter("ranges", "the new ranges", self._schema(), required=True),
                    Parameter("everything", wide, {"type": ["boolean", "null"]}),
                    Parameter("dry_run", "write nothing", {"type": ["boolean", "null"]}),
                )
            ),
            _RESULT,
            {"ranges": [{"node": "barn", "cidr": "10.0.0.0/24", "purpose": "serves"}]},
            self.take,
            _NOTE,
        )

    def _schema(self) -> JsonSchema:
        fields = self._record.fields
        properties = {name: field_schema(fields[name]) for name in ("cidr", "purpose", "note")}
        item = {
            "type": "object",
            "properties": {"node": {"type": ["string", "null"]}, **properties},
            "required": ["cidr", "purpose"],
            "additionalProperties": False,
        }
        return {"type": "array", "items": item}

    async def take(self, arguments: Arguments) -> object:
        """`range.import`."""
        subjects = listed_records(arguments, "ranges")
        everything = read_flag(arguments, "everything")
        write = not read_flag(arguments, "dry_run")
        known: list[Failure] = []
        wanted = [
            self._read(item, index, everything, known) for index, item in enumerate(subjects.items)
        ]
        subjects.refuse_all(arguments.problems, known)
        with subjects.told():
            found = await self._ranges.add_all([each for each in wanted if each], write)
        return found._asdict()

    def _read(
        self, item: object, index: int, everything: bool, known: list[Failure]
    ) -> NewRange | None:
        """One range; None where anything is wrong with it, which is noted."""
        if not isinstance(item, Mapping):
            said = "a range is an object with cidr and purpose, perhaps node and note"
            known.append(Failure("value.wrong_type", said, "", index))
            return None
        reading = _Reading(item, index, known)
        before = len(known)
        reading.refuse_unknown()
        block = reading.value("cidr", _block)
        purpose = reading.value("purpose", self._record.fields["purpose"].kind.from_json)
        node = reading.value("node", _name, needed=False)
        note = reading.value("note", self._record.fields["note"].kind.from_json, needed=False)
        if block is not None and purpose is not None:
            reading.attempt(
                "cidr", lambda: refuse_everything(block, Purpose(purpose), meant=everything)
            )
        return NewRange(node, block, purpose, note) if len(known) == before else None


class _Reading:
    """Reads the values of one range; what is wrong is noted at its place."""

    def __init__(self, item: Mapping[str, Any], index: int, known: list[Failure]) -> None:
        self._item, self._index, self._known = item, index, known

    def refuse_unknown(self) -> None:
        """Note that there are values of no name that is known."""
        if unknown := [name for name in self._item if name not in _NAMES]:
            said = f"there is no {str(unknown[0])[:100]} here; known are {', '.join(_NAMES)}"
            self._note("params.unknown", said, "")

    def value(self, name: str, read: Any, *, needed: bool = True) -> Any:
        """A value; None where it is absent or wrong."""
        given = self._item.get(name)
        if given is None:
            if needed:
                self._note("params.missing", f"{name} must be given", f"/{name}")
            return None
        return self.attempt(name, lambda: read(given))

    def attempt(self, name: str, convert: Any) -> Any:
        """What `convert` gives; None where it refuses."""
        try:
            return convert()
        except ValueRefused as refused:
            self._note(refused.code, refused.message, f"/{name}")
            return None

    def _note(self, code: str, message: str, place: str) -> None:
        self._known.append(Failure(code, message, place, self._index))


def _block(given: object) -> Any:
    if not isinstance(given, str):
        raise ValueRefused("value.wrong_type", "cidr is a block such as 10.0.0.0/8, a text")
    return read_block(given)


def _name(given: object) -> str:
    if not isinstance(given, str):
        raise ValueRefused("value.wrong_type", "node is the name of a node, a text")
    return given
