"""Records as Storm objects: parents, children and ids behave as a user of Storm expects."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from storm.exceptions import NoneError, WrongStoreError
from storm.locals import Desc

from records import ValueRefused
from records.catalogue import load_catalogue, without_family
from service.store.records_store import RecordStore
from tests.service.store.families import (
    CATALOGUE,
    INFO,
    Branch,
    Chief,
    Land,
    Link,
    Office,
    Order,
    Shop,
    Town,
    Use,
)
from tests.service.store.families import Tag as TagRecord
from tests.service.store.tools import opened, read


@pytest.fixture
def store(families: str) -> Iterator[RecordStore]:
    """A store on the families' tables."""
    with opened(families, CATALOGUE) as store:
        yield store


def test_a_child_joins_a_parent_by_assignment(store: RecordStore) -> None:
    """`child.parent = parent` writes the foreign key, also before either has been flushed."""
    land = Land(code="DE")
    town = Town(name="Bonn")
    store.add(town)
    town.land = land
    store.flush()
    assert (town.land_id, town.land) == (land.id, land)
    assert list(land.towns) == [town]


def test_a_child_joins_a_parent_through_the_collection(families: str, store: RecordStore) -> None:
    """`parent.children.add(child)` does the same, and it is in the table after commit."""
    land = store.add(Land(code="DE"))
    land.towns.add(Town(name="Bonn"))
    land.towns.add(Town(name="Ahlen"))
    store.commit()
    assert [town.name for town in land.towns] == ["Ahlen", "Bonn"]
    assert read(families, "SELECT COUNT(*) FROM town JOIN land ON land.id = land_id") == [(2,)]


def test_ids_are_there_after_flush(store: RecordStore) -> None:
    """Every new object has its id as soon as it is written, and later ones sort later."""
    lands = [store.add(Land(code=code)) for code in ("AA", "BB", "CC")]
    store.flush()
    ids = [land.id for land in lands]
    assert all(isinstance(made, uuid.UUID) and made.version == 7 for made in ids)
    assert len(set(ids)) == 3


def test_a_collection_is_sorted_as_declared(store: RecordStore) -> None:
    """Descending by size, then by name; a query may ask for another order."""
    land = store.add(Land(code="DE"))
    for name, size in (("b", 1), ("a", 1), ("c", 9)):
        land.towns.add(Town(name=name, size=size))
    store.flush()
    assert [town.name for town in land.towns_backwards] == ["c", "a", "b"]
    assert [town.name for town in land.towns] == ["a", "b", "c"]
    assert [town.name for town in land.towns.find().order_by(Desc(Town.name))] == ["c", "b", "a"]
    assert land.towns.count() == 3


def test_a_child_that_is_removed_from_the_collection_stays(store: RecordStore) -> None:
    """`parent.children.remove(child)` lets go of it, where the reference may be NULL."""
    town = Town(name="Bonn", land=Land(code="DE"))
    shop: Any = Shop(name="books")
    store.add(town)
    town.shops.add(shop)
    store.flush()
    town.shops.remove(shop)
    store.flush()
    assert shop.town is None
    assert list(town.shops) == []
    assert store.find(Shop).one() is shop


def test_a_child_cannot_be_let_go_of_where_it_must_have_a_parent(store: RecordStore) -> None:
    """A required reference refuses None at once, before any SQL."""
    land = store.add(Land(code="DE"))
    town = Town(name="Bonn", land=land)
    store.flush()
    with pytest.raises(NoneError):
        land.towns.remove(town)


def test_a_collection_is_cleared(store: RecordStore) -> None:
    """All children are let go of, or those that match; the others stay."""
    town = store.add(Town(name="Bonn", land=Land(code="DE")))
    for name in ("a", "b", "c"):
        town.shops.add(Shop(name=name))
    store.flush()
    town.shops.clear(Shop.name == "b")
    store.flush()
    assert [shop.name for shop in town.shops] == ["a", "c"]
    town.shops.clear()
    store.flush()
    assert (town.shops.count(), store.find(Shop).count()) == (0, 3)


def test_children_are_found_by_class_and_condition(store: RecordStore) -> None:
    """`store.find` takes the fields of record classes like any Storm property."""
    land = store.add(Land(code="DE"))
    for name, size in (("a", 10), ("b", 20)):
        land.towns.add(Town(name=name, size=size))
    store.flush()
    assert [town.name for town in store.find(Town, Town.size > 15, Town.land == land)] == ["b"]
    assert store.find((Land, Town), Town.land_id == Land.id, Town.size < 15).one() is not None


def test_two_references_to_one_parent_stay_apart(store: RecordStore) -> None:
    """Each has its own column and finds its own parent."""
    one, two = store.add(Land(code="AA")), store.add(Land(code="BB"))
    town = store.add(Town(name="Bonn", land=one, twinned=two))
    store.flush()
    assert (town.land, town.twinned) == (one, two)
    assert (one.towns.count(), two.towns.count()) == (1, 0)
    town.twinned = None
    store.flush()
    assert (town.land_id, town.twinned_id) == (one.id, None)


