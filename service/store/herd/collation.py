"""Which values the database takes for equal, told by values that Python can compare."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from MySQLdb import Error as DriverError

from service.herd.tables import Claim
from service.store.herd.batches import batches
from service.store.herd.refusals import is_of_rows
from service.store.herd.values import HerdColumn
from service.store.transaction import Transaction

_ITEMS = 500


def folded(
    tx: Transaction, columns: Sequence[HerdColumn], claims: Sequence[Claim]
) -> list[Hashable]:
    """For each claim a value that is the same where these columns take claims for equal."""
    parts = [
        _folded_texts(tx, column.collation, [claim[at] for claim in claims])
        if column.collation is not None
        else [claim[at] for claim in claims]
        for at, column in enumerate(columns)
    ]
    return list(zip(*parts, strict=True)) if parts else []


def _folded_texts(tx: Transaction, collation: str, values: Sequence[Any]) -> list[Hashable]:
    """Their weights; with padding, spaces at the end count for nothing."""
    texts = [value if isinstance(value, str) else str(value) for value in values]
    if len(texts) < 2:
        return list(texts)
    if _pads(collation):
        texts = [text.rstrip(" ") for text in texts]
    if collation.endswith("_bin"):
        return list(texts)
    weights: dict[str, Hashable] = {}
    for part in batches(dict.fromkeys(texts), lambda text: 4 * len(text), _ITEMS):
        weights.update(zip(part, _weights(tx, collation, part), strict=True))
    return [weights[text] for text in texts]


def _weights(tx: Transaction, collation: str, texts: Sequence[str]) -> Sequence[Hashable]:
    charset = collation.partition("_")[0]
    # MariaDB's newer collations have one name for all character sets.
    charset = "utf8mb4" if charset in ("uca1400", "utf8mb3") else charset
    one = f"HEX(WEIGHT_STRING(CONVERT(? USING {charset}) COLLATE {collation}))"
    try:
        return tx.rows(f"SELECT {', '.join([one] * len(texts))}", texts)[0]
    except DriverError as error:
        if not is_of_rows(error):
            raise
        # What the column's character set does not have is refused when it is written.
        return list(texts)


def _pads(collation: str) -> bool:
    """Whether spaces at the end count for nothing: MySQL's of 2016 and MariaDB's named so."""
    return not ("nopad" in collation or "_0900_" in collation or collation == "binary")
