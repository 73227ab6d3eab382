"""A row's key as bytes: written by triggers, read back by the service.

A key of one part is the part's bytes. A key of several is each part with its length before it: two
bytes, the high one first.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from schema.capture.quoting import quoted
from schema.capture.shape import BINARY, BITS, INTEGER, MOMENT, TEXT, KeyPart

LONGEST = 3_200
"""Bytes: InnoDB's widest key has 3,072 and at most 16 parts."""

# `{0}` is the column. All give bytes that depend on the value only: not on the session's character
# set or its time zone (a TIMESTAMP is read as the seconds it is kept as; the zero moment, which is
# NULL on MariaDB, as 0).
_FORMS = {
    INTEGER: "CAST({0} AS CHAR CHARACTER SET ascii)",
    BINARY: "{0}",
    TEXT: "CAST({0} AS CHAR CHARACTER SET utf8mb4)",
    MOMENT: "CAST(COALESCE(UNIX_TIMESTAMP({0}), 0) AS CHAR CHARACTER SET ascii)",
    BITS: "CAST({0} + 0 AS CHAR CHARACTER SET ascii)",
}


def key_expression(key: Sequence[KeyPart], row: str) -> str:
    """The SQL for the key of a row, as bytes; `row` is `OLD`, `NEW` or a table's alias."""
    parts = [
        f"CAST({_FORMS[part.form].format(f'{row}.{quoted(part.name)}')} AS BINARY)" for part in key
    ]
    if len(parts) == 1:
        return parts[0]
    measured = [f"UNHEX(LPAD(HEX(LENGTH({part})), 4, '0')), {part}" for part in parts]
    return f"CONCAT({', '.join(measured)})"


def split(row_key: bytes, count: int) -> list[bytes]:
    """The parts of a key of `count` columns; raises ValueError where they do not come out even."""
    if count == 1:
        return [row_key]
    parts, at = [], 0
    while at < len(row_key):
        end = at + 2 + int.from_bytes(row_key[at : at + 2], "big")
        parts.append(row_key[at + 2 : end])
        at = end
    if at != len(row_key) or len(parts) != count:
        raise ValueError(f"{row_key.hex()} is no key of {count} parts")
    return parts


def as_read(form: str, part: bytes) -> Any:
    """What the database driver would have returned for this part of a key."""
    return _READERS[form](part)


def _moment(part: bytes) -> str:
    """Seconds since 1970 as the text of a TIMESTAMP in UTC."""
    seconds, _, fraction = part.decode("ascii").partition(".")
    moment = _EPOCH + datetime.timedelta(seconds=int(seconds))
    # The first moment that a TIMESTAMP can be is one second later.
    text = f"{moment:%Y-%m-%d %H:%M:%S}" if int(seconds) else "0000-00-00 00:00:00"
    return text + (f".{fraction}" if fraction else "")


_EPOCH = datetime.datetime(1970, 1, 1)
_READERS: dict[str, Callable[[bytes], Any]] = {
    INTEGER: int,
    BINARY: bytes,
    TEXT: bytes.decode,
    MOMENT: _moment,
    BITS: lambda part: int(part).to_bytes(8, "big"),
}
