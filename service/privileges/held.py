"""What an account may do on a database, from what SHOW GRANTS says of it.

Only privileges on the whole database or server count: those on single tables, columns or routines
say nothing about tables that come later. The lines may hold more, such as the hash of a password,
which nobody is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from service.privileges.statements import Target

ALL = "ALL PRIVILEGES"

_NAME = r"""(?:`(?:[^`]|``)*`|'(?:[^']|'')*'|[^\s@.,*`'"]+)"""
_WHO = rf"{_NAME}(?:@{_NAME})?"
_LINE = re.compile(
    rf"(?P<verb>GRANT|REVOKE) (?P<privileges>[A-Z_, ]+) ON (?P<scope>\*|{_NAME})\.\* "
    rf"(?:TO|FROM) (?P<who>{_WHO})"
)
# Tables, columns and routines; whom the account may stand for; its roles, of which those that are
# used have lines of their own.
_NOT_COUNTED = re.compile(
    rf"GRANT .+ ON (?:[A-Z]+ )*{_NAME}\.{_NAME} TO "
    rf"|GRANT PROXY ON {_WHO} TO "
    rf"|GRANT {_WHO}(?:, ?{_WHO})* TO "
    rf"|SET DEFAULT ROLE {_WHO} FOR ",
    re.DOTALL,
)


@dataclass(frozen=True)
class Held:
    """The privileges that count `here`, on the database, and those of the whole server among them.

    ALL stands for all: here for all that can be given on a database, `everywhere` for all there
    are. `unread` are the lines that were not understood, up to the account they name.
    """

    here: frozenset[str]
    everywhere: frozenset[str]
    unread: tuple[str, ...] = ()

    def gives(self, privilege: str, *, everywhere: bool) -> bool:
        """Whether it is held; `everywhere` for one that can be given on the whole server only."""
        return not {privilege, ALL}.isdisjoint(self.everywhere if everywhere else self.here)


@dataclass
class _Given:
    """What one account or role was given, and what of it was taken back for a database."""

    everywhere: set[str] = field(default_factory=set)
    on_patterns: dict[str, set[str]] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)

    def note(self, line: re.Match[str], target: Target) -> None:
        """Take in one line."""
        privileges = set(line["privileges"].split(", "))
        if line["scope"] == "*":
            self.everywhere |= privileges
            return
        name = _unquoted(line["scope"])
        if line["verb"] == "GRANT":
            self.on_patterns.setdefault(name, set()).update(privileges)
        elif name == target.database:
            self.taken_back |= privileges

    def on(self, target: Target) -> set[str]:
        """The privileges on the database."""
        # Of several patterns that fit the servers look at the most particular alone.
        fitting = [name for name in self.on_patterns if _fits(name, target)]
        chosen = max(fitting, key=_particularity, default=None)
        given = self.on_patterns[chosen] if chosen is not None else set()
        return self.everywhere - self.taken_back | given


def held_on(target: Target, lines: Iterable[str]) -> Held:
    """The privileges on the database, and on the server, that the lines give."""
    given: dict[str, _Given] = {}
    unread: list[str] = []
    for text in lines:
        line = _LINE.match(text)
        if line is not None:
            given.setdefault(line["who"], _Given()).note(line, target)
        elif _NOT_COUNTED.match(text) is None:
            unread.append(_without_account(text))
    everyone = given.values()
    return Held(
        frozenset().union(*(one.on(target) for one in everyone)),
        frozenset().union(*(one.everywhere for one in everyone)),
        tuple(unread),
    )


def _without_account(line: str) -> str:
    """What may be shown of a line: what follows, or is in quotes, may be the hash of a password."""
    return re.split(r" (?:TO|FROM|FOR|IDENTIFIED)\b|'", line, maxsplit=1)[0]


def _unquoted(name: str) -> str:
    quote = name[0]
    return name[1:-1].replace(quote * 2, quote) if quote in "`'" else name


def _fits(pattern: str, target: Target) -> bool:
    """Whether the pattern of a GRANT is about the database."""
    if target.is_literal:
        return pattern == target.database
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return re.fullmatch("".join(map(_as_regex, parts)), target.database, re.DOTALL) is not None


def _as_regex(part: str) -> str:
    wild = {"%": ".*", "_": "."}
    return wild.get(part) or re.escape(part[-1])


def _particularity(pattern: str) -> float:
    """Greater for the pattern that the servers look at first: whose first wild card is later."""
    found = re.match(r"(?:\\.|[^%_])*", pattern, re.DOTALL)
    plain = found.end() if found else 0
    return float("inf") if plain == len(pattern) else plain
