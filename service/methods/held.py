"""held.list, held.retry and held.drop: what came from siblings and cannot be written here yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

from records.catalogue import Catalogue
from records.errors import Failure, pointer
from records.kinds.base import JsonSchema
from service.errors import HeldRefused
from service.methods.asked import (
    NUMBER,
    PLACE,
    Cursor,
    read_choice,
    read_class,
    read_key,
    read_limit,
)
from service.methods.held_json import REASONS, WAITING_SCHEMA, waiting_in_brief, waiting_json
from service.methods.held_port import HeldQuery, HeldRows, Retried
from service.methods.options import LIMIT, NEXT, choice_parameter, class_parameter
from service.methods.params import Arguments, Parameter, Signature
from service.methods.registry import Method, described

USUAL_RETRY, MOST_RETRIED = 100, 1_000
"""Rows tried in one transaction; while it runs nothing of siblings is applied."""

_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)

_CLASS = class_parameter("what is held")
_REASON = choice_parameter("reason", "what is held for one reason", REASONS)
_RECORD = Parameter("record", "the class of the record", {"type": ["string", "null"]})
_KEY = Parameter(
    "key",
    "the key of the record, bare or as an object; with `record`",
    {"type": ["string", "number", "object", "array", "null"]},
)
_ONE = Parameter(
    "id",
    "in place of `record` and `key`: the `id` that held.list tells, also of what no class has",
    {"type": ["string", "null"], "pattern": f"^{_ID.pattern}$"},
)
_TRIES = Parameter(
    "limit",
    f"how many are tried in this call, 1 to {MOST_RETRIED}; {USUAL_RETRY} if absent",
    {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_RETRIED},
)
_PAGE_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "held": {"type": "array", "items": WAITING_SCHEMA},
        "next": {"type": ["string", "null"]},
    },
    "required": ["held", "next"],
}
_RETRIED_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "tried": {"type": "integer", "minimum": 0},
        "written": {"type": "integer", "minimum": 0},
        "held": {"type": "array", "items": {"type": "object"}},
        "next": {"type": ["string", "null"]},
    },
    "required": ["tried", "written", "held", "next"],
}
_DROPPED_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {"entry": {"type": "integer", "minimum": 1}},
    "required": ["entry"],
}
_RETRY_NOTE = (
    "One row is tried, by `record` and `key` or by `id`; else as many as `limit` says, in one "
    "transaction, and `next` goes on with those that follow. `held` tells what could not be "
    "written, and why. What waited for others may be written in a second round only. What was "
    "dropped is tried where it is named, or its reason."
)
_DROP_NOTE = (
    "Its values go into the journal, under the number that is answered. It is not tried again by "
    "itself, and held.list shows it only with the reason `dropped`. It stays a part of what this "
    "node knows, so siblings get it all the same. It is tried once more when one of them changes "
    "the record, or by held.retry."
)


class HeldMethods:
    """The methods of what is held."""

    def __init__(self, catalogue: Catalogue, held: HeldRows) -> None:
        self._catalogue = catalogue
        self._held = held
        self._cursor = Cursor("held", at=NUMBER, place=PLACE)
        self._retries = Cursor("retry", place=PLACE)

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        some = next(iter(self._catalogue.records))
        one: dict[str, object] = {"id": "0" * 64}
        yield described(
            "held.list",
            "What came from siblings and cannot be written here yet, the eldest first; what was "
            "dropped only where that is the reason asked for.",
            Signature((_CLASS, _REASON, LIMIT, NEXT)),
            _PAGE_SCHEMA,
            {"record": some, "limit": 10},
            self.list,
        )
        yield described(
            "held.retry",
            "Try to write what is held: one row, or one after the other.",
            Signature((_CLASS, _KEY, _ONE, _REASON, _TRIES, NEXT)),
            _RETRIED_SCHEMA,
            {"reason": "refused"},
            self.retry,
            _RETRY_NOTE,
        )
        yield described(
            "held.drop",
            "Give up what is held of one record.",
            Signature((_RECORD, _KEY, _ONE)),
            _DROPPED_SCHEMA,
            one,
            self.drop,
            _DROP_NOTE,
        )

    async def list(self, arguments: Arguments) -> object:
        """`held.list`."""
        query = self._query(arguments, read_limit(arguments))
        asked = _asked(arguments)
        after = self._cursor.read(arguments, asked)
        arguments.problems.raise_any()
        place = None if after is None else (after[0], after[1])
        found = HeldQuery(query.table, query.reason, place, query.limit)
        page = await self._held.page(found)
        told = [waiting_json(self._catalogue, row, page.names) for row in page.rows]
        if page.complete:
            return {"held": told, "next": None}
        last = page.rows[-1]
        return {"held": told, "next": self._cursor.write(asked, last.held_at, last.place)}

    async def retry(self, arguments: Arguments) -> object:
        """`held.retry`."""
        if _is_one(arguments):
            place = await self._place(arguments)
            retried = await self._held.retry_one(place)
            if not retried.tried:
                _refuse(arguments)
            return self._retried(retried, {})
        query = self._query(arguments, read_limit(arguments, USUAL_RETRY, MOST_RETRIED))
        asked = _asked(arguments)
        after = self._retries.read(arguments, asked)
        arguments.problems.raise_any()
        retried = await self._held.retry(query, None if after is None else after[0])
        return self._retried(retried, asked)

    async def drop(self, arguments: Arguments) -> object:
        """`held.drop`."""
        number = await self._held.drop(await self._place(arguments))
        if number is None:
            _refuse(arguments, "nothing is held of this record, or it was dropped before")
        return {"entry": number}

    def _query(self, arguments: Arguments, limit: int) -> HeldQuery:
        record = read_class(arguments, self._catalogue)
        reason = read_choice(arguments, "reason", REASONS)
        return HeldQuery(None if record is None else record.table, reason, None, limit)

    def _retried(self, retried: Retried, asked: dict[str, object]) -> dict[str, object]:
        more = None if retried.next is None else self._retries.write(asked, retried.next)
        return {
            "tried": retried.tried,
            "written": retried.tried - len(retried.still),
            "held": [waiting_in_brief(self._catalogue, row) for row in retried.still],
            "next": more,
        }

    async def _place(self, arguments: Arguments) -> bytes:
        """Which row is meant, by `id` or by `record` and `key`."""
        problems, given = arguments.problems, arguments.get("id")
        if given is not None:
            if arguments.get("record") is not None or arguments.get("key") is not None:
                said = "id and record cannot be given together"
                problems.add("params.conflicting", said, arguments.place("id"))
            if not isinstance(given, str) or not _ID.fullmatch(given):
                said = "id is what held.list tells, 64 digits of it"
                problems.add("value.bad_format", said, arguments.place("id"))
            problems.raise_any()
            return bytes.fromhex(str(given))
        return await self._named(arguments)

    async def _named(self, arguments: Arguments) -> bytes:
        problems = arguments.problems
        record = read_class(arguments, self._catalogue)
        for name in ("record", "key"):
            if arguments.get(name) is None:
                said = f"{name} must be given, or id"
                problems.add("params.missing", said, arguments.place(name))
        key = None if record is None or problems.failures else read_key(arguments, record)
        problems.raise_any()
        assert record is not None
        assert key is not None
        place = await self._held.find(record, key)
        if place is None:
            _refuse(arguments)
        return place


def _is_one(arguments: Arguments) -> bool:
    return arguments.get("id") is not None or arguments.get("key") is not None


def _asked(arguments: Arguments) -> dict[str, object]:
    return {name: arguments.get(name) for name in ("record", "reason")}


def _refuse(arguments: Arguments, said: str = "nothing is held of this record") -> NoReturn:
    """Raise HeldRefused."""
    name = "id" if arguments.get("id") is not None else "key"
    place = pointer(*arguments.place(name))
    raise HeldRefused([Failure("held.unknown", said, place)])
