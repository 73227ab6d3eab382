"""The three roles, and which of them each method needs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

LOGIN = "session.login"
"""The one method that needs no role: with it a token is shown over a connection that stays."""


class Role(enum.IntEnum):
    """What a token lets do; each role may do all that those before it may."""

    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As commands and messages name it."""
        return self.name.lower()


ROLES: Mapping[str, Role] = MappingProxyType({role.word: role for role in Role})
"""The roles by their words, the smallest first."""

# Followers keep their own place in the feed, so that is part of reading.
_READING = (
    *("feed.read", "feed.subscribe", "feed.unsubscribe"),
    *("feed.consumers", "feed.register", "feed.acknowledge"),
    *("herd.status", "herd.graph", "herd.tables", "herd.digests", "herd.rows", "herd.states"),
    *("herd.violations", "herd.fetch"),
    *("journal.list", "journal.show", "held.list"),
    *("range.locate", "range.free", "range.summary", "range.disputes"),
    *("schema.describe", "system.listMethods", "system.methodHelp", "system.methodSignature"),
)
# For other purposes than `serves` it needs the highest, which the method sees to.
_WRITING = ("range.allocate",)
_OPERATING = (
    *("feed.forget", "herd.mend", "journal.restore", "held.retry", "held.drop"),
    *("range.add", "range.import", "range.release", "range.split", "range.merge", "node.update"),
)
_BUILT_IN = (
    dict.fromkeys(_READING, Role.READ)
    | dict.fromkeys(_WRITING, Role.WRITE)
    | dict.fromkeys(_OPERATING, Role.ADMIN)
)
_BY_VERB = dict.fromkeys(("get", "list", "count", "list_deleted"), Role.READ) | dict.fromkeys(
    ("create", "update", "upsert", "delete", "restore", "add", "remove", "clear"), Role.WRITE
)


def needed_role(method: str) -> Role:
    """The role that a method needs, by its name; what is not known here needs the highest."""
    verb = method.rpartition(".")[2]
    return _BUILT_IN.get(method) or _BY_VERB.get(verb, Role.ADMIN)
