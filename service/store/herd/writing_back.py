"""Writes back what lost: an ordinary write of today, and a mark at the entry, or neither."""

from __future__ import annotations

from dataclasses import dataclass

from records.errors import Failure
from records.validation import Parsed, Row, complete
from records.values import RecordInfo
from schema.capture.triggers import NOW
from service.errors import JournalRefused
from service.methods.journal_port import Outcome, WriteBack, WrittenBack
from service.methods.ports import Change
from service.methods.undo_port import graveyard
from service.store.operations import Create, Unfit, Update, locked_rows
from service.store.reader import forgiving_decoder, select_by_keys
from service.store.transaction import Transaction


@dataclass(frozen=True)
class WritingBack:
    """The values of an entry, to be written where its row is, or as a row of their own."""

    wanted: WriteBack

    @property
    def record(self) -> RecordInfo:
        """The class that is written."""
        return self.wanted.record

    def attempt(self, tx: Transaction) -> WrittenBack:
        """Write, and mark the entry; raises JournalRefused where that was done already."""
        self._require_entry(tx)
        outcome, row = self._written(tx)
        ((now,),) = tx.rows(f"SELECT {NOW}")
        tx.execute(
            "UPDATE `herdbook_journal` SET `restored_at` = ? WHERE `number` = ?",
            (now, self.wanted.number),
        )
        return WrittenBack(outcome, row, now)

    def failures(self, tx: Transaction) -> list[Failure]:
        """What a new row lacks, and what the constraints say."""
        if self._is_there(tx):
            return self._update().failures(tx)
        new = self._new(tx)
        faulty = frozenset({0}) if new.failures else frozenset[int | None]()
        return [*new.failures, *Create(self.record, [new.values], faulty).failures(tx)]

    def _written(self, tx: Transaction) -> tuple[Outcome, Row]:
        if self._is_there(tx):
            (row,) = self._update().attempt(tx)
            return "updated", row
        new = self._new(tx)
        if new.failures:
            raise Unfit
        Create(self.record, [new.values]).attempt(tx)
        return "created", new.values

    def _update(self) -> Update:
        return Update(self.record, [Change(self.wanted.key, self.wanted.values)])

    def _is_there(self, tx: Transaction) -> bool:
        """Whether the entry's own row lives. Under another key a new row is always made."""
        wanted = self.wanted
        return wanted.key == wanted.was and bool(locked_rows(tx, self.record, [wanted.key]))

    def _new(self, tx: Transaction) -> Parsed:
        """The row to make: what the graveyard has stands where the entry says nothing."""
        wanted, fields = self.wanted, self.record.fields
        names = tuple(fields)
        dead = graveyard(self.record)
        (found,) = select_by_keys(tx, dead, [wanted.was], names, forgiving_decoder)
        kept = {
            name: value
            for name, value in (found or {}).items()
            # It was deleted before the field was added, or had a value that is none.
            if value is not None or fields[name].allow_none
        }
        key = dict(zip(self.record.key, wanted.key, strict=True))
        return complete(self.record, Parsed({**kept, **wanted.values, **key}), 0)

    def _require_entry(self, tx: Transaction) -> None:
        """Lock the entry; raises JournalRefused."""
        number = self.wanted.number
        found = tx.rows(
            "SELECT `restored_at` FROM `herdbook_journal` WHERE `number` = ? FOR UPDATE", (number,)
        )
        if not found:
            said = f"there is no entry {number} in the journal any more"
            raise JournalRefused([Failure("entry.unknown", said, "/number")])
        if found[0][0] is not None and not self.wanted.again:
            said = f"entry {number} was restored already; `again` restores it once more"
            raise JournalRefused([Failure("entry.restored", said, "/again")])
