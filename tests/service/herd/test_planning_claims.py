"""Of two rows that claim one unique value, the earlier claim keeps it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence, Set

import pytest

from records.stamps import Version
from records.states import RowState
from service.herd.deltas import DeltaRow
from service.herd.journal import REVIVED, UNIQUE, WITHDRAWN
from service.herd.planning.claims import settle_claims
from service.herd.planning.draft import Draft
from service.herd.shapes import Place, Shapes, Unique
from service.herd.tables import Claim
from service.simulation.memory import MemoryTables
from tests.service.herd.bench import (
    NOW,
    OURS,
    THEIRS,
    Rows,
    dead,
    delta,
    draft_of,
    name,
    outcome,
    place,
    planned,
    row,
    rules,
    shape,
    shapes,
    written,
)

BECOMES_NULL = Unique("serial", ("serial",), "serial", nullable=True)
GETS_AN_ENDING = Unique("serial", ("serial",), "serial", length=20)
IS_WITHDRAWN = Unique("serial", ("serial",))


def _cards(unique: Unique) -> Shapes:
    return shapes(shape("card", uniques=[unique]))


def _settled(unique: Unique, here: Rows, came: Rows) -> Draft:
    draft = draft_of(_cards(unique), here, came)
    settle_claims(draft, set())
    return draft


def test_the_later_claim_becomes_null() -> None:
    """By a write of this node; the journal keeps the value."""
    came = {"card 2": row(at=20, origin=THEIRS, serial="a")}
    draft = _settled(BECOMES_NULL, {"card 1": row(at=10, serial="a")}, came)
    assert outcome(draft) == {"card 2": {"serial": None}}
    assert draft.known(place("card 2")).version("serial") == Version(NOW, OURS)
    [note] = draft.repairs()
    assert (note.rule, name(note.place)) == (UNIQUE, "card 2")
    assert [(loss.column, loss.value, loss.kept) for loss in note.losses] == [("serial", "a", None)]


def test_the_row_that_is_here_gives_way_if_it_claimed_later() -> None:
    """It is not better for having been here."""
    came = {"card 2": row(at=20, origin=THEIRS, serial="a")}
    draft = _settled(BECOMES_NULL, {"card 1": row(at=30, serial="a")}, came)
    assert outcome(draft) == {"card 1": {"serial": None}, "card 2": {"serial": "a"}}


def test_a_claim_is_as_old_as_the_write_of_its_column() -> None:
    """Not as the row, and not as the write of another column."""
    early = written(row(at=10, serial="b", note="x"), 40, OURS, serial="a")
    late = written(row(at=20, origin=THEIRS, serial="a", note="x"), 50, THEIRS, note="y")
    draft = _settled(BECOMES_NULL, {"card 1": early}, {"card 2": late})
    assert rules(draft) == {(UNIQUE, "card 1")}


@pytest.mark.parametrize("origin", [OURS, THEIRS])
def test_a_claim_of_the_same_moment_goes_by_origin_and_then_by_key(origin: int) -> None:
    """Every node decides alike."""
    came = {"card 2": row(at=10, origin=origin, serial="a")}
    draft = _settled(BECOMES_NULL, {"card 1": row(at=10, origin=OURS, serial="a")}, came)
    assert rules(draft) == {(UNIQUE, "card 2")}


def test_of_three_claims_two_give_way() -> None:
    """The earliest of all keeps the value."""
    came = {f"card {key}": row(at=40 - key, origin=THEIRS, serial="a") for key in (1, 2, 3)}
    draft = _settled(BECOMES_NULL, {}, came)
    assert rules(draft) == {(UNIQUE, "card 1"), (UNIQUE, "card 2")}


def test_empty_columns_and_dead_rows_claim_nothing() -> None:
    """NULL is nobody's, and so is what a dead row held."""
    here = {"card 1": row(serial=None), "card 2": dead(row(serial="a"))}
    came = {"card 3": row(serial=None), "card 4": row(serial="a"), "card 5": dead(row(serial="a"))}
    assert not _settled(BECOMES_NULL, here, came).repairs()


