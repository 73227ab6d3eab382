"""A database that has got another origin: its triggers, which hold it, are made anew.

The new origin is drawn by the node (`service.store.herd.renewing`), together with a note that the
triggers have to follow. Until they do, the sealer puts the origin right.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from schema.capture.install import captures_in, install
from schema.connection import connected
from schema.errors import DatabaseRefused
from schema.lock import only_runner
from schema.system import node_identity

_HINT = (
    "The node has a new origin, and its triggers have to be made anew: run `herdbook schema "
    "upgrade` with the account that migrates."
)


def follow_origin(url: str, wait_seconds: float) -> bool:
    """Make the triggers anew if the origin is another one; whether that was needed.

    What was cut short is completed by the next call. Raises a SchemaError.
    """
    with connected(url) as connection:
        if _former(connection) is None:
            return False
    try:
        _make_anew(url, wait_seconds)
    except DatabaseRefused as refused:
        raise DatabaseRefused(refused.message, _HINT) from refused
    return True


def _make_anew(url: str, wait_seconds: float) -> None:
    with connected(url) as connection, only_runner(connection, wait_seconds):
        former = _former(connection)
        for capture in captures_in(connection).values():
            install(connection, capture)
        # Another origin may have been drawn meanwhile, which the triggers do not know yet.
        followed = update(node_identity).where(node_identity.c.former == former)
        connection.execute(followed.values(former=None))
        connection.commit()


def _former(connection: Connection) -> int | None:
    former: int | None = connection.scalar(select(node_identity.c.former))
    return former
