"""Deltas in parts: what cannot stand yet waits in memory for the last part."""

from __future__ import annotations

import itertools

import pytest

from service.herd.messages import Portion
from service.herd.parts import parts
from service.herd.planning.draft import DeltaRefused
from service.store.herd.applier import Applier
from service.store.herd.arrivals import Arrivals
from service.store.herd.described import Descriptions
from tests.service.store.herd.herds import Member
from tests.service.store.herd.test_applying import family, same
from tests.service.store.herd.test_applying_order import HORSE


def portions(one: Member, number: int, most: int) -> list[Portion]:
    """What a node has, in parts of some rows each."""
    found = one.do(lambda tx: one.known.of(tx).shapes)
    whole = parts(one.delta({}), found, most)
    return [Portion(number, at, part) for at, part in enumerate(whole)]


def test_parts_end_in_what_the_whole_delta_would(one: Member, other: Member) -> None:
    """Also where rows refer to each other in a circle across the cuts; the vector moves last."""
    family(one)
    one.sql(
        HORSE + "(3, 1, NULL, NULL, 13), (4, 1, NULL, 3, 14), (5, 1, NULL, 4, 15)",
        "UPDATE horse SET mother_number = 5 WHERE number = 3",
    )
    arrivals, worker = Arrivals(Applier(Descriptions())), other.worker()
    vectors = [arrivals.apply(worker, 7, portion) for portion in portions(one, 1, 1)]
    worker.close()
    assert [one.origin() in vector for vector in vectors] == [False] * 7 + [True]
    same(one, other)
    assert other.held() == []


def test_what_waited_for_a_delta_that_broke_off_is_dropped(one: Member, other: Member) -> None:
    """Of a forgotten link, and where another delta begins on it; all of it comes again."""
    family(one)
    one.sql(
        HORSE + "(3, 1, NULL, NULL, 13), (4, 1, NULL, 3, 14)",
        "UPDATE horse SET mother_number = 4 WHERE number = 3",
    )
    arrivals, worker = Arrivals(Applier(Descriptions())), other.worker()
    for number, forgotten in itertools.product((1, 3), (True, False)):
        for portion in portions(one, number, 1)[:-1]:
            arrivals.apply(worker, 7, portion)
        if forgotten:
            arrivals.forget(7)
        assert other.rows("SELECT COUNT(*) FROM horse WHERE number IN (3, 4)") == [(0,)]
    for portion in portions(one, 5, 100):
        arrivals.apply(worker, 7, portion)
    worker.close()
    same(one, other)


def test_a_part_whose_former_ones_are_not_known_is_refused(one: Member, other: Member) -> None:
    """Taken for a whole, a last part would move the vector past what had waited."""
    family(one)
    arrivals, worker = Arrivals(Applier(Descriptions())), other.worker()
    first, *_others, last = portions(one, 1, 1)
    arrivals.apply(worker, 7, first)
    arrivals.forget(7)
    for part in (last, last._replace(number=2)):
        with pytest.raises(DeltaRefused, match="no part before it"):
            arrivals.apply(worker, 7, part)
    worker.close()
    assert one.origin() not in other.vector()
    assert other.rows("SELECT COUNT(*) FROM horse") == [(0,)]


def test_a_row_is_woken_by_a_parent_that_came_in_an_earlier_part(
    one: Member, other: Member
) -> None:
    """Only the last part repairs and wakes, and it knows no more what the others brought."""
    family(one)
    whole = one.delta({})
    horses = tuple(row for row in whole.rows if row.table == "horse")
    other.apply(whole._replace(rows=horses, covers={}))
    assert len(other.held()) == 2
    arrivals, worker = Arrivals(Applier(Descriptions())), other.worker()
    for portion in portions(one, 1, 1):
        rows = tuple(row for row in portion.delta.rows if row.table != "horse")
        arrivals.apply(worker, 7, portion._replace(delta=portion.delta._replace(rows=rows)))
    worker.close()
    assert other.held() == []
    same(one, other)
