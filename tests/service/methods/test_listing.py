"""What a list asks the store for."""

from __future__ import annotations

from typing import Any

import pytest

from records import Bytes, Integer, Record, Text
from records.catalogue import Catalogue, catalogue_of
from service.methods.api import build_registry
from service.methods.query import Query
from tests.service.methods.calls import Api, Statements, places
from tests.service.methods.memory import Remembering, remembering
from tests.service.methods.samples import CATALOGUE

PARENTS = ["mother", "mother.mother", "mother.mother.mother", "mother.mother.mother.mother"]


class Page(Record):
    """A key of which a part is longer than what a list is sorted by."""

    url = Text(length=700, primary=1)
    number = Integer(bits=32, primary=2)
    digest = Bytes(length=2_000)


def order_of(method: str, order: object, catalogue: Catalogue = CATALOGUE) -> list[Any]:
    """The fields that the store sorts by, with their directions and beginnings."""
    store: Any = Remembering([])
    Api(build_registry(catalogue, store), Statements()).call(method, {"order": order})
    query = store.asked[2]
    assert isinstance(query, Query)
    return [(sort.path.name, sort.descending, sort.beginning) for sort in query.order]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, [("number", False, None)]),
        ("name", [("name", False, None), ("number", False, None)]),
        ("-name", [("name", True, None), ("number", True, None)]),
        (["-name", "day"], [("name", True, None), ("day", False, None), ("number", False, None)]),
        (["name", "-day"], [("name", False, None), ("day", True, None), ("number", True, None)]),
        (["-number", "name"], [("number", True, None), ("name", False, None)]),
    ],
)
def test_an_order_ends_with_the_key_in_its_last_direction(
    order: object, expected: list[Any]
) -> None:
    """So that an index over the fields, which ends with the key too, can be read."""
    assert order_of("animal.list", order) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, [("url", False, None), ("number", False, None)]),
        ("-url", [("url", True, 255), ("url", True, None), ("number", True, None)]),
        (["number", "url"], [("number", False, None), ("url", False, 255), ("url", False, None)]),
        (
            "digest",
            [("digest", False, 1_000), ("url", False, None), ("number", False, None)],
        ),
    ],
)
def test_a_long_key_decides_with_all_of_it(order: object, expected: list[Any]) -> None:
    """Also where the client sorts by its beginning."""
    assert order_of("page.list", order, catalogue_of([Page])) == expected


def test_counting_reaches_over_a_limited_number_of_parents_too() -> None:
    """The joins are the same."""
    api, store = remembering(0)
    farms = [[f"{step}.farm.name", "=", "a"] for step in PARENTS]
    regions = [[f"{step}.farm.region.title", "=", "a"] for step in PARENTS]
    api.call("animal.count", {"where": ["and", *farms, *regions[:2]]})
    store.asked = ()
    error = api.refused("animal.count", {"where": ["and", *farms, *regions[:3]]})
    assert places(error) == [(None, "", "where.too_many_parents")]
    assert store.asked == ()
