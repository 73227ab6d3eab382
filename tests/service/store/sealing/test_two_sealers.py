"""Two sealers at once: one seals at a time, and between them nothing is lost or twice."""

from __future__ import annotations

import threading

import pytest

from service.errors import ServiceError
from service.store.sealing.lease import NotHolder, Watch
from service.store.sealing.passes import Pass
from service.store.transaction import Transaction
from tests.live.units import Side, connection_id, kill
from tests.service.store.sealing.tools import (
    candidate,
    changelog,
    check_lives,
    run,
    seal_all,
    sealing,
    told,
)
from tests.service.store.tools import read


def test_of_many_who_race_for_the_lease_one_gets_it(plots: str) -> None:
    """All saw the same row and take it at the same moment, twenty times over."""
    for turn in range(20):
        run(plots, "UPDATE herdbook_sealer SET holder = ''")
        meeting = threading.Barrier(3)

        def race(name: str, meeting: threading.Barrier = meeting) -> bool:
            with candidate(plots, name, attempts=5) as sealer:
                lease, _position = sealer.lease()
                meeting.wait(20)
                return sealer.take(lease)

        sides = [Side(lambda name=f"{turn}-{n}": race(name)) for n in range(3)]  # type: ignore[misc]
        assert sorted(side.join() for side in sides) == [False, False, True]


def test_sealers_that_take_the_lease_from_each_other_lose_nothing(plots: str) -> None:
    """Two that never have patience: each change stands in the changelog once, in order."""
    writing = Side(lambda: _write(plots))

    def seal(name: str) -> int:
        sealed = 0
        with candidate(plots, name, entries=7, attempts=20) as sealer:
            while writing.running or read(plots, "SELECT COUNT(*) FROM herdbook_inbox")[0][0]:
                try:
                    sealed += sealer.seal()[0].sealed
                except NotHolder:
                    sealer.take(sealer.lease()[0])
        return sealed

    sides = [Side(lambda name=name: seal(name)) for name in ("one", "two")]  # type: ignore[misc]
    writing.join()
    total = sum(side.join() for side in sides)
    lines = changelog(plots)
    assert total == len(lines) == len({line.entry for line in lines})
    check_lives(plots)


def _write(url: str) -> None:
    """Rows are born, changed and die."""
    for turn in range(60):
        run(
            url,
            f"REPLACE INTO plot VALUES ({turn % 5}, 'a'), ({turn % 7}, 'b')",
            f"UPDATE plot SET name = '{turn}' WHERE number = {turn % 5}",
            f"DELETE FROM plot WHERE number = {turn % 7}",
        )


def test_a_holder_frozen_between_passes_finds_another_when_it_comes_back(plots: str) -> None:
    """It seals nothing more, and waits in turn."""
    with sealing(plots, "frozen") as frozen, candidate(plots, "other") as other:
        run(plots, "INSERT INTO plot VALUES (1, 'a')")
        watch, _decision = Watch().look(other.lease()[0], 100.0)
        watch, _decision = watch.look(other.lease()[0], 104.0)
        assert watch.seen is not None
        assert other.take(watch.seen)
        assert other.seal()[0].sealed == 1
        run(plots, "INSERT INTO plot VALUES (2, 'b')")
        with pytest.raises(NotHolder):
            frozen.seal()
        assert other.seal()[0].sealed == 1
    assert len(changelog(plots)) == 2


def test_a_holder_frozen_in_the_midst_of_a_pass_is_cut_off(plots: str) -> None:
    """Nobody takes the lease until the server drops its connection; then its pass fails."""
    run(plots, "INSERT INTO plot VALUES (1, 'a')")
    frozen_at, may_go_on = threading.Event(), threading.Event()
    numbers: list[int] = []

    def freeze(tx: Transaction, _made: Pass) -> None:
        numbers.append(connection_id(tx))
        frozen_at.set()
        assert may_go_on.wait(30)

    with sealing(plots, "frozen") as frozen, candidate(plots, "other") as other:
        side = Side(lambda: frozen.seal(freeze))
        assert frozen_at.wait(20)
        assert not other.take(other.lease()[0])
        kill(plots, numbers[0])
        assert other.take(other.lease()[0])
        assert other.seal()[0].sealed == 1
        may_go_on.set()
        with pytest.raises(ServiceError):
            side.join()
        with pytest.raises(NotHolder):
            frozen.seal()
    assert told(plots) == [("insert", "1", 1)]


def test_the_server_drops_a_sealer_that_it_hears_nothing_from(plots: str) -> None:
    """After a few seconds, by the session's own settings."""
    with sealing(plots) as sealer:
        settings: dict[str, str] = {}
        sealer.seal(lambda tx, _made: settings.update(tx.rows("SHOW VARIABLES LIKE '%timeout%'")))
    assert settings["wait_timeout"] == "5"
    assert settings["lock_wait_timeout"] == "1"
    assert settings["innodb_lock_wait_timeout"] == "1"


def test_passes_go_on_when_they_are_all_that_is_left(plots: str) -> None:
    """The one that keeps the lease seals the rest."""
    run(plots, "INSERT INTO plot VALUES (1, 'a')")
    with sealing(plots, "one"), sealing(plots, "two") as two:
        assert seal_all(two).drained
    assert len(changelog(plots)) == 1
