"""Keys that a table can be asked for, told from those that it cannot.

The tables may have changed since an entry was written: a key of another shape is no key any more.
And a session that is laxer than ours may have written a key that the server does not compare.
"""

from __future__ import annotations

from collections.abc import Sequence

from MySQLdb import Error as DriverError

from service.store.sealing.keys import KEYS_A_STATEMENT, TableKeys
from service.store.sealing.troubles import is_everybodys
from service.store.transaction import Transaction


def sorted_out(
    tx: Transaction, keys: TableKeys, table: str, wanted: Sequence[bytes]
) -> tuple[list[bytes], dict[bytes, Exception]]:
    """Of these keys those that `table` can be asked for, and why not for each of the others.

    `table` is the name, quoted, of a table or of its graveyard. Raises the driver's error where
    the table cannot be asked for anything.
    """
    tx.rows(f"SELECT {keys.expression('it')} FROM {table} AS it LIMIT 0")
    odd: dict[bytes, Exception] = {}
    shaped: list[bytes] = []
    for key in wanted:
        try:
            keys.parameters([key])
        except ValueError as error:
            odd[key] = error
        else:
            shaped.append(key)
    good: list[bytes] = []
    starts = range(0, len(shaped), KEYS_A_STATEMENT)
    parts = [shaped[start : start + KEYS_A_STATEMENT] for start in reversed(starts)]
    while parts:
        part = parts.pop()
        refusal = _refusal(tx, keys, table, part)
        if refusal is None:
            good += part
        elif len(part) == 1:
            odd[part[0]] = refusal
        else:
            half = len(part) // 2
            parts += [part[half:], part[:half]]
    return good, odd


def _refusal(
    tx: Transaction, keys: TableKeys, table: str, part: Sequence[bytes]
) -> DriverError | None:
    """What the server says against being asked for these keys; None: nothing."""
    question = f"SELECT 1 FROM {table} AS it FORCE INDEX (PRIMARY) WHERE "
    try:
        tx.rows(question + keys.among("it", len(part)), keys.parameters(part))
    except DriverError as error:
        if is_everybodys(error):
            raise
        return error
    return None
