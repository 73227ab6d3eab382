"""What lives long is passed over when unreachable objects are looked for."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from service.memory import YOUNG_OBJECTS, be_patient, settle


class Kept:
    """Something that may hold itself."""

    itself: Kept | None = None


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The other tests of this process are looked through as ever."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def in_a_circle() -> weakref.ref[Kept]:
    """What only a look through everything removes."""
    kept = Kept()
    kept.itself = kept
    return weakref.ref(kept)


def test_what_has_settled_is_not_looked_through() -> None:
    """It goes as soon as nobody holds it; what came later is looked through."""
    settled = Kept()
    settle()
    assert gc.get_freeze_count() > 0
    assert not any(each is settled for each in gc.get_objects())
    seen, later = weakref.ref(settled), in_a_circle()
    del settled
    assert seen() is None
    gc.collect()
    assert later() is None


def test_what_was_unreachable_does_not_settle() -> None:
    """It is gone by then."""
    gone = in_a_circle()
    settle()
    assert gone() is None


def test_the_youngest_are_looked_through_less_often() -> None:
    """Than Python does by itself."""
    before = gc.get_threshold()[0]
    be_patient()
    assert gc.get_threshold()[0] == YOUNG_OBJECTS > before
