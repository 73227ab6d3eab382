"""Two nodes with the same rows, as `herdbook verify` asks them, without processes between."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import msgspec

from records import Integer, Record
from records.catalogue import Catalogue, catalogue_of
from records.fields import Field
from records.kinds.documents import JsonKind
from service.cli.verify_node import AskedNode
from service.cli.verify_tables import Found, Pair, Task, compare
from service.methods.api import build_registry
from service.methods.comparing_api import ComparingPorts
from service.methods.registry import Registry
from service.rpc.codec import encode
from service.store.herd.mending import StoredMending
from service.store.herd.session import ApplyingSession
from service.store.herd.verifying import StoredVerifying
from service.store.settings import SessionSettings
from tests.service.methods.calls import SameThread, finished
from tests.service.store.herd.ranch import Horse, Ranch, Stable, Ticket
from tests.service.store.specimens import ALL_KINDS, Specimen, field_name
from tests.service.store.tools import working

Answer = TypeVar("Answer", bound=msgspec.Struct)

PLAIN_KINDS = [kind for kind in ALL_KINDS if not isinstance(kind, JsonKind)]

_make_class: Any = type(Record)
Plain = _make_class(
    "Plain",
    (Record,),
    {
        "__module__": __name__,
        "number": Integer(primary=True),
        **{field_name(kind): Field(kind, allow_none=True) for kind in PLAIN_KINDS},
    },
)
"""A field of every kind whose digest the servers compute: all but JSON."""

CATALOGUE = catalogue_of([Plain, Specimen, Ranch, Stable, Horse, Ticket])
PLAIN, SPECIMEN = CATALOGUE.records["plain"], CATALOGUE.records["specimen"]
SEED = 0x123456789ABCDEF0123456789ABCDEF0


@dataclass(frozen=True)
class DirectNode(AskedNode):
    """A node whose methods are called in the test's own process; its answers are JSON."""

    registry: Registry = field(default_factory=Registry)

    def _ask(self, method: str, params: Mapping[str, object], form: type[Answer]) -> Answer:
        answer = finished(self.registry.respond(method, json.loads(json.dumps(params))))
        return msgspec.json.decode(encode(answer), type=form)


@contextmanager
def asked(url: str, catalogue: Catalogue = CATALOGUE) -> Iterator[DirectNode]:
    """The node on a database."""
    with (
        working(url, catalogue, SessionSettings(autocommit=True)) as worker,
        working(url, catalogue, ApplyingSession()) as applier,
    ):
        lane, applying = cast("Any", SameThread(worker)), cast("Any", SameThread(applier))
        registry = build_registry(
            catalogue,
            cast("Any", None),
            comparing=ComparingPorts(StoredVerifying(lane), StoredMending(lane, applying)),
        )
        yield DirectNode(url, 10.0, registry)


def registry_of(node: AskedNode) -> Registry:
    """The methods of such a node."""
    assert isinstance(node, DirectNode)
    return node.registry


def task_of(pair: Pair, table: str) -> Task:
    """The comparison of a table with all its columns."""
    (seen,) = [one for one in pair.ours.tables().tables if one.name == table]
    return Task(table, seen.columns, seen.rows)


def compared(pair: Pair, table: str) -> Found:
    """What the comparison of a table comes to."""
    return compare(pair, task_of(pair, table), SEED)


def restricted(pair: Pair, table: str, *without: str) -> Found:
    """What it comes to without some columns."""
    task = task_of(pair, table)
    columns = {number: name for number, name in task.columns.items() if name not in without}
    return compare(pair, replace(task, columns=columns), SEED)


def places(found: Found) -> set[tuple[Any, str]]:
    """Where a comparison found differences: keys, and what of their rows."""
    return {(one.shown[0], part.what) for one in found.differences for part in one.parts}
