"""node.*: the nodes of the herd, read as any record, and the part of them that people decide on.

A node writes its own name and origin (`service.store.own_node`). Where it is and can be reached,
its share, and where it stands is for people to say, and any node may be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from records.catalogue import Catalogue
from records.errors import Failure
from records.values import RecordInfo
from service.methods.describe import one_or_many, record_ref
from service.methods.examples import example_key
from service.methods.node_urls import url_failures
from service.methods.options import values_parameter
from service.methods.params import Arguments, Signature
from service.methods.ports import Records
from service.methods.records import RecordMethods
from service.methods.registry import Method, described

CHANGEABLE = ("site", "urls", "weight", "state")
"""The fields of a node that are not its own business."""

_NOTE = (
    f"Only {', '.join(CHANGEABLE[:-1])} and {CHANGEABLE[-1]} can be changed; the others are what "
    "the node says of itself. Only the fields that are sent are written. The whole record comes "
    "back. `state` tells people and programs where a node stands; one that is `retired` is refused "
    "by every node that gets the record, until `herdbook herd readmit` takes it back on each."
)


class NodeMethods:
    """The methods about nodes."""

    def __init__(self, catalogue: Catalogue, record: RecordInfo, store: Records) -> None:
        self._record = record
        self._generic = RecordMethods(catalogue, record, store)

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        record = self._record
        yield from self._generic.reading()
        values = values_parameter(record, record.key, "the key, and the fields to change")
        yield described(
            "node.update",
            "Change what people say of one node or many: all or none.",
            Signature((values,), (*record.key, *CHANGEABLE)),
            one_or_many(record_ref(record)),
            {"id": example_key(record), "site": "the north hall", "weight": 2},
            self.update,
            _NOTE,
        )

    async def update(self, arguments: Arguments) -> object:
        """`node.update`."""
        return await self._generic.update(arguments, self._own)

    def _own(self, data: object, index: int) -> Iterable[Failure]:
        """A failure for each field that only the node itself writes, and each URL that is none."""
        sent = data if isinstance(data, Mapping) else {}
        for name in sent:
            if name in self._record.fields and name not in (*self._record.key, *CHANGEABLE):
                said = f"{name} is what the node says of itself, and is not changed by a call"
                yield Failure("node.own_field", said, f"/{name}", index)
        yield from url_failures(sent.get("urls"), index)