def test_a_record_may_refer_to_its_own_class(store: RecordStore) -> None:
    """A tree: above by assignment, below as a collection, optional at the root."""
    root = store.add(Branch(name="root"))
    for name in ("y", "x"):
        root.below.add(Branch(name=name))
    store.flush()
    assert [branch.name for branch in root.below] == ["x", "y"]
    assert root.above is None
    link = store.add(Link(number=1, before_number=1))
    store.flush()
    assert link.before is link


def test_two_classes_may_refer_to_each_other(store: RecordStore) -> None:
    """The one that may be alone is written first, then closes the circle."""
    chief = store.add(Chief(number=1))
    office = store.add(Office(number=1, chief=chief))
    store.flush()
    chief.office = office
    store.commit()
    assert (chief.office, office.chief) == (office, chief)


def test_the_land_of_a_town_may_name_that_town_as_its_capital(store: RecordStore) -> None:
    """References in both directions between a parent and one of its children."""
    land = store.add(Land(code="DE"))
    town = store.add(Town(name="Bonn", land=land))
    store.flush()
    land.capital = town
    store.commit()
    assert land.capital is town


def test_natural_composite_and_renamed_keys_work(families: str, store: RecordStore) -> None:
    """Keys of text and numbers, over several columns whose names differ from the fields'."""
    tag = store.add(TagRecord(word="red"))
    for number in (2, 1):
        tag.uses.add(Use(number=number))
    store.commit()
    assert store.get(TagRecord, "red") is tag
    assert store.get(Use, ("red", 2)).tag is tag
    assert read(families, "SELECT `used`, number FROM `use` ORDER BY number") == [
        ("red", 1),
        ("red", 2),
    ]


def test_a_table_may_have_a_reserved_word_for_a_name(store: RecordStore) -> None:
    """`order` is quoted wherever it stands."""
    shop = store.add(Shop(name="books", town=Town(name="Bonn", land=Land(code="DE"))))
    shop.orders.add(Order(number=7))
    store.commit()
    assert store.get(Order, 7).shop is shop


def test_a_change_inside_a_document_is_written(families: str, store: RecordStore) -> None:
    """A JSON field that is changed in place counts as changed."""
    land = store.add(Land(code="DE"))
    store.commit()
    land.notes["rivers"] = ["Rhein"]
    land.notes["rivers"].append("Elbe")
    store.commit()
    with opened(families, CATALOGUE) as other:
        assert other.find(Land).one().notes == {"rivers": ["Rhein", "Elbe"]}


def test_a_change_inside_a_document_is_checked_before_it_is_written(store: RecordStore) -> None:
    """What JSON cannot hold is refused at the latest when the document is flushed."""
    land = store.add(Land(code="DE"))
    store.flush()
    land.notes["bytes"] = b"no"
    with pytest.raises(ValueRefused, match="expected a JSON value"):
        store.flush()


@pytest.mark.parametrize(
    ("assign", "says"),
    [
        (lambda: Land(code="DEU"), "3 characters, where at most 2 fit"),
        (lambda: Land(code=7), "expected text, not the number 7"),
        (lambda: Town(size="many"), "expected a whole number"),
        (lambda: Order(number=2**31), "2147483648 is not between"),
    ],
)
def test_a_wrong_assignment_is_refused_at_once(assign: type, says: str) -> None:
    """The line that assigns is the line that fails."""
    with pytest.raises(ValueRefused, match=says):
        assign()


def test_none_is_refused_at_once_where_it_may_not_be() -> None:
    """A field is not NULL unless it says so."""
    with pytest.raises(NoneError):
        Land(code=None)


def test_a_field_that_is_not_there_is_refused() -> None:
    """A typing error in a keyword is not kept in silence."""
    with pytest.raises(TypeError, match="Land has no field 'cod'"):
        Land(cod="DE")


def test_defaults_and_given_ids_are_kept(store: RecordStore) -> None:
    """An id may be given, a default may be overridden."""
    made = uuid.UUID(int=7)
    land = store.add(Land(id=made, code="DE"))
    store.flush()
    assert (land.id, land.name, land.notes) == (made, "", {})


def test_the_tables_have_real_foreign_keys(families: str) -> None:
    """Every reference is a foreign key in the database, under the name the catalogue knows."""
    rows = read(
        families,
        "SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS "
        "WHERE CONSTRAINT_SCHEMA = DATABASE()",
    )
    expected = {part.constraint for info in INFO.values() for part in info.references.values()}
    assert {name for (name,) in rows} == expected


def test_the_catalogue_of_a_module_is_that_of_its_classes() -> None:
    """Loading the module by name gives what was declared in it, beside Herdbook's own family."""
    loaded = without_family(load_catalogue("tests.service.store.families"))
    assert set(loaded.records) == set(INFO)


def test_a_record_of_another_store_is_refused_before_anything_is_deleted(
    families: str, store: RecordStore
) -> None:
    """As in Storm: the mistake has no effect."""
    land = Land(code="AA")
    store.add(land)
    store.commit()
    with opened(families, CATALOGUE) as other:
        with pytest.raises(WrongStoreError):
            other.remove(land)
        other.commit()
    assert read(families, "SELECT code FROM land") == [("AA",)]
