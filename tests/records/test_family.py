"""Herdbook's own family beside the classes of an application."""

from __future__ import annotations

import pytest

from records import DeclarationError, Record, Reference, References, Text
from records.catalogue import (
    catalogue_of,
    is_built_in,
    load_catalogue,
    with_family,
    without_family,
)
from records.family import FAMILY, Node
from schema.capture.columns import graveyard_of
from schema.system import is_system_table


class Farm(Record):
    """Something of an application's own."""

    name = Text(length=9)


def test_the_family_comes_after_the_applications_own_classes() -> None:
    """Once, however often it is asked for; and is taken out again."""
    own = catalogue_of([Farm])
    both = with_family(with_family(own))
    assert list(both.records) == ["farm", "node", "range"]
    assert [is_built_in(record) for record in both.records.values()] == [False, True, True]
    assert without_family(both) == own


def test_a_loaded_catalogue_has_it() -> None:
    """That is what nodes and commands work with."""
    assert list(load_catalogue("examples.gazetteer.records").records) == [
        "country", "city", "node", "range",
    ]  # fmt: skip


def test_ranges_go_with_their_node() -> None:
    """And both tables, with their graveyards' names, are Herdbook's own."""
    family = with_family(catalogue_of([Farm])).records
    assert family["range"].references["node"].on_delete == "cascade"
    for name in ("node", "range"):
        assert is_system_table(family[name].table)
        assert len(graveyard_of(family[name].table)) <= 64


@pytest.mark.parametrize("target", FAMILY)
def test_no_class_of_an_application_refers_to_it(target: type[Record]) -> None:
    """It is told which reference, and what to do."""
    stray = type("Stray", (Record,), {"place": Reference(target), "__module__": __name__})
    with pytest.raises(DeclarationError) as told:
        catalogue_of([stray])
    assert told.value.problems[0].startswith(
        f"Stray.place: {target.__name__} belongs to Herdbook and may go by itself"
    )


def test_no_class_of_an_application_has_its_names() -> None:
    """They belong to the API."""
    twin = type("Range", (Record,), {"name": Text(length=9), "__module__": __name__})
    with pytest.raises(DeclarationError, match="the name 'range' belongs to the API"):
        catalogue_of([twin])


def test_it_reads_like_any_family() -> None:
    """The collection of a node's ranges is ordered by their blocks."""
    assert isinstance(vars(Node)["ranges"], References)
    described = with_family(catalogue_of([Farm])).records["node"].collections["ranges"]
    assert (described.child, [part.field for part in described.order_by]) == ("range", ["cidr"])
