"""The methods by name, and the way from a call to its method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from records.kinds.base import JsonSchema
from records.validation import suggest
from service.errors import MethodUnknown
from service.methods.help import help_text
from service.methods.params import Arguments, Params, Signature, bind

Handler: TypeAlias = Callable[[Arguments], Awaitable[object]]

_LONGEST_SHOWN = 100


@dataclass(frozen=True)
class Method:
    """One thing that can be asked, with all that is told about it.

    `example` are parameters by name that the method takes.
    """

    name: str
    summary: str
    help: str
    signature: Signature
    result: JsonSchema = field(repr=False)
    example: dict[str, object]
    handler: Handler = field(repr=False)


def described(
    name: str,
    summary: str,
    signature: Signature,
    result: JsonSchema,
    example: dict[str, object],
    handler: Handler,
    *notes: str,
) -> Method:
    """One method with its help, to which the notes belong."""
    text = help_text(name, summary, signature, example, notes)
    return Method(name, summary, text, signature, result, example, handler)


class Registry:
    """All methods of a node."""

    def __init__(self, methods: Iterable[Method] = ()) -> None:
        self._methods: dict[str, Method] = {}
        for method in methods:
            self.add(method)

    def add(self, method: Method) -> None:
        """Take in one more method; raises ValueError where there is one of this name."""
        if method.name in self._methods:
            raise ValueError(f"there are two methods called {method.name}")
        self._methods[method.name] = method

    def __iter__(self) -> Iterator[Method]:
        """The methods in the order of their names."""
        return (self._methods[name] for name in sorted(self._methods))

    def find(self, name: str) -> Method:
        """The method of this name; raises MethodUnknown."""
        method = self._methods.get(name)
        if method is None:
            shown = name[:_LONGEST_SHOWN]
            raise MethodUnknown(f"there is no method {shown}{suggest(shown, self._methods)}")
        return method

    async def respond(self, name: str, params: Params) -> object:
        """The result of a call, as JSON; raises the errors of `service.errors`."""
        method = self.find(name)
        return await method.handler(bind(method.signature, params))
