"""The holder's turns: what follows an unknown outcome, and that a rest is no silence."""

from __future__ import annotations

import MySQLdb
import pytest

from service.errors import OutcomeUnknown
from service.store.sealing.lease import BEAT_SECONDS
from service.store.sealing.passes import Sealer
from service.store.sealing.reading import Readings
from service.store.sealing.scan import Scan
from service.store.sealing.states import Parts, Sealing
from tests.service.store.sealing.tools import Clock, run, sealing
from tests.service.store.tools import read

ROW = "INSERT INTO plot (number, name) VALUES (1, 'a')"


class Told:
    """Remembers the positions that are told."""

    def __init__(self) -> None:
        self.positions: list[int] = []

    def passed(self, sealed: int, held: int, seconds: float) -> None:
        """Nobody asks for it."""

    def at(self, position: int) -> None:
        """Note the last position."""
        self.positions.append(position)

    def holds(self, holder: bool) -> None:
        """Nobody asks for it."""

    def pruned(self, entries: int) -> None:
        """Nobody asks for it."""

    def follows(self) -> bool:
        """Somebody waits."""
        return True


def holder(sealer: Sealer, clock: Clock) -> tuple[Sealing, Told]:
    """A state that seals, and what it tells."""
    told = Told()
    return Sealing(Parts(sealer, lambda: (0, False), Readings(), told, clock)), told


def test_what_a_commit_did_whose_outcome_was_unknown_is_told(plots: str) -> None:
    """The answer to the COMMIT is lost: the next turn finds out, though nothing is left to seal."""
    with sealing(plots) as sealer, pytest.MonkeyPatch.context() as patch:
        state, told = holder(sealer, Clock())
        state.turn(False)
        run(plots, ROW)
        store = sealer._worker._connected()
        commit = store.commit

        def broken() -> None:
            commit()
            raise MySQLdb.OperationalError(2013, "Lost connection during query")

        patch.setattr(store, "commit", broken)
        with pytest.raises(OutcomeUnknown):
            state.turn(True)
        patch.undo()
        assert told.positions == [0]
        state.turn(False)
    assert told.positions == [0, 1]


def test_a_long_rest_is_no_silence(plots: str) -> None:
    """Scans are dear: between them the lease's beat goes on, and what rang is not forgotten."""
    beat = "SELECT beat FROM herdbook_sealer"
    clock = Clock()
    with sealing(plots) as sealer:
        state, told = holder(sealer, clock)
        state.turn(False)
        state._scan = Scan(highest=1_000_000).full(seconds=3.5, now=clock())
        turn = state.turn(False)
        run(plots, ROW)
        before, rested = read(plots, beat)[0][0], 0.0
        while told.positions[-1] == 0:
            assert 0 < turn.rest <= BEAT_SECONDS
            rested += turn.rest
            clock.now += turn.rest
            turn = state.turn(rested == 1.0)
    assert rested == 3.5
    assert read(plots, beat)[0][0] - before >= 3
