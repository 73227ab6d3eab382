"""list, add, remove and clear, for each collection of children."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from records.catalogue import Catalogue
from records.errors import Failure, pointer
from records.kinds.base import JsonSchema
from records.validation import Key, Parsed, Suggest, complete, key_to_json, parse_key
from records.values import CollectionInfo, RecordInfo
from service.errors import NotFound
from service.methods.describe import (
    count_schema,
    key_schema,
    one_or_many,
    page_schema,
    partial_record,
    record_ref,
)
from service.methods.examples import example_key, example_new
from service.methods.help import help_text
from service.methods.listing import ListParser
from service.methods.options import key_parameter, list_parameters, parent_parameter
from service.methods.params import Arguments, Parameter, Signature
from service.methods.paths import own_path
from service.methods.ports import Child, Existing, New, Records
from service.methods.problems import Place
from service.methods.query import Comparison
from service.methods.registry import Handler, Method
from service.methods.subjects import (
    Subjects,
    encoder,
    read_keys,
    read_record,
    read_subjects,
    repeated,
    where_to_look,
)


class CollectionMethods:
    """The methods of one collection."""

    def __init__(
        self,
        catalogue: Catalogue,
        parent: RecordInfo,
        collection: CollectionInfo,
        store: Records,
    ) -> None:
        self._catalogue = catalogue
        self._parent = parent
        self._collection = collection
        self._store = store
        self._child = catalogue.records[collection.child]
        self._reference = self._child.references[collection.reference]
        self._encode = encoder(self._child, tuple(self._child.fields))
        self._delete = Parameter(
            "delete",
            "true deletes the children; else they stay, without a "
            f"{self._reference.name}, where they may",
            {"type": ["boolean", "null"]},
        )

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        parent, child, of = self._parent, self._child, example_key(self._parent)
        children = parent_parameter(parent)
        yield self._method(
            "list",
            f"A page of the {child.name} records of one {parent.name}, in order.",
            Signature((children, *list_parameters(child))),
            page_schema(child),
            {"of": of, "limit": 10},
            self.page,
            "The answer holds `records` and `next`: null on the last page.",
        )
        yield self._method(
            "add",
            f"Move {child.name} records to one {parent.name}, or create them there: all or none.",
            Signature((children, self._added())),
            one_or_many(record_ref(child)),
            {"of": of, "record": example_new(child, self._reference.fields)},
            self.add,
            "A bare key, or an object of exactly the key's fields, moves the record that is there; "
            "an object with other fields is a new one. The whole records come back.",
        )
        yield self._method(
            "remove",
            f"Let go of {child.name} records of one {parent.name}: all or none.",
            Signature((children, key_parameter(child), self._delete)),
            count_schema("removed"),
            {"of": of, "record": example_key(child), "delete": True},
            self.remove,
        )
        yield self._method(
            "clear",
            f"Let go of all {child.name} records of one {parent.name}.",
            Signature((children, self._delete)),
            count_schema("removed"),
            {"of": of, "delete": True},
            self.clear,
        )

    def _added(self) -> Parameter:
        """What add takes."""
        child = self._child
        return Parameter(
            "record",
            f"the key ({', '.join(child.key)}) of one that is there, or the fields of a new one; "
            "`records` takes a list of either",
            {"anyOf": [key_schema(child), partial_record(child)]},
            required=True,
            many="records",
        )

    def _method(
        self,
        verb: str,
        summary: str,
        signature: Signature,
        result: JsonSchema,
        example: dict[str, object],
        handler: Handler,
        note: str = "",
    ) -> Method:
        """One method with its help."""
        name = f"{self._parent.name}.{self._collection.name}.{verb}"
        text = help_text(name, summary, signature, example, [note] if note else [])
        return Method(name, summary, text, signature, result, example, handler)

    async def page(self, arguments: Arguments) -> object:
        """`<record>.<children>.list`: one statement, and one more where it finds nothing."""
        parent = self._of(arguments)
        listing = ListParser(self._catalogue, self._child, arguments).listing(
            self._collection.order_by,
            () if parent is None else self._children_of(parent),
            [self._parent.name, self._collection.name, arguments.get("of")],
        )
        arguments.problems.raise_any()
        assert listing is not None
        assert parent is not None
        rows, following = listing.cut(await self._store.page(self._child, listing.query))
        if not rows:
            await self._require(parent, arguments.place("of"))
        encode = encoder(self._child, listing.fields)
        return {"records": [encode(row) for row in rows], "next": following}

    async def add(self, arguments: Arguments) -> object:
        """`<record>.<children>.add`."""
        subjects = read_subjects(arguments)
        parent = self._of(arguments)
        suggest = arguments.problems.suggest
        read = [
            self._read_child(parent, item, at, suggest) for at, item in enumerate(subjects.items)
        ]
        known = [failure for _child, failures in read for failure in failures]
        known += repeated(
            child.key if isinstance(child, Existing) else None for child, _failures in read
        )
        subjects.refuse(arguments.problems, known)
        assert parent is not None
        with subjects.told(arguments.place("of")):
            rows = await self._store.add(
                self._parent, self._collection, parent, [child for child, _f in read], known
            )
        return subjects.answer([self._encode(row) for row in rows])

    async def remove(self, arguments: Arguments) -> object:
        """`<record>.<children>.remove`."""
        subjects = read_subjects(arguments)
        parent = self._of(arguments)
        delete = self._read_delete(arguments)
        keys, known = read_keys(self._child, subjects.items, arguments.problems.suggest)
        subjects.refuse(arguments.problems, known)
        assert parent is not None
        with subjects.told(arguments.place("of")):
            removed = await self._store.remove(
                self._parent, self._collection, parent, keys, delete, known
            )
        return {"removed": removed}

    async def clear(self, arguments: Arguments) -> object:
        """`<record>.<children>.clear`."""
        parent = self._of(arguments)
        delete = self._read_delete(arguments)
        arguments.problems.raise_any()
        assert parent is not None
        with Subjects([], True, ()).told(arguments.place("of")):
            removed = await self._store.clear(self._parent, self._collection, parent, delete)
        return {"removed": removed}

    def _of(self, arguments: Arguments) -> Key | None:
        """The parent's key, None where it is missing or wrong."""
        if "of" not in arguments.values:
            return None
        place, suggest = arguments.place("of"), arguments.problems.suggest
        key, failures = parse_key(self._parent, arguments.get("of"), place=place, suggest=suggest)
        arguments.problems.failures.extend(failures)
        return key

    def _children_of(self, parent: Key) -> tuple[Comparison, ...]:
        """The condition that makes a child one of this parent."""
        return tuple(
            Comparison(own_path(self._child, name), "=", value)
            for name, value in zip(self._reference.fields, parent, strict=True)
        )

    async def _require(self, parent: Key, place: Place) -> None:
        """Raise NotFound where there is no such parent."""
        found = await self._store.get(self._parent, [parent], self._parent.key)
        if found[0] is None:
            shown = key_to_json(self._parent, parent)
            message = f"there is no {self._parent.name} with the key {shown}"
            raise NotFound(
                [Failure("record.not_found", message, pointer(*place))],
                hint=where_to_look(self._parent),
            )

    def _read_delete(self, arguments: Arguments) -> bool:
        """Whether children are deleted; they must be where none may be without a parent."""
        value = arguments.get("delete")
        if value is not None and not isinstance(value, bool):
            arguments.problems.add(
                "value.wrong_type", "delete is true or false", arguments.place("delete")
            )
        elif not value and not self._reference.allow_none:
            arguments.problems.add(
                "reference.required",
                f"{self._child.name} records need their {self._reference.name}; delete=true "
                f"deletes them, {self._parent.name}.{self._collection.name}.add moves them",
                arguments.place("delete"),
            )
        return value is True

    def _read_child(
        self, parent: Key | None, data: object, index: int, suggest: Suggest
    ) -> tuple[Child, list[Failure]]:
        """One element of add: a child that is there, or a new one."""
        if not isinstance(data, Mapping) or set(data) == set(self._child.key):
            key, failures = parse_key(self._child, data, index, suggest=suggest)
            given = dict(zip(self._child.key, key or (), strict=False))
            return Existing(key), failures or self._elsewhere(parent, given, index)
        parsed = read_record(self._child, data, index, suggest)
        failures = [*parsed.failures, *self._elsewhere(parent, parsed.values, index)]
        values = dict(parsed.values)
        if parent is not None:
            values |= zip(self._reference.fields, parent, strict=True)
        refused = parsed.refused | set(self._reference.fields)
        whole = complete(self._child, Parsed(values, failures, refused), index)
        return New(whole.values), whole.failures

    def _elsewhere(
        self, parent: Key | None, values: Mapping[str, object], index: int
    ) -> list[Failure]:
        """A failure for each field given with a child that names another parent than this."""
        expected = dict(zip(self._reference.fields, parent or (), strict=False))
        return [
            Failure(
                "reference.other_parent",
                f"{name} names another {self._parent.name} than `of`",
                pointer(name),
                index,
            )
            for name, value in expected.items()
            if name in values and values[name] != value
        ]
