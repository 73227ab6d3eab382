"""Between the doors and the methods: whether a caller may call what it calls."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeAlias

from service.access.door import Door, Visitor
from service.access.roles import LOGIN, Role, needed_role
from service.methods.caller import Caller, calling, current_caller
from service.methods.params import Params
from service.methods.registry import Registry

Respond: TypeAlias = Callable[[str, Params], Coroutine[Any, Any, object]]


def guarded(registry: Registry, door: Door) -> Respond:
    """The registry's `respond` for those who may; raises the errors `access.*` for all others.

    Who may not get in, or calls too often, is not told whether there is such a method.
    """

    async def respond(method: str, params: Params) -> object:
        caller = current_caller()
        visitor = _visitor(caller, door)
        if method == LOGIN:
            visitor.count_stranger()
            return await registry.respond(method, params)
        visitor.count()
        registry.find(method)
        role = needed_role(method)
        principal = visitor.require(role, method)
        named = Caller(principal) if caller is None else replace(caller, principal=principal)
        with calling(named):
            result = await registry.respond(method, params)
        if role is Role.READ:
            # It may have waited for long, and what it read is not for who is shut out since.
            visitor.require(role, method)
        return result

    return respond


def _visitor(caller: Caller | None, door: Door) -> Visitor:
    """Whose call it is. A door that looks at no tokens lets its callers in as if they had none."""
    if caller is not None and caller.visitor is not None:
        return caller.visitor
    return door.visitor(None, "" if caller is None else caller.principal)