def test_a_value_that_is_given_up_in_the_same_delta_is_free() -> None:
    """So two rows may swap their values."""
    here = {"card 1": row(serial="a"), "card 2": row(serial="b")}
    came = {
        "card 1": written(here["card 1"], 20, THEIRS, serial="b"),
        "card 2": written(here["card 2"], 20, THEIRS, serial="a"),
    }
    assert not _settled(IS_WITHDRAWN, here, came).repairs()


def test_only_all_columns_together_are_a_claim() -> None:
    """Two rows may share one column of two, and an empty one makes the claim empty."""
    unique = Unique("both", ("serial", "year"))
    here = {"card 1": row(serial="a", year=1), "card 2": row(serial="a", year=None)}
    came = {"card 3": row(at=20, serial="a", year=2), "card 4": row(at=20, serial="a", year=None)}
    assert not _settled(unique, here, came).repairs()
    draft = _settled(unique, here, {"card 5": row(at=20, serial="a", year=1)})
    assert rules(draft) == {(WITHDRAWN, "card 5")}


def _ending(key: int, serial: str = "a", length: int | None = 20) -> str:
    unique = Unique("serial", ("serial",), "serial", length=length)
    here = {"card 1": row(serial=serial)}
    draft = _settled(unique, here, {f"card {key}": row(at=20, serial=serial)})
    text = draft.known(place(f"card {key}")).values["serial"]
    assert isinstance(text, str)
    return text


def test_text_gets_an_ending_that_depends_on_the_row_alone() -> None:
    """Every node gives the same one, and each row another."""
    assert _ending(2) == _ending(2)
    assert _ending(2) != _ending(3)
    assert _ending(2).startswith("a~")


def test_an_ending_fits_into_the_column() -> None:
    """The text is cut for it; where there is no limit nothing is cut."""
    assert len(_ending(2, "x" * 20)) == 20
    assert _ending(2, "x" * 20).startswith("x" * 11 + "~")
    assert _ending(2, "x" * 20, length=None).startswith("x" * 20 + "~")


@pytest.mark.parametrize(("value", "length"), [("abcde", 5), ("abcdefgh", 8), (b"ab", 20), (7, 20)])
def test_where_no_ending_can_be_the_row_is_withdrawn(value: object, length: int) -> None:
    """Neither a column too short for one nor one that holds no text can take it."""
    unique = Unique("serial", ("serial",), "serial", length=length)
    came = {"card 2": row(at=20, origin=THEIRS, serial=value)}
    draft = _settled(unique, {"card 1": row(at=10, serial=value)}, came)
    assert rules(draft) == {(WITHDRAWN, "card 2")}


def test_a_text_with_an_ending_that_is_claimed_too_gets_another_one() -> None:
    """Settling goes on until it stands alone."""
    ending = _ending(2)
    here = {"card 1": row(serial="a"), "card 3": row(serial=ending)}
    draft = draft_of(_cards(GETS_AN_ENDING), here, {"card 2": row(at=20, serial="a")})
    assert settle_claims(draft, set()) == {place("card 2")}
    assert draft.known(place("card 2")).values["serial"] == ending
    assert settle_claims(draft, set()) == {place("card 2")}
    assert draft.known(place("card 2")).values["serial"] not in ("a", ending)
    assert settle_claims(draft, set()) == set()


def test_a_row_that_can_neither_is_withdrawn() -> None:
    """It dies, the journal keeps it, and whoever settles families knows that it stays dead."""
    came = {"card 2": row(at=20, origin=THEIRS, serial="a", note="x")}
    draft = draft_of(_cards(IS_WITHDRAWN), {"card 1": row(at=10, serial="a", note="y")}, came)
    withdrawn: set[Place] = set()
    assert settle_claims(draft, withdrawn) == {place("card 2")}
    assert withdrawn == {place("card 2")}
    assert outcome(draft) == {"card 2": None}
    [note] = draft.repairs()
    assert note.rule == WITHDRAWN
    assert {loss.column: loss.value for loss in note.losses} == {"serial": "a", "note": "x"}


