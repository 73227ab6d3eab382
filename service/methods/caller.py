"""Who is calling, and over what: set by the transport for each call, seen by whatever it runs.

It goes along with the call's context, also into the threads of the lanes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from service.access.door import Visitor
from service.access.roles import Role
from service.methods.session import Session

LONGEST_PRINCIPAL = 120
"""Characters of a caller that the changelog keeps; whoever is longer is cut."""


@dataclass(frozen=True)
class Caller:
    """The one for whom a call is run.

    `principal` is what the changelog notes as the writer. `session` is the connection, where it
    is one that can be told things without asking. `visitor` knows the token, where there is a door
    that looks at them.
    """

    principal: str
    session: Session | None = None
    visitor: Visitor | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "principal", self.principal[:LONGEST_PRINCIPAL])


_caller: ContextVar[Caller | None] = ContextVar("herdbook_caller", default=None)


def current_caller() -> Caller | None:
    """Whose call this is; None outside of calls."""
    return _caller.get()


def require_role(role: Role, what: str) -> None:
    """Raises AccessForbidden where the caller's token has a lower role, and what `require` does.

    For what depends on the parameters: `guarded` has looked whether he may call the method at all.
    """
    caller = _caller.get()
    if caller is not None and caller.visitor is not None:
        caller.visitor.require(role, what)


def current_principal() -> str | None:
    """For whom something is written, None outside of calls."""
    caller = _caller.get()
    return None if caller is None else caller.principal


@contextmanager
def calling(caller: Caller) -> Iterator[None]:
    """Whatever is begun within the block is done for this caller."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)
