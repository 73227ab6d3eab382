"""Which life each entry belongs to, by the entries alone."""

from __future__ import annotations

from service.store.sealing.entries import Entry, Place
from service.store.sealing.lives import Standing, open_ends, settle


def entries(*told: tuple[str, str, int]) -> list[Entry]:
    """Entries of one table from kind, key and the life the trigger wrote."""
    return [
        Entry(number, "plot", key.encode(), kind, None, life, 1, 0, "")
        for number, (kind, key, life) in enumerate(told, start=1)
    ]


def settled(
    told: list[Entry], lives: dict[Place, int], held: frozenset[Place] = frozenset()
) -> list[tuple[int, int]]:
    """The numbers and lives of what can be sealed."""
    return [(entry.entry, life) for entry, life in settle(told, lives, held)]


A, B = ("plot", b"a"), ("plot", b"b")


def test_only_rows_that_are_not_seen_to_die_are_open() -> None:
    """What follows the last death of a key, or all where there is none."""
    told = entries(("insert", "a", 1), ("delete", "a", 2), ("insert", "b", 1), ("update", "b", 1))
    assert {place: len(end) for place, end in open_ends(told).items()} == {B: 2}
    again = [*told, *entries(("insert", "a", 1))]
    assert set(open_ends(again)) == {A, B}


def test_what_happened_before_a_death_has_its_life_less_one() -> None:
    """Births and updates between two deaths belong to the later one."""
    told = entries(
        ("insert", "a", 1),
        ("update", "a", 1),
        ("delete", "a", 2),
        ("insert", "a", 1),
        ("delete", "a", 4),
    )
    assert settled(told, {}) == [(1, 1), (2, 1), (3, 2), (4, 3), (5, 4)]


def test_what_happened_after_the_last_death_has_the_life_of_the_row() -> None:
    """As it stands in the table, for births and updates alike."""
    told = entries(("delete", "a", 4), ("insert", "a", 1), ("update", "a", 1))
    assert settled(told, {A: 5}) == [(1, 4), (2, 5), (3, 5)]


def test_a_row_that_is_held_waits_with_all_that_follows() -> None:
    """Its earlier deaths and all other rows are sealed."""
    told = entries(("delete", "a", 2), ("insert", "a", 1), ("insert", "b", 1), ("update", "a", 1))
    assert settled(told, {B: 1}, frozenset({A})) == [(1, 2), (3, 1)]


def test_a_row_born_again_gets_the_life_after_the_dead_one() -> None:
    """Unless it is higher already."""
    assert Standing(1, 0).mended == 1
    assert Standing(1, 0, dead=4).mended == 5
    assert Standing(7, 0, dead=4).mended == 7


def test_a_row_explains_entries_of_its_own_life_only() -> None:
    """Not where a dead row lies beside it, nor where its life is another."""
    told = entries(("insert", "a", 1))
    assert Standing(1, 0).explains(told)
    assert not Standing(3, 0).explains(told)
    assert not Standing(1, 0, dead=2).explains(told)
