"""Which privileges Herdbook needs, on each kind of server; no SUPER, and never ALL.

Each was found by taking it away: `tests/service/privileges` does so on real servers.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.server.versions import ServerKind


@dataclass(frozen=True)
class Need:
    """A privilege, as GRANT spells it, and what does not work without it.

    `everywhere` says that it can be given for the whole server only.
    """

    privilege: str
    without: str
    everywhere: bool = False


SERVING = (
    Need("SELECT", "nothing can be read, and a node does not start"),
    Need("INSERT", "no record can be created, by a call or by a sibling"),
    Need("UPDATE", "no record can be changed, and no change gets its position for feed and links"),
    Need("DELETE", "no record can be deleted, and what is kept too long is not removed"),
)
"""On the database: without any of them a node does not do its work."""

_HEALING = Need(
    "RELOAD",
    "a node cannot heal triggers that the server has read in part (FLUSH LOCAL TABLES), so that "
    "writes to a table may be refused until somebody does",
    everywhere=True,
)

_MIGRATING = (
    Need("CREATE", "`herdbook schema upgrade` cannot create tables"),
    Need("ALTER", "`herdbook schema upgrade` cannot change tables"),
    Need("DROP", "`herdbook schema upgrade` cannot remove tables and columns"),
    Need("INDEX", "`herdbook schema upgrade` cannot create indexes"),
    Need(
        "TRIGGER",
        "`herdbook schema upgrade` cannot make the triggers that note changes, nobody can see "
        "whether they are unchanged, and those that this account made fail",
    ),
)
# MariaDB asks for no REFERENCES where there is SELECT on the parent.
_REFERRING = Need("REFERENCES", "`herdbook schema upgrade` cannot create foreign keys")


def healing(kind: ServerKind) -> tuple[Need, ...]:
    """What a node that serves should have as well."""
    return (_HEALING,) if kind is ServerKind.MARIADB else ()


def migrating(kind: ServerKind) -> tuple[Need, ...]:
    """What the account that runs migrations needs beyond serving."""
    return (*_MIGRATING, _REFERRING) if kind is ServerKind.MYSQL else _MIGRATING


def needed(kind: ServerKind, *, serve_only: bool) -> tuple[Need, ...]:
    """All that an account gets which serves, and, unless it only does that, migrates."""
    return (*SERVING, *(() if serve_only else migrating(kind)), *healing(kind))
