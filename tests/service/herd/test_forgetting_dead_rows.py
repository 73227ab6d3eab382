"""A snapshot does not name what its sender has forgotten; when a node forgets that as well."""

from __future__ import annotations

from service.herd.shapes import Shape
from service.herd.vectors import Vector
from service.simulation.node import Node

FARMS = {"farm": Shape("farm", ("id",), (), ())}
GONE = ("farm", (1,))
FORGETFUL, HERE, THIRD = 1, 2, 3
EVERYTHING = {FORGETFUL: 9, THIRD: 9}


def _tell(sender: Node, receiver: Node, above: Vector | None = None) -> None:
    receiver.apply(sender.delta(receiver.vector if above is None else above), 1_000)


def _deleted_farm() -> tuple[Node, Node, Node]:
    """Three nodes which all know of a farm that the third has made; that one has deleted it."""
    forgetful, here, third = (Node(origin, FARMS) for origin in (FORGETFUL, HERE, THIRD))
    third.insert(GONE, {"id": 1}, 10)
    _tell(third, forgetful)
    _tell(third, here)
    third.delete(GONE, 20)
    return forgetful, here, third


def test_who_has_the_entry_of_a_death_keeps_the_dead_row() -> None:
    """The snapshot was built before that came; both go when this node prunes."""
    forgetful, here, third = _deleted_farm()
    before = dict(here.vector)
    _tell(third, forgetful)
    forgetful.tables.prune(EVERYTHING)
    forgetful.insert(("farm", (2,)), {"id": 2}, 30)
    _tell(third, here)
    _tell(forgetful, here, above=before)
    assert here.tables.states["farm", (2,)].alive
    assert not here.tables.states[GONE].alive
    assert here.tables.floors() == {}
    here.tables.prune(EVERYTHING)
    assert GONE not in here.tables.states


def test_who_lacks_what_was_pruned_forgets_all_that_its_sender_has() -> None:
    """Also what it has the entries of: whoever has not seen those is told nothing by delta."""
    forgetful, here, third = _deleted_farm()
    _tell(third, forgetful)
    _tell(third, here)
    forgetful.insert(("farm", (2,)), {"id": 2}, 30)
    forgetful.delete(("farm", (2,)), 40)
    forgetful.tables.prune(EVERYTHING)
    _tell(forgetful, here)
    assert here.tables.states == {}
    assert here.tables.floors() == {FORGETFUL: 2, THIRD: 2}
    assert here.delta({THIRD: 1}).floors is not None
