"""Everything that keeps deleted records from coming back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from records.errors import Failure, pointer
from records.validation import Key, key_to_json, row_to_json
from records.values import KeyInfo, RecordInfo, ReferenceInfo
from service.methods.undo_port import graveyard
from service.store import restore_defaults, sql, writer
from service.store.reader import forgiving_decoder, select_by_keys
from service.store.transaction import Transaction

Returning = Mapping[str, Mapping[Key, Key]]
"""Keys that are to come back, by class, each with the key at the root of its deletion."""


def faults(
    tx: Transaction, record: RecordInfo, keys: Sequence[Key | None], returning: Returning
) -> Iterator[Failure]:
    """What is wrong with each named record, and with what would come back with it.

    Writes defaults into the graveyards, so the transaction must be undone.
    """
    places = {key: index for index, key in enumerate(keys) if key is not None}
    yield from _not_kept(tx, record, places, returning)
    for name, roots in returning.items():
        look = _Look(tx, tx.catalogue.records[name], roots, record, places)
        yield from look.lacking()
        yield from look.alive()
        yield from look.taken()
        for reference in look.record.references.values():
            yield from look.missing(reference, returning)


def _not_kept(
    tx: Transaction, record: RecordInfo, places: Mapping[Key, int], returning: Returning
) -> Iterator[Failure]:
    """Records of which nothing is kept, those among them that live."""
    unknown = [key for key in places if key not in returning[record.name]]
    alive = select_by_keys(tx, record, unknown, record.key)
    for key, row in zip(unknown, alive, strict=True):
        shown = key_to_json(record, key)
        if row is not None:
            yield Failure("record.alive", f"{record.name} {shown} is not deleted", "", places[key])
        else:
            message = f"no deleted {record.name} {shown} is kept"
            yield Failure("record.not_found", message, "", places[key])


class _Look:
    """Looks at the returning rows of one class."""

    def __init__(
        self,
        tx: Transaction,
        record: RecordInfo,
        roots: Mapping[Key, Key],
        named: RecordInfo,
        places: Mapping[Key, int],
    ) -> None:
        self._tx = tx
        self.record = record
        self._roots = roots
        self._named = named
        self._places = places

    def lacking(self) -> Iterator[Failure]:
        """Rows without a value that they must have; those with a default have it from then on."""
        for key, found in restore_defaults.fill(self._tx, self.record, list(self._roots)):
            yield self._failure(found.code, found.message, key, found.pointer)

    def alive(self) -> Iterator[Failure]:
        """Rows whose key is in use again."""
        for key, holder in self._joined(KeyInfo("PRIMARY", self.record.key), self.record.table):
            shown = key_to_json(self.record, holder)
            message = f"there is a {self.record.name} {shown} again"
            yield self._failure("record.alive", message, key, "")

    def taken(self) -> Iterator[Failure]:
        """Rows whose unique values another has: one that lives, or one that comes back as well."""
        for unique in self.record.uniques:
            for key, holder in self._joined(unique, self.record.table):
                # Its own key is in use again: that is told already.
                if holder != key:
                    yield self._taken(unique, key, holder, "")
            told: set[frozenset[Key]] = set()
            for key, holder in self._joined(unique, graveyard(self.record).table):
                pair = frozenset((key, holder))
                if holder != key and holder in self._roots and pair not in told:
                    told.add(pair)
                    yield self._taken(unique, key, holder, ", which is to come back too")

    def missing(self, reference: ReferenceInfo, returning: Returning) -> Iterator[Failure]:
        """Rows whose parent is neither there nor comes back."""
        parent = self._tx.catalogue.records[reference.target]
        for key, target, dead in self._orphans(reference, parent):
            if dead in returning.get(parent.name, {}):
                continue
            message = f"there is no {parent.name} {key_to_json(parent, target)}"
            if dead is not None:
                message += f"; it was deleted, and {parent.name}.restore brings it back"
            yield self._failure("reference.missing", message, key, pointer(reference.fields[0]))

    def _taken(self, unique: KeyInfo, key: Key, holder: Key, more: str) -> Failure:
        """What to say of unique values that another row has."""
        dead = graveyard(self.record)
        row = select_by_keys(self._tx, dead, [key], unique.fields, forgiving_decoder)[0] or {}
        shown = row_to_json(self.record, row)
        described = ", ".join(f"{name} {value!r}" for name, value in shown.items())
        by = f"{self.record.name} {key_to_json(self.record, holder)}"
        where = pointer(unique.fields[-1])
        return self._failure("unique.taken", f"{described} is taken by {by}{more}", key, where)

    def _failure(self, code: str, message: str, key: Key, where: str) -> Failure:
        """A failure of a row, told at the record that was named; a child's names the child."""
        index = self._places[self._roots[key]]
        if self.record is self._named and key in self._places:
            return Failure(code, message, where, self._places[key])
        whose = f"{self.record.name} {key_to_json(self.record, key)}, which went with it"
        return Failure(code, f"{whose}: {message}", "", index)

    def _joined(self, unique: KeyInfo, table: str) -> Iterator[tuple[Key, Key]]:
        """Returning rows and the rows of a table with the same values in some fields, by keys."""
        record = self.record
        names = [sql.column(record, name) for name in unique.fields]
        matches = " AND ".join(f"other.{name} = dead.{name}" for name in names)
        selected = [f"dead.{sql.column(record, name)}" for name in record.key]
        selected += [f"other.{sql.column(record, name)}" for name in record.key]
        width = len(record.key)
        for raw in self._rows(selected, f"JOIN {sql.quoted(table)} AS other ON {matches}"):
            yield (
                writer.key_from_database(record, raw[:width]),
                writer.key_from_database(record, raw[width:]),
            )

    def _orphans(
        self, reference: ReferenceInfo, parent: RecordInfo
    ) -> Iterator[tuple[Key, Key, Key | None]]:
        """Returning rows whose parent is not in its table.

        Their keys, what they call the parent, and the key of the dead parent, if it is kept.
        """
        record = self.record
        pairs = [
            (sql.column(record, here), sql.column(parent, there))
            for here, there in zip(reference.fields, reference.target_fields, strict=True)
        ]
        joins = " ".join(
            f"LEFT JOIN {sql.quoted(table)} AS {alias} ON "
            + " AND ".join(f"{alias}.{there} = dead.{here}" for here, there in pairs)
            for table, alias in ((parent.table, "p"), (graveyard(parent).table, "d"))
        )
        given = " AND ".join(f"dead.{here} IS NOT NULL" for here, _there in pairs)
        selected = [f"dead.{sql.column(record, name)}" for name in (*record.key, *reference.fields)]
        selected += [f"d.{sql.column(parent, name)}" for name in parent.key]
        first, second = len(record.key), len(record.key) + len(reference.fields)
        kinds = [record.fields[name].kind for name in reference.fields]
        decode = forgiving_decoder(reference.fields, kinds)
        for raw in self._rows(selected, joins, f"AND p.{pairs[0][1]} IS NULL AND {given}"):
            dead = None if raw[second] is None else writer.key_from_database(parent, raw[second:])
            named = tuple(decode(raw[first:second]).values())
            yield writer.key_from_database(record, raw[:first]), named, dead

    def _rows(
        self, selected: Sequence[str], join: str, more: str = ""
    ) -> Iterator[Sequence[object]]:
        """Rows of the graveyard, of those that are to come back, joined with others."""
        record, table = self.record, sql.quoted(graveyard(self.record).table)
        own = [f"dead.{sql.column(record, name)}" for name in record.key]
        for part in writer.chunks(list(self._roots), writer.ROWS_A_STATEMENT):
            wanted = ", ".join([sql.tuple_of(["?"] * len(own))] * len(part))
            yield from self._tx.rows(
                f"SELECT {', '.join(selected)} FROM {table} AS dead {join} "
                f"WHERE {sql.tuple_of(own)} IN ({wanted}) {more}",
                writer.key_parameters(record, part),
            )