def test_a_row_that_was_only_just_revived_goes_back_to_be_dead() -> None:
    """As if nobody had revived it: no life more, and nothing in the journal."""
    gone = dead(row(at=10, serial="a"))
    draft = draft_of(_cards(IS_WITHDRAWN), {"card 1": row(at=10, serial="a"), "card 2": gone})
    draft.revive(place("card 2"))
    assert rules(draft) == {(REVIVED, "card 2")}
    settle_claims(draft, set())
    assert draft.known(place("card 2")) == gone
    assert not draft.repairs()


class _Folding(MemoryTables):
    """Tables of a database that takes capital and small letters for the same."""

    def holders(self, table: str, unique: Unique, claims: Collection[Claim]) -> Set[Place]:
        """See the port."""
        wanted = set(self.folded(table, unique, list(claims)))
        live = [of for of, _state in self.live() if of[0] == table]
        folded = self.folded(table, unique, [self._held_by(of, unique) for of in live])
        return {of for of, fold in zip(live, folded, strict=True) if fold in wanted}

    def _held_by(self, of: Place, unique: Unique) -> Claim:
        return of[1] if unique.name == "PRIMARY" else (self.states[of].values["serial"],)

    def folded(self, table: str, unique: Unique, claims: Sequence[Claim]) -> Sequence[Hashable]:
        """See the port."""
        return [tuple(value.lower() for value in claim) for claim in claims]


def test_claims_are_the_same_where_the_database_takes_them_for_equal() -> None:
    """In a collation that knows no capitals, Hof and hof are one name."""
    of = _cards(BECOMES_NULL)
    tables = _Folding(of)
    tables.put(place("card 1"), row(at=10, serial="Hof"))
    draft = Draft(tables, of, OURS, NOW)
    came: dict[str, RowState] = {"card 2": row(at=20, serial="hof"), "card 3": row(serial="Ulm")}
    draft.load(map(place, came))
    for each, state in came.items():
        draft.take(place(each), state)
    settle_claims(draft, set())
    assert rules(draft) == {(UNIQUE, "card 2")}


BY_NAME = shapes(
    shape("card", uniques=[Unique("PRIMARY", ("id",))]), shape("stamp", "card restrict")
)


@pytest.mark.parametrize("ours_first", [True, False])
def test_two_spellings_of_a_key_are_one_row_for_the_database(ours_first: bool) -> None:
    """The later row is withdrawn, with what refers to it: both nodes keep the same one."""
    tables = _Folding(BY_NAME)
    ours, theirs = row(at=10 if ours_first else 30), row(at=20, origin=THEIRS)
    tables.put(("card", ("Hof",)), ours)
    came = delta(
        DeltaRow("card", ("hof",), theirs, True),
        DeltaRow("stamp", (1,), row(at=21, origin=THEIRS, card="hof"), True),
    )
    made = planned(BY_NAME, tables, came)
    kept, gone = ("Hof", "hof") if ours_first else ("hof", "Hof")
    assert not made.rows["card", (gone,)].alive
    assert made.rows["stamp", (1,)].alive is not ours_first
    assert (("card", (kept,)) in made.rows) is not ours_first
    assert WITHDRAWN in {note.rule for note in made.journal}


def test_a_row_is_no_rival_of_itself() -> None:
    """An update of a row whose key is looked at changes nothing else."""
    tables = _Folding(BY_NAME)
    tables.put(("card", ("Hof",)), row(at=10, people=1))
    changed = written(tables.states["card", ("Hof",)], 20, THEIRS, people=2)
    made = planned(BY_NAME, tables, delta(DeltaRow("card", ("Hof",), changed, True)))
    assert (list(made.rows), made.noted) == ([("card", ("Hof",))], ())


@pytest.mark.parametrize("nullable", [True, False])
def test_a_primary_key_does_not_give_way(nullable: bool) -> None:
    """It would be another row."""
    with pytest.raises(ValueError, match="may not release"):
        shape("card", uniques=[Unique("PRIMARY", ("id",), "id", nullable)])
