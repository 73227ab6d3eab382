"""JSON compared by value: the servers keep its text differently."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from service.store.herd.described import HerdTable
from service.store.herd.values import HerdColumn
from service.store.transaction import Transaction

_CHECKS = (
    "SELECT c.check_clause FROM information_schema.table_constraints AS t "
    "JOIN information_schema.check_constraints AS c "
    "ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name "
    "WHERE t.constraint_type = 'CHECK' AND t.table_schema = DATABASE() AND t.table_name = ?"
)
_VALID = re.compile(r"\s*\(?json_valid\(`((?:[^`]|``)+)`\)\)?\s*", re.IGNORECASE)


def documents_of(tx: Transaction, table: HerdTable) -> tuple[HerdColumn, ...]:
    """The columns that hold JSON. On MariaDB they are text that is checked to be JSON."""
    checked = set()
    for (clause,) in tx.rows(_CHECKS, (table.name,)):
        found = _VALID.fullmatch(clause.decode() if isinstance(clause, bytes) else clause)
        if found:
            checked.add(found[1].replace("``", "`"))
    return tuple(c for c in table.columns if c.data_type == "json" or c.name in checked)


def canonical(raw: Any) -> str:
    """The one text of a document's value; of what is no JSON, the text as it is."""
    text = raw.decode() if isinstance(raw, bytes) else raw
    try:
        value = json.loads(text, parse_float=_number, parse_int=_number)
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return f"!{text}"


def digest_with(core: str, documents: Iterable[Any]) -> int:
    """A row's digest, from that of its other columns and its documents."""
    whole = hashlib.sha256(core.encode())
    for raw in documents:
        text = b"" if raw is None else canonical(raw).encode("utf-8", "surrogatepass")
        whole.update(b"N," if raw is None else b"%d:" % len(text))
        whole.update(text)
    return int.from_bytes(whole.digest()[:16], "big")


def _number(text: str) -> int | float:
    """A number by its value: 1.0 is 1, and what no server keeps as an integer is a double."""
    if text.lstrip("-").isdecimal() and -(2**63) <= int(text) < 2**64:
        return int(text)
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
