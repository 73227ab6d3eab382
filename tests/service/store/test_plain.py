"""Only plain values leave a thread."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork

from records.errors import Failure
from service.methods.feed_port import Ends
from service.store.plain import NotPlain, require_plain
from service.store.transaction import Transaction
from tests.service.store.families import CATALOGUE, Land
from tests.service.store.tools import working

PLAIN: list[Any] = [
    None,
    True,
    7,
    1.5,
    "text",
    b"bytes",
    Decimal("1.5"),
    date(2026, 1, 1),
    datetime(2026, 1, 1, tzinfo=UTC),
    timedelta(seconds=1),
    uuid.UUID(int=1),
    IPAddress("10.0.0.1"),
    IPNetwork("10.0.0.0/8"),
    frozenset({"red"}),
    Failure("code", "message"),
    Ends(head=2, horizon=1),
]


@dataclass
class Changing:
    """A value that two threads could change at once."""

    number: int = 1


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values_come_through_as_they_are(value: Any) -> None:
    """Alone or deep within lists and dictionaries."""
    held = [{"row": (value, [value])}]
    assert require_plain(held) is held


@pytest.mark.parametrize(
    "wrap",
    [
        lambda item: item,
        lambda item: [item],
        lambda item: {"row": [1, item]},
        lambda item: {item: 1},
        lambda item: (1, {"deep": [[item]]}),
        lambda item: Ends(head=1, horizon=item),
    ],
)
def test_a_storm_object_is_refused_wherever_it_hides(wrap: Any) -> None:
    """The message says what it was and what to return instead."""
    with pytest.raises(NotPlain, match="a Land must not leave its thread; return its values"):
        require_plain(wrap(Land(code="DE")))


def test_what_belongs_to_a_connection_is_refused() -> None:
    """Results and iterators read on, over a connection another thread may use by then."""
    parts = (part for part in [1])
    for item in (iter([1]), parts, object(), Land.code, lambda: None, Changing()):
        with pytest.raises(NotPlain):
            require_plain(item)


def test_a_unit_of_work_that_returns_an_object_writes_nothing(families: str) -> None:
    """The mistake shows at once, and leaves no trace in the tables."""

    def work(tx: Transaction) -> Any:
        return tx.store.add(Land(code="DE"))

    with working(families, CATALOGUE) as worker:
        with pytest.raises(NotPlain):
            worker.run(work)
        with pytest.raises(NotPlain):
            worker.try_out(work)
        assert worker.run(lambda tx: tx.rows("SELECT COUNT(*) FROM land")) == [(0,)]


def test_a_value_of_a_class_of_the_users_own_may_leave() -> None:
    """An enumeration's text, given by a validator or a default, is a value like any other."""

    class Colour(StrEnum):
        RED = "red"

    assert require_plain([{"colour": Colour.RED}]) == [{"colour": "red"}]
