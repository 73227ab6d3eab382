"""Who may take the lease, and when: by what the row says and one's own time alone."""

from __future__ import annotations

import ast
from pathlib import Path

import service.store.sealing
from service.store.sealing.lease import NOBODY, PATIENCE_SECONDS, Decision, Lease, Watch


def test_a_lease_that_nobody_holds_is_taken_at_once() -> None:
    """Also by whoever looks for the first time."""
    _watch, decision = Watch().look(Lease(NOBODY, 7), 10.0)
    assert decision is Decision.TAKE


def test_a_holder_that_shows_signs_of_life_keeps_its_lease() -> None:
    """However long others look at it."""
    watch = Watch()
    for second in range(100):
        watch, decision = watch.look(Lease("other", second // 2), float(second))
        assert decision is Decision.WAIT


def test_a_lease_that_stands_still_is_taken_after_the_time_of_grace() -> None:
    """Counted from when it was first seen so, not from anything the row says."""
    watch, decision = Watch().look(Lease("other", 7), 500.0)
    assert decision is Decision.WAIT
    watch, decision = watch.look(Lease("other", 7), 500.0 + PATIENCE_SECONDS - 0.1)
    assert decision is Decision.WAIT
    _watch, decision = watch.look(Lease("other", 7), 500.0 + PATIENCE_SECONDS)
    assert decision is Decision.TAKE


def test_another_holder_gets_the_whole_time_of_grace() -> None:
    """A new name begins anew, also with the same beat."""
    watch, _decision = Watch().look(Lease("other", 7), 500.0)
    watch, decision = watch.look(Lease("third", 7), 502.9)
    assert decision is Decision.WAIT
    _watch, decision = watch.look(Lease("third", 7), 504.0)
    assert decision is Decision.WAIT


def test_nothing_in_sealing_reads_the_time_of_the_wall() -> None:
    """Clocks that are set back or forward decide nothing: only monotonic time is read here.

    The moment noted with each entry is the database's, and is never compared with anything here.
    """
    folder = Path(service.store.sealing.__file__).parent
    walls = {"time", "time_ns", "now", "utcnow", "today"}
    found = [
        (module.name, node.attr)
        for module in folder.glob("*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in walls and module.name != "building.py"
    ]
    assert found == []
