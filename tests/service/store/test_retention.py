"""What is pruned of the changelog and the graveyards, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.store.retention import Pruner, Retention
from service.store.sealing.lease import NotHolder
from tests.service.store.sealing.tools import captured, open_transaction, run, seal_all, sealing
from tests.service.store.sealing.tools import worker_at as sealing_worker
from tests.service.store.tools import read

DAY = 86_400 * 1_000_000
NOW = 1_000 * DAY
KEEP_ALL = 10**9


class Place:
    """A database with sealed changes, whose moments the test sets, and a pruner on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.worker = sealing_worker(url)
        self.now = NOW

    def prune(self, days: int = 30, entries: int = KEEP_ALL) -> int:
        """Prune until there is no more to prune; how many entries went."""
        pruner = Pruner(self.worker, "one", Retention(days, entries), lambda: self.now)
        total = 0
        for _turn in range(100):
            gone, more = pruner.prune()
            total += gone
            if not more:
                return total
        raise AssertionError("pruning does not come to an end")

    def date(self, *ages: int) -> None:
        """Say how many days ago each entry was sealed, from position 1 on."""
        for position, age in enumerate(ages, start=1):
            moment = NOW - age * DAY
            change = f"UPDATE herdbook_changelog SET sealed_at = {moment}"
            run(self.url, f"{change} WHERE `position` = {position}")

    def ends(self) -> tuple[int, list[int]]:
        """The horizon, and the positions that are left."""
        left = read(self.url, "SELECT `position` FROM herdbook_changelog ORDER BY `position`")
        horizon: int = read(self.url, "SELECT horizon FROM herdbook_sealer")[0][0]
        return horizon, [position for (position,) in left]

    def dead(self) -> list[int]:
        """The dead rows."""
        return [
            number
            for (number,) in read(self.url, "SELECT number FROM herdbook_dead_plot ORDER BY number")
        ]


@pytest.fixture
def place(database: str) -> Iterator[Place]:
    """Positions 1 to 6: three rows are born, the first two die, and the third changes."""
    url = captured(database)
    run(
        url,
        "INSERT INTO plot VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "DELETE FROM plot WHERE number = 1",
        "DELETE FROM plot WHERE number = 2",
        "UPDATE plot SET name = 'x'",
    )
    with sealing(url) as sealer:
        seal_all(sealer)
    place = Place(url)
    yield place
    place.worker.close()


def test_what_is_too_old_goes_and_its_dead_rows_with_it(place: Place) -> None:
    """Up to the first entry that is young enough."""
    place.date(50, 50, 50, 40, 20, 0)
    assert place.prune() == 4
    assert place.ends() == (4, [5, 6])
    assert place.dead() == [2]
    assert place.prune() == 0


def test_what_is_too_much_goes_however_young(place: Place) -> None:
    """Only the newest stay."""
    place.date(0, 0, 0, 0, 0, 0)
    assert place.prune(entries=2) == 4
    assert place.ends() == (4, [5, 6])


def test_all_may_go(place: Place) -> None:
    """The horizon is the last position then, and the next change gets the next one."""
    place.date(0, 0, 0, 0, 0, 0)
    assert place.prune(entries=0) == 6
    assert place.ends() == (6, [])
    run(place.url, "INSERT INTO plot VALUES (9, 'z')")
    with sealing(place.url) as sealer:
        assert sealer.seal()[0].position == 7


def test_what_a_consumer_needs_stays(place: Place) -> None:
    """Neither age nor number counts above the lowest position that was acknowledged."""
    place.date(50, 50, 50, 50, 50, 50)
    run(place.url, "INSERT INTO herdbook_consumer VALUES ('a', 2, 0, 0), ('b', 5, 0, 0)")
    assert place.prune(entries=0) == 2
    assert place.ends() == (2, [3, 4, 5, 6])
    assert place.dead() == [1, 2]
    run(place.url, "DELETE FROM herdbook_consumer WHERE name = 'a'")
    assert place.prune(entries=0) == 3


def test_a_clock_that_runs_ahead_prunes_nothing(place: Place) -> None:
    """Neither the node's, nor the database's that the newest entries were noted with."""
    place.date(20, 20, 20, 20, 20, 0)
    place.now = NOW + 365 * DAY
    assert place.prune() == 0
    place.now = NOW
    place.date(20, 20, 20, 20, 20, -365)
    assert place.prune() == 0
    assert place.ends() == (0, [1, 2, 3, 4, 5, 6])


def test_a_row_that_died_again_keeps_its_dead_row(place: Place) -> None:
    """The entry of its first death goes, the dead row of the second stays."""
    run(place.url, "INSERT INTO plot VALUES (1, 'again')", "DELETE FROM plot WHERE number = 1")
    with sealing(place.url) as sealer:
        sealer.seal()
    place.date(50, 50, 50, 50, 50, 50, 0, 0)
    assert place.prune() == 6
    assert place.dead() == [1]


def test_a_dead_row_that_somebody_holds_is_waited_for_by_nobody(place: Place) -> None:
    """What comes before its entry goes; the rest when it is free."""
    place.date(50, 50, 50, 50, 50, 50)
    held = "SELECT * FROM herdbook_dead_plot WHERE number = 2 FOR UPDATE"
    with open_transaction(place.url, held):
        assert place.prune(entries=0) == 4
        assert place.ends() == (4, [5, 6])
        assert place.dead() == [2]
    assert place.prune(entries=0) == 2
    assert place.dead() == []


def test_it_takes_many_small_steps(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a transaction of its own."""
    monkeypatch.setattr("service.store.retention.ENTRIES_AT_ONCE", 2)
    place.date(50, 50, 50, 50, 50, 50)
    pruner = Pruner(place.worker, "one", Retention(30, 1), lambda: place.now)
    assert pruner.prune() == (2, True)
    assert place.ends() == (2, [3, 4, 5, 6])
    assert place.prune(entries=1) == 3


def test_tables_that_are_gone_do_not_keep_their_entries(place: Place) -> None:
    """Neither dropped ones nor those that are captured no longer."""
    run(place.url, "DROP TABLE herdbook_dead_plot")
    assert place.prune(entries=3) == 3
    run(place.url, "DELETE FROM herdbook_capture")
    assert place.prune(entries=0) == 3


def test_only_the_holder_of_the_lease_prunes(place: Place) -> None:
    """Another process may have taken it over meanwhile."""
    with sealing(place.url, "two"), pytest.raises(NotHolder):
        place.prune(entries=0)
    assert place.ends()[0] == 0
