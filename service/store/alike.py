"""Keys of one call as the server compares them: by its collations, not letter by letter."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import product

from records.kinds.text import TextKind
from records.validation import Key, Row
from records.values import RecordInfo
from service.store.order import Alike, own_references
from service.store.transaction import Transaction

_PIECE_BYTES = 3 * 2**20
"""Texts of one list in a statement, which has two. The driver may write two bytes for each, and
all of it stays below MariaDB's max_allowed_packet of 16 MiB."""

# Else the server sorts by the beginnings of long texts, and equal ones are not side by side.
_SORTED_BYTES = 8192


def alike(tx: Transaction, record: RecordInfo, rows: Sequence[Row]) -> Alike:
    """For each text in the key of a class: what stands for it, the same for those that are equal.

    It covers keys, and references of the class to itself. The server is asked only where such a
    reference leads to none of the rows as it is written.
    """
    textual = {
        place: kind
        for place, name in enumerate(record.key)
        if isinstance(kind := record.fields[name].kind, TextKind)
    }
    if not textual:
        return {}
    keys = {tuple(row.get(name) for name in record.key) for row in rows}
    lost = _lost_targets(record, rows, keys)
    if not lost:
        return {}
    return {
        record.key[place]: _leaders(
            tx,
            kind,
            {target[place] for target in lost},
            {str(key[place]) for key in keys if key[place] is not None},
        )
        for place, kind in textual.items()
    }


def _lost_targets(record: RecordInfo, rows: Sequence[Row], keys: set[Key]) -> set[Key]:
    """The keys that rows refer to and that none of them has, as they are written."""
    targets = {
        tuple(row.get(name) for name in info.fields)
        for info in own_references(record)
        for row in rows
    }
    return {target for target in targets - keys if None not in target}


def _leaders(
    tx: Transaction, kind: TextKind, lost: set[str], keys: set[str]
) -> Mapping[Hashable, Hashable]:
    """For each text one that it is equal to: the same for a lost text and the keys it may mean."""
    above: dict[str, str] = {}

    def leader(text: str) -> str:
        while text in above:
            text = above[text]
        return text

    for pieces in product(_pieces(lost), list(_pieces(keys))):
        first: dict[int, str] = {}
        for text, rank in _ranked(tx, kind, list(dict.fromkeys([*pieces[0], *pieces[1]]))):
            one, other = leader(first.setdefault(rank, text)), leader(text)
            if one != other:
                above[other] = one
    return {text: leader(text) for text in lost | keys}


def _pieces(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in lists that fit into a statement."""
    piece: list[str] = []
    size = 0
    for text in texts:
        more = len(json.dumps(text, ensure_ascii=False).encode()) + 2
        if piece and size + more > _PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(text)
        size += more
    if piece:
        yield piece


def _ranked(tx: Transaction, kind: TextKind, texts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each text with a number, the same for those that are equal."""
    # Each server reads its own way of setting a variable for one statement, and skips the other's.
    ranked = tx.rows(
        f"/*M! SET STATEMENT max_sort_length = {_SORTED_BYTES} FOR */ "
        f"SELECT /*+ SET_VAR(max_sort_length = {_SORTED_BYTES}) */ "
        f"place, DENSE_RANK() OVER (ORDER BY word COLLATE {kind.collation}) "
        "FROM JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY, "
        f"word VARCHAR({kind.length}) CHARACTER SET utf8mb4 PATH '$')) AS given",
        (json.dumps(texts, ensure_ascii=False),),
    )
    return ((texts[int(place) - 1], int(rank)) for place, rank in ranked)
