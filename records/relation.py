"""References from child to parent, and the collections of children they make.

`Reference` and `References` are Storm's `Reference` and `ReferenceSet`; they find their columns by
themselves. A reference makes the columns that hold the parent's key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storm.expr import Desc
from storm.references import BoundReferenceSet
from storm.references import Reference as StormReference
from storm.references import ReferenceSet as StormReferenceSet

from records.errors import DeclarationError
from records.naming import reference_column
from records.registry import find_beside, find_class

RESTRICT, CASCADE, SET_NULL = "restrict", "cascade", "set_null"
ON_DELETE = (RESTRICT, CASCADE, SET_NULL)


class Reference(StormReference):  # type: ignore[misc]  # Storm has no types
    """The parent of a record: a real foreign key.

    `target` is the parent's class, its name where it is declared later, or "self". `on_delete` says
    what becomes of the child when the parent is deleted. `columns` overrides the columns' names.
    `primary` makes the reference part of the child's key, `unique` makes it one-to-one.
    """

    def __init__(
        self,
        target: type | str,
        *,
        on_delete: str = RESTRICT,
        allow_none: bool = False,
        columns: Sequence[str] | None = None,
        primary: bool = False,
        unique: bool = False,
    ) -> None:
        super().__init__((), ())
        self.target = target
        self.on_delete = on_delete
        self.allow_none = allow_none
        self.columns = None if columns is None else tuple(columns)
        self.primary = primary
        self.unique = unique

    def target_class(self, owner: type) -> type | None:
        """The parent's class, or None while it is not declared."""
        if not isinstance(self.target, str):
            return self.target
        return owner if self.target == "self" else find_beside(self.target, near=owner)

    def look_elsewhere(self, owner: type) -> None:
        """Take the parent from another module, if its own has none of that name.

        Only once all is declared: before, the one that is meant may be yet to come.
        """
        if isinstance(self.target, str) and self.target_class(owner) is None:
            self.target = find_class(self.target, near=owner) or self.target

    def field_names(self, own_name: str, key: Sequence[str]) -> tuple[str, ...]:
        """The names of the fields that hold the parent's key."""
        return tuple(reference_column(own_name, part) for part in key)

    def connect(self, local: Sequence[Any], remote: Sequence[Any]) -> None:
        """Tell Storm the columns here and there, once both are known."""
        self._local_key, self._remote_key = tuple(local), tuple(remote)


class _Children(BoundReferenceSet):  # type: ignore[misc]  # Storm has no types
    """The children of one parent."""

    def clear(self, *args: Any, **kwargs: Any) -> None:
        """Let go of all children (or those that match), without deleting them.

        Storm's own takes the columns' names for attributes, which fails where they differ.
        """
        for child in self.find(*args, **kwargs):
            self.remove(child)


class References(StormReferenceSet):  # type: ignore[misc]  # Storm has no types
    """The children of a record: `References("City.country", order_by="name")`.

    `order_by` is a field name of the child or several; a leading minus turns the order round.
    """

    def __init__(self, child: str, *, order_by: str | Sequence[str] = ()) -> None:
        super().__init__((), ())
        self.child = child
        self.order_by = (order_by,) if isinstance(order_by, str) else tuple(order_by)

    def resolve(self, owner: type) -> tuple[type, Reference, str]:
        """The child's class, its reference and the reference's name.

        Raises DeclarationError if there is no such class or reference.
        """
        class_name, _, reference_name = self.child.rpartition(".")
        child = find_class(class_name, near=owner)
        reference = None if child is None else vars(child).get(reference_name)
        if child is None or not isinstance(reference, Reference):
            raise DeclarationError(
                [f'References("{self.child}"): there is no such reference; write "Class.reference"']
            )
        return child, reference, reference_name

    def __get__(self, local: Any, cls: type | None = None) -> Any:
        """The children of `local`; on the class, the collection itself."""
        bound = super().__get__(local, cls)
        if local is None:
            return bound
        return _Children(bound._relation, local, bound._order_by)

    def _build_relations(self) -> None:
        """Storm's hook, called at the first use: find the columns, then let Storm go on."""
        child, reference, name = self.resolve(self._cls)
        parent: Any = self._cls
        key = parent.__storm_primary__
        self._local_key1 = tuple(getattr(parent, part) for part in key)
        self._remote_key1 = tuple(getattr(child, own) for own in reference.field_names(name, key))
        self._default_order_by = tuple(_ordered(child, part) for part in self.order_by) or None
        super()._build_relations()


def _ordered(child: type, part: str) -> Any:
    """The child's column to sort by, turned round where a minus stands before it."""
    column = getattr(child, part.removeprefix("-"))
    return Desc(column) if part.startswith("-") else column
