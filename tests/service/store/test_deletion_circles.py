"""Deleting records that refer to their own class, or to each other in a circle."""

from __future__ import annotations

import pytest

from service.errors import Conflict
from service.store import writer
from tests.service.store.direct import done, stored
from tests.service.store.families import CATALOGUE, INFO
from tests.service.store.removers import EVERY_WAY, Remover, everything, fill, number
from tests.service.store.tools import (
    in_transaction,
    keys_of,
)


@EVERY_WAY
def test_a_tree_goes_from_any_branch_downwards(families: str, remove: Remover) -> None:
    """Five levels of one table: the third goes with all below it."""
    fill(
        families,
        *(
            (
                "branch",
                {
                    "id": number(level),
                    "name": str(level),
                    "above_id": number(level - 1) if level > 1 else None,
                },
            )
            for level in range(1, 6)
        ),
    )
    remove(families, "branch", (number(3),))
    assert keys_of(families, "branch") == {number(1).bytes, number(2).bytes}


@EVERY_WAY
def test_a_circle_within_one_table_goes(families: str, remove: Remover) -> None:
    """Two branches above each other."""
    fill(families, ("branch", {"id": number(1), "name": "a"}))
    fill(families, ("branch", {"id": number(2), "name": "b", "above_id": number(1)}))
    in_transaction(
        families,
        CATALOGUE,
        lambda tx: writer.update(tx, INFO["branch"], [((number(1),), {"above_id": number(2)})]),
    )
    remove(families, "branch", (number(1),))
    assert everything(families) == {}


LINKS = {1: 1, 2: 1, 3: 2, 4: 3, 5: 2}


def fill_links(url: str) -> None:
    """A tree whose root refers to itself."""
    fill(url, *(("link", {"number": own, "before_number": above}) for own, above in LINKS.items()))


@EVERY_WAY
@pytest.mark.parametrize(("root", "left"), [(2, {1}), (3, {1, 2, 5}), (4, {1, 2, 3, 5})])
def test_a_tree_of_required_references_goes_leaves_first(
    families: str, remove: Remover, root: int, left: set[int]
) -> None:
    """No row of it may be without the one before, and the root has itself."""
    fill_links(families)
    remove(families, "link", (root,))
    assert keys_of(families, "link", "number") == left


@pytest.mark.parametrize("order", [[4, 3, 2], [2, 3, 4], [3, 2, 4], [2, 4]])
def test_rows_of_one_tree_may_be_named_in_any_order(families: str, order: list[int]) -> None:
    """Children before parents or after: all go."""
    fill_links(families)
    with stored(families, CATALOGUE) as records:
        keys = [(own,) for own in order]
        assert done(records.delete(INFO["link"], keys, ())) == len(order)
    assert keys_of(families, "link", "number") == {1}


@EVERY_WAY
@pytest.mark.parametrize(("root", "circle"), [(1, "1 → 1"), (3, "3 → 2 → 3")])
def test_a_circle_of_required_references_is_refused_with_a_reason(
    families: str, remove: Remover, root: int, circle: str
) -> None:
    """No order of deletion exists that the server takes; the answer says what is in the way."""
    fill_links(families)
    in_transaction(
        families,
        CATALOGUE,
        lambda tx: writer.update(
            tx, INFO["link"], [((2,), {"before_number": 3 if root == 3 else 1})]
        ),
    )
    before = everything(families)
    with pytest.raises(Conflict) as caught:
        remove(families, "link", (root,))
    (failure,) = caught.value.failures
    assert (failure.code, failure.index) == ("reference.restricted", 0)
    assert failure.message == (
        f"the references of link {circle} lead back to where they begin and cannot be null; "
        "let one of them refer to another record first"
    )
    assert everything(families) == before


@EVERY_WAY
@pytest.mark.parametrize("name", ["chief", "office"])
def test_a_circle_of_two_tables_goes(families: str, remove: Remover, name: str) -> None:
    """Chief and office refer to each other, one of them must: whichever is deleted, both go."""
    fill(families, ("chief", {"number": 1}), ("office", {"number": 1, "chief_number": 1}))
    fill(families, ("chief", {"number": 2}), ("office", {"number": 2, "chief_number": 2}))
    in_transaction(
        families,
        CATALOGUE,
        lambda tx: writer.update(
            tx, INFO["chief"], [((own,), {"office_number": own}) for own in (1, 2)]
        ),
    )
    remove(families, name, (1,))
    assert keys_of(families, "chief", "number") == {2}
    assert keys_of(families, "office", "number") == {2}
