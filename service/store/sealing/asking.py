"""Keys that a table can be asked for, told from those that it cannot.

The tables may have changed since an entry was written: a key of another shape is no key any more.
And a session that is laxer than ours may have written a key that the server does not compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from MySQLdb import Error as DriverError

from service.store.sealing.keys import TableKeys, is_absent, structure_is_locked
from service.store.sealing.troubles import is_everybodys
from service.store.transaction import Transaction

Ask: TypeAlias = Callable[[list[bytes]], object]


def ask_apart(
    tx: Transaction, keys: TableKeys, tables: Iterable[str], wanted: Iterable[bytes], ask: Ask
) -> dict[bytes, Exception]:
    """Ask for these keys, in parts; those that cannot be asked for, and why not.

    `ask` does it for some keys, in `tables`, whose names are quoted. Raises the driver's error
    where one of these cannot be asked for anything.
    """
    for table in tables:
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
    parts = [shaped] if shaped else []
    while parts:
        part = parts.pop()
        refusal = _refusal(ask, part)
        if refusal is None:
            continue
        if len(part) == 1:
            odd[part[0]] = refusal
        else:
            half = len(part) // 2
            parts += [part[half:], part[:half]]
    return odd


def of_single_keys(error: DriverError) -> bool:
    """Whether it may be keys that the server does not take."""
    return not (is_absent(error) or structure_is_locked(error) or is_everybodys(error))


def _refusal(ask: Ask, part: list[bytes]) -> DriverError | None:
    """What the server says against being asked for these keys; None: nothing."""
    try:
        ask(part)
    except DriverError as error:
        if not of_single_keys(error):
            raise
        return error
    return None
