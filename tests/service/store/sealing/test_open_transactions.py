"""Nobody's open transaction is waited for; what it wrote is sealed once it is committed."""

from __future__ import annotations

import pytest

from tests.service.store.sealing.tools import (
    check_lives,
    inbox,
    open_transaction,
    run,
    seal_all,
    sealing,
    told,
)
from tests.service.store.tools import read

WRITES = {
    "inserted": "INSERT INTO plot VALUES (50, 'dba')",
    "updated": "UPDATE plot SET name = 'dba' WHERE number = 1",
    "deleted": "DELETE FROM plot WHERE number = 1",
    "replaced": "REPLACE INTO plot VALUES (1, 'dba')",
}


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("commits", [True, False], ids=["commits", "rolls-back"])
def test_an_open_transaction_delays_nobody(plots: str, statement: str, commits: bool) -> None:
    """A DBA has written and left for lunch; others' changes are sealed, with all that is around."""
    run(plots, "INSERT INTO plot VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    with sealing(plots) as sealer:
        sealer.seal()
        with open_transaction(plots, "SELECT * FROM plot", statement) as dba:
            run(plots, "UPDATE plot SET name = 'x' WHERE number = 2")
            run(plots, "DELETE FROM plot WHERE number = 3", "INSERT INTO plot VALUES (3, 'again')")
            made, _nothing = sealer.seal()
            assert (made.sealed, made.held, made.drained) == (3, 0, True)
            lines = len(told(plots))
            dba.commit() if commits else dba.rollback()
        assert seal_all(sealer).drained
    assert (len(told(plots)) > lines) == commits
    check_lives(plots)


def test_a_slow_transaction_is_sealed_late_and_before_what_builds_upon_it(plots: str) -> None:
    """Its entries have low numbers and come after higher ones; a change to its row comes later."""
    with sealing(plots) as sealer:
        with open_transaction(plots, "INSERT INTO plot VALUES (1, 'slow')") as slow:
            run(plots, "INSERT INTO plot VALUES (2, 'quick')")
            assert sealer.seal()[0].sealed == 1
            slow.commit()
        run(plots, "UPDATE plot SET name = 'later' WHERE number = 1")
        assert sealer.seal()[0].sealed == 2
    assert [(kind, key) for kind, key, _life in told(plots)] == [
        ("insert", "2"), ("insert", "1"), ("update", "1"),
    ]  # fmt: skip


def test_passes_work_while_an_old_snapshot_keeps_the_inbox_from_being_purged(plots: str) -> None:
    """Thousands of sealed entries stay on disk; each pass finds the new ones, and only them."""
    rows = ", ".join(f"({number}, '')" for number in range(2_000))
    with open_transaction(plots, "SELECT * FROM word"), sealing(plots, entries=500) as sealer:
        run(plots, f"INSERT INTO plot VALUES {rows}")
        seal_all(sealer)
        for turn in range(5):
            run(plots, f"UPDATE plot SET name = 't{turn}' WHERE number = {turn}")
            assert sealer.waiting(0, 10) != []
            made, _nothing = sealer.seal()
            assert (made.sealed, made.drained) == (1, True)
            assert sealer.waiting(0, 10) == []
    assert inbox(plots) == 0
    assert read(plots, "SELECT COUNT(*) FROM herdbook_changelog") == [(2_005,)]
