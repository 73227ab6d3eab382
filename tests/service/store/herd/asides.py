"""The methods about what was put aside, on a member of a herd, without a reactor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from service.herd.status import HerdState
from service.methods.api import build_registry
from service.methods.herd_api import HerdPorts
from service.store.herd.figures import StoredHerdFigures
from service.store.herd.held_rows import StoredHeld
from service.store.herd.journal_pages import StoredJournal
from service.store.records import StoredRecords
from service.store.settings import SessionSettings
from service.store.threads import Lane
from tests.service.methods.calls import Api, Statements
from tests.service.store.direct import DirectLane
from tests.service.store.herd.herds import Member
from tests.service.store.tools import working


@contextmanager
def api(member: Member, name: str = "here") -> Iterator[Api]:
    """All methods of a node, with its lanes in the test's own thread."""
    with ExitStack() as stack:

        def lane(settings: SessionSettings | None = None) -> Lane:
            worker = stack.enter_context(working(member.url, member.catalogue, settings))
            return cast(Lane, DirectLane(worker))

        reading, writing = lane(SessionSettings(autocommit=True)), lane()
        worker = member.worker()
        stack.callback(worker.close)
        applying: Any = DirectLane(worker)
        ports = HerdPorts(
            StoredHerdFigures(reading, lambda: HerdState(name, None, {}, schema="ranch 1")),
            StoredJournal(reading, writing, name),
            StoredHeld(reading, applying, name),
        )
        records = StoredRecords(member.catalogue, reading, writing)
        yield Api(build_registry(member.catalogue, records, herd=ports), Statements())


def call(member: Member, method: str, **params: Any) -> Any:
    """The result of one call."""
    with api(member) as methods:
        return methods.call(method, params)


def refused(member: Member, method: str, **params: Any) -> Any:
    """The error of one call that must be refused."""
    with api(member) as methods:
        return methods.refused(method, params)


def entries(member: Member, **params: Any) -> list[Any]:
    """The entries of the journal."""
    found: list[Any] = call(member, "journal.list", **params)["entries"]
    return found


def the_entry(*members: Member) -> tuple[Member, dict[str, Any]]:
    """The only entry of all their journals, and whose it is."""
    found = [(member, entry) for member in members for entry in entries(member)]
    assert len(found) == 1, found
    return found[0]
