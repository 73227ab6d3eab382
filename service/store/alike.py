"""Keys of one call as the server compares them: by its collations, not letter by letter."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence

from records.kinds.text import TextKind
from records.validation import Row
from records.values import RecordInfo
from service.store.order import Alike, own_references
from service.store.transaction import Transaction


def alike(tx: Transaction, record: RecordInfo, rows: Sequence[Row]) -> Alike:
    """For each text in the key of a class: what stands for it, the same for those that are equal.

    It covers keys, and references of the class to itself. The server is asked only where such a
    reference leads to none of the rows as it is written.
    """
    textual = [name for name in record.key if isinstance(record.fields[name].kind, TextKind)]
    if not textual or not _leads_elsewhere(record, rows):
        return {}
    found: dict[str, Mapping[Hashable, Hashable]] = {}
    for name in textual:
        place = record.key.index(name)
        columns = [name, *(info.fields[place] for info in own_references(record))]
        texts = [row.get(column) for row in rows for column in columns]
        found[name] = _numbers(tx, record, name, (text for text in texts if text is not None))
    return found


def _leads_elsewhere(record: RecordInfo, rows: Sequence[Row]) -> bool:
    """Whether a row refers to a key that none of them has, as it is written."""
    keys = {tuple(row.get(name) for name in record.key) for row in rows}
    targets = (
        tuple(row.get(name) for name in info.fields)
        for info in own_references(record)
        for row in rows
    )
    return any(None not in target and target not in keys for target in targets)


def _numbers(
    tx: Transaction, record: RecordInfo, field: str, texts: Iterable[str]
) -> Mapping[Hashable, int]:
    """A number for each text, the same for those that are equal in a field."""
    kind = record.fields[field].kind
    assert isinstance(kind, TextKind)
    given = list(dict.fromkeys(texts))
    ranked = tx.rows(
        f"SELECT place, DENSE_RANK() OVER (ORDER BY word COLLATE {kind.collation}) "
        "FROM JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY, "
        f"word VARCHAR({kind.length}) CHARACTER SET utf8mb4 PATH '$')) AS given",
        (json.dumps(given),),
    )
    return {given[int(place) - 1]: int(rank) for place, rank in ranked}
