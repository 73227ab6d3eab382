"""journal.list, journal.show and journal.restore: what merging put aside, and how it comes back."""

from __future__ import annotations

from collections.abc import Iterator

from records.catalogue import Catalogue
from records.errors import Failure, pointer
from records.kinds.base import JsonSchema
from records.validation import row_to_json
from service.errors import JournalRefused
from service.methods.asked import (
    NUMBER,
    Cursor,
    read_choice,
    read_class,
    read_flag,
    read_limit,
    read_moment,
    read_number,
)
from service.methods.feed_json import moment_json
from service.methods.journal_json import ENTRY_SCHEMA, RULES, entry_json
from service.methods.journal_port import Journal, JournalPage, JournalQuery
from service.methods.journal_restoring import read_write_back, told_of_values
from service.methods.options import LIMIT, NEXT, choice_parameter, class_parameter
from service.methods.params import Arguments, Parameter, Signature
from service.methods.registry import Method, described

_RECORD = class_parameter("entries")
_RULE = choice_parameter("rule", "entries of one rule", RULES)
_SINCE = Parameter(
    "since",
    "only entries noted at this moment or later, such as 2026-01-31T12:00:00Z",
    {"type": ["string", "null"], "format": "date-time"},
)
_NUMBER = Parameter(
    "number", "the entry's number", {"type": "integer", "minimum": 1}, required=True
)
_FIELDS = Parameter(
    "fields",
    "which of the values that lost to write back; all of them if absent",
    {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1},
)
_VALUES = Parameter(
    "values",
    "values to write in place of those that lost, by field: a unique value that is free, say",
    {"type": ["object", "null"]},
)
_AGAIN = Parameter("again", "true: also if it was restored before", {"type": ["boolean", "null"]})
_PAGE_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "entries": {"type": "array", "items": ENTRY_SCHEMA},
        "next": {"type": ["string", "null"]},
    },
    "required": ["entries", "next"],
}
_RESTORED_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "number": {"type": "integer", "minimum": 1},
        "outcome": {"enum": ["updated", "created"]},
        "record": {"type": "object"},
        "left": {"type": "array", "items": {"type": "string"}},
        "restored_at": {"type": "string", "format": "date-time"},
    },
    "required": ["number", "outcome", "record", "left", "restored_at"],
}
_LIST_NOTE = (
    "The answer holds `entries` and `next`: null on the last page. An entry tells the record, the "
    "rule and what it means, and for each field the value that lost and the one that stands, with "
    "when and on which node each was written. Large entries make a page shorter."
)
_RESTORE_NOTE = (
    "It is a write like any other: checked, noted in the feed, sent to siblings. A record that is "
    "there gets the values; one that was deleted is made again, with what is known of its other "
    "fields. `left` names columns that the class does not have any more."
)


class JournalMethods:
    """The methods of the journal."""

    def __init__(self, catalogue: Catalogue, journal: Journal) -> None:
        self._catalogue = catalogue
        self._journal = journal
        self._cursor = Cursor("journal", number=NUMBER)

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield described(
            "journal.list",
            "What lost when nodes' changes were merged, and what was repaired; the newest first.",
            Signature((_RECORD, _RULE, _SINCE, LIMIT, NEXT)),
            _PAGE_SCHEMA,
            {"record": next(iter(self._catalogue.records)), "limit": 10},
            self.list,
            _LIST_NOTE,
        )
        yield described(
            "journal.show",
            "One entry of the journal.",
            Signature((_NUMBER,)),
            ENTRY_SCHEMA,
            {"number": 1},
            self.show,
        )
        yield described(
            "journal.restore",
            "Write back what lost, in one call.",
            Signature((_NUMBER, _FIELDS, _VALUES, _AGAIN)),
            _RESTORED_SCHEMA,
            {"number": 1},
            self.restore,
            _RESTORE_NOTE,
        )

    async def list(self, arguments: Arguments) -> object:
        """`journal.list`."""
        record = read_class(arguments, self._catalogue)
        rule = read_choice(arguments, "rule", RULES)
        since = read_moment(arguments, "since")
        limit = read_limit(arguments)
        asked = {name: arguments.get(name) for name in ("record", "rule", "since")}
        below = self._cursor.read(arguments, asked)
        arguments.problems.raise_any()
        table = None if record is None else record.table
        after = None if below is None else below[0]
        page = await self._journal.page(JournalQuery(table, rule, since, after, limit))
        told = [entry_json(self._catalogue, entry, page.names) for entry in page.entries]
        more = None if page.complete else self._cursor.write(asked, page.entries[-1].number)
        return {"entries": told, "next": more}

    async def show(self, arguments: Arguments) -> object:
        """`journal.show`."""
        number = read_number(arguments, "number")
        arguments.problems.raise_any()
        page = await self._entry(number, arguments)
        return entry_json(self._catalogue, page.entries[0], page.names)

    async def restore(self, arguments: Arguments) -> object:
        """`journal.restore`."""
        number = read_number(arguments, "number")
        again = read_flag(arguments, "again")
        arguments.problems.raise_any()
        (entry,) = (await self._entry(number, arguments)).entries
        wanted, left = read_write_back(self._catalogue, entry, arguments, again)
        with told_of_values(arguments):
            written = await self._journal.write_back(wanted)
        return {
            "number": number,
            "outcome": written.outcome,
            "record": row_to_json(wanted.record, written.row),
            "left": list(left),
            "restored_at": moment_json(written.restored_at),
        }

    async def _entry(self, number: int, arguments: Arguments) -> JournalPage:
        """The page with one entry; raises JournalRefused where there is none."""
        page = await self._journal.entry(number)
        if not page.entries:
            message = f"there is no entry {number} in the journal"
            place = pointer(*arguments.place("number"))
            raise JournalRefused([Failure("entry.unknown", message, place)])
        return page
