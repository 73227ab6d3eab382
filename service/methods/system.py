"""What the node says of itself: its methods, and the schemas of its records."""

from __future__ import annotations

from collections.abc import Iterator

from records.catalogue import Catalogue
from records.kinds.base import JsonSchema
from service.methods.describe import DIALECT, catalogue_schema, record_schema
from service.methods.params import Arguments, Parameter, Signature
from service.methods.registry import Method, Registry, described

_NAME = Parameter("name", "the method's name", {"type": "string"}, required=True)
_RECORD = Parameter("record", "the name of one record class", {"type": ["string", "null"]})


class SystemMethods:
    """system.listMethods, system.methodHelp, system.methodSignature and schema.describe."""

    def __init__(self, catalogue: Catalogue, registry: Registry) -> None:
        self._catalogue = catalogue
        self._registry = registry
        self._schemas = catalogue_schema(catalogue)

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        example = {"name": "system.listMethods"}
        yield described(
            "schema.describe",
            "The JSON Schema of every record class, or of one.",
            Signature((_RECORD,)),
            {"type": "object"},
            {"record": next(iter(self._catalogue.records))},
            self.describe,
        )
        yield described(
            "system.listMethods",
            "The names of all methods.",
            Signature(),
            {"type": "array", "items": {"type": "string"}},
            {},
            self.list_methods,
        )
        yield described(
            "system.methodHelp",
            "What a method does and takes, as text.",
            Signature((_NAME,)),
            {"type": "string"},
            dict(example),
            self.method_help,
        )
        yield described(
            "system.methodSignature",
            "The types of a method: a list with the type of the result, then those of the "
            "parameters by position. A type may be several, with | between.",
            Signature((_NAME,)),
            {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
            dict(example),
            self.method_signature,
        )

    async def describe(self, arguments: Arguments) -> object:
        """`schema.describe`."""
        name = arguments.get("record")
        known = self._catalogue.records
        if name is not None and (not isinstance(name, str) or name not in known):
            arguments.problems.class_unknown(name, known, arguments.place("record"))
        arguments.problems.raise_any()
        if name is None:
            return self._schemas
        return {"$schema": DIALECT} | record_schema(known[str(name)])

    async def list_methods(self, arguments: Arguments) -> object:
        """`system.listMethods`."""
        arguments.problems.raise_any()
        return [method.name for method in self._registry]

    async def method_help(self, arguments: Arguments) -> object:
        """`system.methodHelp`."""
        return self._named(arguments).help

    async def method_signature(self, arguments: Arguments) -> object:
        """`system.methodSignature`."""
        method = self._named(arguments)
        taken = (
            {"anyOf": [parameter.schema, {"type": "array"}]} if parameter.many else parameter.schema
            for parameter in method.signature.parameters
        )
        return [[types_of(method.result), *(types_of(schema) for schema in taken)]]

    def _named(self, arguments: Arguments) -> Method:
        """The method that is asked about."""
        name = arguments.get("name")
        if "name" in arguments.values and not isinstance(name, str):
            arguments.problems.add("value.wrong_type", "name is text", arguments.place("name"))
        arguments.problems.raise_any()
        return self._registry.find(str(name))


def types_of(schema: JsonSchema) -> str:
    """The JSON types that a schema allows, with | between."""
    if "anyOf" in schema and "type" not in schema:
        found = [name for part in schema["anyOf"] for name in types_of(part).split("|")]
        return "|".join(dict.fromkeys(found))
    given = schema.get("type", "object" if "$ref" in schema else "any")
    return given if isinstance(given, str) else "|".join(given)
