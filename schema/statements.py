"""What a statement of a migration is to its journal, decided by its first words."""

from __future__ import annotations

import enum
import hashlib
import re

_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*\n|#[^\n]*\n|/\*(?!!).*?\*/|\()*", re.DOTALL)
_WORDS = re.compile(r"[A-Za-z]+")

_DATA = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"})
_SESSION = frozenset({"SELECT", "SET", "SHOW", "DO", "USE", "DESCRIBE", "DESC", "EXPLAIN"})

_CREATED_ALREADY = frozenset({1050, 1061, 1304, 1359, 1537})
_DROPPED_ALREADY = frozenset({1051, 1091, 1305, 1360, 1539, 4091, 4092})
_ALTERED_ALREADY = frozenset(
    # Added: column, key name, primary key, foreign key (old and new numbers), check.
    {1060, 1061, 1068, 1022, 1005, 1826, 3822}
    # Dropped: column or key, check. Renamed: column, index, table.
    | {1091, 3821, 1054, 1176, 1146, 1050}
)
_DONE_ALREADY: dict[str, frozenset[int]] = {
    "CREATE": _CREATED_ALREADY,
    "DROP": _DROPPED_ALREADY,
    "ALTER": _ALTERED_ALREADY,
    "RENAME": frozenset({1050, 1146}),
}

_QUOTED = re.compile(r"`[^`]*`|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_TABLE_RENAMED = r"\bRENAME\b(?!\s+(?:COLUMN|INDEX|KEY)\b)"
# In an ALTER these say "renamed already" only where there is something to rename.
_RENAMING = {
    1054: r"\b(?:CHANGE|RENAME\s+COLUMN)\b",
    1176: r"\bRENAME\s+(?:INDEX|KEY)\b",
    1146: _TABLE_RENAMED,
    1050: _TABLE_RENAMED,
}
# MariaDB has one number for whatever is wrong with a foreign key.
_FOREIGN_KEY_REFUSED, _DUPLICATE = 1005, "errno: 121"


class Nature(enum.Enum):
    """How a statement takes part in transactions."""

    DATA = "data"
    """It changes rows, in the transaction that also holds its mark."""

    SESSION = "session"
    """It reads, or sets up the session; it must run each time."""

    DEFINITION = "definition"
    """The server commits before and after it, so its mark cannot be in one transaction with it."""


def nature_of(statement: str) -> Nature:
    """Data, session or definition; what is not known is taken for a definition."""
    word = _first_word(statement)
    if word in _DATA:
        return Nature.DATA
    return Nature.SESSION if word in _SESSION else Nature.DEFINITION


def says_done_already(statement: str, code: int, message: str) -> bool:
    """Whether an error, with its number and text, says that the statement had its effect before."""
    word = _first_word(statement)
    if code not in _DONE_ALREADY.get(word, frozenset()):
        return False
    if code == _FOREIGN_KEY_REFUSED:
        return _DUPLICATE in message
    if word == "ALTER" and code in _RENAMING:
        return re.search(_RENAMING[code], _QUOTED.sub("?", statement), re.IGNORECASE) is not None
    return True


def digest_of(statement: str) -> bytes:
    """A statement's fingerprint. Layout does not count."""
    return hashlib.sha256(" ".join(statement.split()).encode()).digest()


def _first_word(statement: str) -> str:
    start = _COMMENTS.match(statement)
    word = _WORDS.match(statement, start.end() if start else 0)
    return word[0].upper() if word else ""
