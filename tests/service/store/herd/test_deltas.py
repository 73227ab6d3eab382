"""What a sibling at some vector lacks is read from the tables, and no more."""

from __future__ import annotations

from tests.service.store.herd.deltas import delta_of, own, rows_of, sealed
from tests.service.store.sealing.tools import run

def test_a_node_that_has_nothing_gets_everything(ranch: str) -> None:
    """Every row, whole, with its entries."""
    run(
        ranch,
        "INSERT INTO ranch (number, name) VALUES (1, 'a'), (2, 'b')",
        "UPDATE ranch SET name = 'c' WHERE number = 2",
        "DELETE FROM ranch WHERE number = 1",
    )
    sealed(ranch)
    delta = delta_of(ranch)
    print(delta)
    assert delta.covers == {own(ranch): 4}
    assert (delta.sender, delta.above, delta.last) == (own(ranch), {}, True)
    rows = rows_of(delta)
    assert set(rows) == {("ranch", (1,)), ("ranch", (2,))}
