"""What each method needs."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from examples.gazetteer import records
from records.catalogue import load_catalogue
from service.access.roles import LOGIN, ROLES, Role, needed_role
from service.methods.api import build_registry

ANY: Any = Mock()
NAMES = [
    method.name
    for method in build_registry(
        load_catalogue(records.__name__), ANY, ANY, 1.0, ANY, ANY, ANY, ANY
    )
]
"""Every method of a node; none is called."""


def test_every_method_of_a_record_class_needs_what_it_does() -> None:
    """Reading what reads, writing what writes, and nothing else."""
    of_records = [name for name in NAMES if name.startswith(("city.", "country."))]
    reading = {name for name in of_records if needed_role(name) is Role.READ}
    writing = {name for name in of_records if needed_role(name) is Role.WRITE}
    assert reading | writing == set(of_records)
    verbs = {name.rpartition(".")[2] for name in reading}
    assert verbs == {"get", "list", "count", "list_deleted"}
    assert len(writing) == 5 * 2 + 3


@pytest.mark.parametrize(
    ("method", "role"),
    [
        ("city.list", "read"),
        ("country.cities.add", "write"),
        ("country.cities.clear", "write"),
        ("feed.subscribe", "read"),
        ("feed.forget", "admin"),
        ("journal.list", "read"),
        ("journal.restore", "admin"),
        ("held.retry", "admin"),
        ("held.drop", "admin"),
        ("herd.status", "read"),
        ("herd.mend", "admin"),
        ("node.list", "read"),
        ("range.list", "read"),
        ("range.locate", "read"),
        ("range.allocate", "write"),
        ("range.add", "admin"),
        ("range.release", "admin"),
        ("node.update", "admin"),
        ("node.retire", "admin"),
        ("city.obliterate", "admin"),
        ("", "admin"),
    ],
)
def test_the_role_that_a_method_needs(method: str, role: str) -> None:
    """What operators do needs the highest, and so does whatever nobody has thought of."""
    assert needed_role(method) is ROLES[role]


def test_only_what_operators_do_falls_to_the_highest_role() -> None:
    """A new method falls there too, until somebody has thought of it and of this list."""
    highest = {name for name in NAMES if needed_role(name) is Role.ADMIN}
    assert highest == {
        *(LOGIN, "feed.forget", "herd.mend", "journal.restore", "held.retry", "held.drop"),
        *("range.add", "range.import", "range.release", "range.split", "range.merge"),
        "node.update",
    }


def test_nothing_outside_of_record_classes_is_written_with_less_but_a_block_taken() -> None:
    """What is listed as reading is all the rest."""
    others = [name for name in NAMES if not name.startswith(("city.", "country."))]
    assert {name for name in others if needed_role(name) is Role.WRITE} == {"range.allocate"}
