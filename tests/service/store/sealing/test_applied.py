"""What the herd's applier puts into the inbox is sealed with where it came from, once."""

from __future__ import annotations

from service.store.sealing.entries import APPLIED, DEATH_APPLIED, WRITTEN, Entry
from service.store.sealing.lives import open_ends, settle
from tests.service.store.sealing.tools import changelog, inbox, run, sealing, told
from tests.service.store.tools import read

_INSERT = (
    "INSERT INTO herdbook_inbox (table_name, row_key, kind, life, origin, stamp, writer, "
    "at_origin, applied) VALUES "
)
PLACE = ("plot", b"1")


def came(at: int, kind: str = "update", life: int = 3, applied: int = APPLIED) -> str:
    """The statement by which an entry of origin 77 is put into the inbox."""
    return f"{_INSERT} ('plot', '1', '{kind}', {life}, 77, 5, 'them', {at}, {applied})"


def entry(number: int, kind: str, life: int, applied: int = WRITTEN) -> Entry:
    """An entry of one row."""
    return Entry(number, "plot", b"1", kind, None, life, 1, 0, "", None, applied)


def test_entries_of_siblings_keep_their_origin_position_and_life(plots: str) -> None:
    """They get positions here among our own, and only ours count as written here."""
    run(plots, "INSERT INTO plot (number, name) VALUES (1, 'a')", came(40), came(41, life=1))
    with sealing(plots) as sealer:
        sealer.seal()
    assert told(plots) == [("insert", "1", 1), ("update", "1", 3), ("update", "1", 1)]
    columns = "SELECT origin = 77, at_origin FROM herdbook_changelog ORDER BY `position`"
    assert read(plots, columns) == [(0, None), (1, 40), (1, 41)]
    assert read(plots, "SELECT `position`, written FROM herdbook_sealer") == [(3, 1)]


def test_an_entry_that_comes_again_is_sealed_once(plots: str) -> None:
    """In one pass or in a later one; positions have no gap, and the inbox is empty."""
    run(plots, came(40), came(40), "INSERT INTO plot (number, name) VALUES (2, 'b')")
    with sealing(plots) as sealer:
        sealer.seal()
        run(plots, came(40), came(41), came(40))
        sealer.seal()
        run(plots, came(41))
        sealer.seal()
    assert [(line.key, line.kind) for line in changelog(plots)] == [
        (b"1", "update"), (b"2", "insert"), (b"1", "update"),
    ]  # fmt: skip
    assert inbox(plots) == 0
    assert read(plots, "SELECT written FROM herdbook_sealer") == [(2,)]


def test_a_death_that_the_row_here_went_through_tells_of_what_was_before() -> None:
    """A birth that was not sealed when a delete was applied belongs to the life before."""
    entries = [entry(1, "insert", 1), entry(2, "delete", 6, DEATH_APPLIED)]
    assert open_ends(entries) == {}
    assert [life for _entry, life in settle(entries, {}, frozenset())] == [5, 6]


def test_a_death_that_came_too_late_to_matter_tells_of_nothing() -> None:
    """The row is two lives further; what is written of it here has the life it stands with."""
    entries = [entry(1, "update", 5), entry(2, "delete", 2, APPLIED), entry(3, "update", 5)]
    assert [one.entry for one in open_ends(entries)[PLACE]] == [1, 3]
    assert [life for _entry, life in settle(entries, {PLACE: 5}, frozenset())] == [5, 2, 5]


def test_what_was_applied_is_sealed_also_where_the_row_waits() -> None:
    """Its life is known."""
    entries = [entry(1, "insert", 1), entry(2, "update", 3, APPLIED)]
    assert [one.entry for one, _ in settle(entries, {}, frozenset({PLACE}))] == [2]
