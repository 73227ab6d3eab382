"""Which record a node takes for its own, and what it writes into it: every case."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from service.herd.own_record import Create, Found, Itself, Keep, Leave, settle

MINE, YOURS = UUID(int=1), UUID(int=2)
OWN = Found(MINE, "barn", 7)


@pytest.mark.parametrize(
    ("remembered", "named", "decision"),
    [
        (None, None, Create()),
        (OWN, OWN, Keep(OWN)),
        # It has another name now.
        (Found(MINE, "stall", 7), None, Keep(Found(MINE, "stall", 7), {"name": "barn"})),
        # It was restored from a backup, and has drawn another origin.
        (Found(MINE, "barn", 5), None, Keep(Found(MINE, "barn", 5), {"origin": 7})),
        # It is a copy of another node, which goes on under its own name.
        (Found(MINE, "stall", 5), None, Create()),
        # Its record was deleted, or its memory was lost.
        (None, Found(YOURS, "barn", 7), Keep(Found(YOURS, "barn", 7))),
        # Somebody has prepared a record for it.
        (None, Found(YOURS, "barn", None), Keep(Found(YOURS, "barn", None), {"origin": 7})),
        # Another node has its name.
        (None, Found(YOURS, "barn", 5), Leave(Found(YOURS, "barn", 5))),
        (Found(MINE, "stall", 5), Found(YOURS, "barn", 5), Leave(Found(YOURS, "barn", 5))),
        # Another node had its name earlier, and its own has got an ending.
        (
            Found(MINE, "barn~x", 7),
            Found(YOURS, "barn", 5),
            Keep(Found(MINE, "barn~x", 7), {}, Found(YOURS, "barn", 5)),
        ),
        # The other one is gone: its name comes back.
        (Found(MINE, "barn~x", 7), None, Keep(Found(MINE, "barn~x", 7), {"name": "barn"})),
    ],
)
def test_what_a_node_called_barn_of_origin_7_does(
    remembered: Found | None, named: Found | None, decision: object
) -> None:
    """By the record that it remembers, and by the one that has its name."""
    assert settle(Itself("barn", 7), remembered, named or _same(remembered)) == decision


def _same(remembered: Found | None) -> Found | None:
    """The remembered one is found by its name as well."""
    return remembered if remembered is not None and remembered.name == "barn" else None


@pytest.mark.parametrize(
    ("shown", "changes"),
    [("AA", {"fingerprint": "AA"}), ("BB", {}), (None, {"fingerprint": None})],
)
def test_the_certificate_of_a_node_is_in_its_record(
    shown: str | None, changes: dict[str, object]
) -> None:
    """A renewed one goes there too, and one that is gone goes from there."""
    own = Found(MINE, "barn", 7, "BB")
    assert settle(Itself("barn", 7, shown), own, own) == Keep(own, changes)
    named = Found(YOURS, "barn", 5, "CC")
    ended = replace(own, name="barn~x")
    assert settle(Itself("barn", 7, shown), ended, named) == Keep(ended, changes, named)
