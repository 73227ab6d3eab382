"""What cannot stand in an early part of a delta waits, however it hangs together."""

from __future__ import annotations

from collections.abc import Collection, Set
from random import Random

from records.states import RowState
from service.herd.planning.draft import Draft
from service.herd.planning.waiting import let_wait
from service.herd.shapes import Key, Place, Reference, Shapes, Unique
from service.simulation.memory import MemoryTables
from tests.service.herd.bench import (
    NOW,
    OURS,
    THEIRS,
    Rows,
    dead,
    draft_of,
    name,
    place,
    row,
    shape,
    shapes,
)

ANIMALS = shapes(
    shape("farm"),
    shape("animal", "farm restrict", "animal set_null", uniques=[Unique("u", ("u",), "u", True)]),
)
GERMANY = row(name="Germany")


def waits(of: Shapes, here: Rows, came: Rows) -> set[str]:
    """The rows that wait."""
    return {name(each) for each in let_wait(draft_of(of, here, came))}


def test_both_ends_of_a_broken_reference_wait() -> None:
    """As far as they came: the child, and the parent that is not there, or is to die."""
    of = shapes(shape("country"), shape("city", "country restrict"))
    hof = row(at=20, country="DE")
    here = {"country DE": GERMANY, "city 1": hof}
    assert waits(of, here, {"country DE": dead(GERMANY)}) == {"country DE"}
    both = {"country DE": dead(GERMANY), "city 2": hof}
    assert waits(of, {"country DE": GERMANY}, both) == {"country DE", "city 2"}
    assert waits(of, {}, {"city 1": hof}) == {"city 1"}
    assert waits(of, {"country DE": GERMANY}, {"city 1": hof}) == set()


def _troubles(draft: Draft) -> set[Place]:
    """The rows that came and cannot stand, looked for among all rows."""
    states = {**draft.tables.rows([*ALL]), **draft.after}
    live = {at: state for at, state in states.items() if state.alive}
    found: set[Place] = set()
    for at, state in live.items():
        for column, table in (("farm", "farm"), ("animal", "animal")):
            parent = table, (state.values.get(column),)
            if at[0] == "animal" and parent[1] != (None,) and parent not in live:
                found |= {at, parent}
        claim = state.values.get("u")
        rivals = {p for p, s in live.items() if p[0] == at[0] and s.values.get("u") == claim}
        if claim is not None and len(rivals) > 1:
            found |= rivals
    return found & draft.after.keys()


ALL: list[Place] = [(table, (key,)) for table in ("farm", "animal") for key in range(5)]


def _naively(draft: Draft) -> set[Place]:
    waiting: set[Place] = set()
    while found := _troubles(draft):
        for each in found:
            draft.put_back(each)
        waiting |= found
    return waiting


def _row(at: Place, states: dict[Place, RowState], random: Random) -> RowState:
    """A row that keeps to what is there."""
    parents = [None, *(p[1][0] for p, s in states.items() if s.alive and p[0] == "animal")]
    farms = [None, *(p[1][0] for p, s in states.items() if s.alive and p[0] == "farm")]
    if at[0] == "farm":
        return row()
    claim = f"{at[1][0]}" if random.random() < 0.7 else None
    return row(farm=random.choice(farms), animal=random.choice(parents), u=claim)


def _came(at: Place, before: RowState | None, random: Random) -> RowState:
    """Any change: what it needs may come, or not."""
    if before is not None and random.random() < 0.4:
        return dead(before)
    values = {"farm": random.randrange(5), "animal": random.choice((None, *range(5)))}
    claim = random.choice((None, *map(str, range(5))))
    return row(at=20, origin=THEIRS, **({**values, "u": claim} if at[0] == "animal" else {}))


def test_those_wait_that_a_look_at_all_rows_finds_again_and_again() -> None:
    """Many small parts, against a twin that knows no neighbours."""
    waited = 0
    for seed in range(400):
        random = Random(seed)
        here: dict[Place, RowState] = {}
        for at in ALL:
            if random.random() < 0.6:
                here[at] = _row(at, here, random)
        chosen = random.sample(ALL, random.randint(1, 7))
        came = {at: _came(at, here.get(at), random) for at in chosen}
        named = {name(at): state for at, state in here.items()}
        drafts = [
            draft_of(ANIMALS, named, {name(at): state for at, state in came.items()})
            for _ in range(2)
        ]
        expected = _naively(drafts[0])
        assert let_wait(drafts[1]) == expected, seed
        assert drafts[1].after == drafts[0].after
        waited += len(expected)
    assert waited > 0


class _Counting(MemoryTables):
    """Tables that count how often they are asked."""

    asked = 0

    def children(self, table: str, reference: Reference, parents: Collection[Key]) -> Set[Place]:
        """See the port."""
        self.asked += 1
        return super().children(table, reference, parents)

    def rows(self, places: Collection[Place]) -> dict[Place, RowState]:
        """See the port."""
        self.asked += 1
        return dict(super().rows(places))


def _asked(length: int) -> int:
    """How often tables are asked for a chain in which each row waits for the one before."""
    of = shapes(shape("animal", "animal restrict"))
    tables = _Counting(of)
    draft = Draft(tables, of, OURS, NOW)
    chain = {place(f"animal {at}"): row(animal=at - 1) for at in range(2, length + 2)}
    draft.load(chain)
    for each, state in chain.items():
        draft.take(each, state)
    assert len(let_wait(draft)) == length
    return tables.asked


def test_a_long_chain_asks_no_more_than_a_short_one() -> None:
    """What stands around the rows is read once."""
    assert _asked(3_000) == _asked(3)
