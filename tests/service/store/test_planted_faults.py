"""A large write with many mistakes: exactly those are reported, each with its place."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from records.errors import Failure
from records.validation import Row
from service.errors import Conflict, Refused, ValuesRefused
from service.store.operations import Create
from tests.service.store.direct import done, stored
from tests.service.store.families import CATALOGUE, INFO
from tests.service.store.tools import carry_out, full_row, read

ROWS, FAULTS = 1_000, 37
LANDS = [uuid.UUID(int=number) for number in range(1, 5)]
NOBODY = uuid.UUID(int=2**127)
TOWN, OLD_TOWN = INFO["town"], uuid.UUID(int=1_000_000)


def prepare(url: str) -> None:
    """Four lands, and towns whose ids and names are taken."""
    lands = [full_row(INFO["land"], id=land, code=str(at)) for at, land in enumerate(LANDS)]
    carry_out(url, CATALOGUE, Create(INFO["land"], lands))
    old = [
        full_row(TOWN, id=uuid.UUID(int=OLD_TOWN.int + at), land_id=land, name="old")
        for at, land in enumerate(LANDS)
    ]
    carry_out(url, CATALOGUE, Create(TOWN, old))


def towns() -> list[Row]:
    """Good new rows."""
    return [
        full_row(TOWN, id=uuid.UUID(int=5_000 + at), land_id=LANDS[at % 4], name=f"town {at}")
        for at in range(ROWS)
    ]


def plant(rows: list[Row], at: int, fault: int) -> list[tuple[int, str, str]]:
    """Spoil one row in one of the ways that only the tables can tell; what must be said of it."""
    row, before = rows[at], rows[at - 1]
    changes: dict[int, tuple[Row, list[tuple[str, str]]]] = {
        0: ({"land_id": NOBODY}, [("reference.missing", "/land_id")]),
        1: ({"twinned_id": NOBODY}, [("reference.missing", "/twinned_id")]),
        2: ({"name": "old"}, [("unique.taken", "/name")]),
        3: (
            {"land_id": before["land_id"], "name": before["name"]},
            [("unique.taken", "/name")],
        ),
        4: ({"id": OLD_TOWN}, [("unique.taken", "/id")]),
        5: ({"id": before["id"]}, [("unique.taken", "/id")]),
        6: (
            {"id": OLD_TOWN, "name": "old", "twinned_id": NOBODY},
            [
                ("reference.missing", "/twinned_id"),
                ("unique.taken", "/id"),
                ("unique.taken", "/name"),
            ],
        ),
    }
    change, said = changes[fault % len(changes)]
    row.update(change)
    return [(at, code, pointer) for code, pointer in said]


def found(failures: tuple[Failure, ...]) -> list[tuple[int | None, str, str]]:
    """Failures without their messages."""
    return sorted((one.index or 0, one.code, one.pointer) for one in failures)


def written(url: str) -> int:
    """How many towns there are."""
    count: int = read(url, "SELECT COUNT(*) FROM town")[0][0]
    return count


def test_thirty_seven_faults_in_a_thousand_rows_are_all_reported(families: str) -> None:
    """Missing parents, taken keys, rows of the call that clash, several faults in one row."""
    prepare(families)
    rows, expected = towns(), []
    places = random.Random(37).sample(range(1, ROWS, 2), FAULTS)
    for fault, at in enumerate(places):
        expected += plant(rows, at, fault)
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.create(TOWN, rows, ()))
    assert found(caught.value.failures) == sorted(expected)
    assert len({one.index for one in caught.value.failures}) == FAULTS
    assert [one.index for one in caught.value.failures] == sorted(
        one.index or 0 for one in caught.value.failures
    )
    assert written(families) == 4


def test_the_same_rows_without_the_faults_are_written(families: str) -> None:
    """All of them, in one call."""
    prepare(families)
    with stored(families, CATALOGUE) as records:
        done(records.create(TOWN, towns(), ()))
    assert written(families) == ROWS + 4


def test_faults_known_before_are_reported_with_those_the_tables_tell(families: str) -> None:
    """A row whose values were refused is still looked at for what was valid of it."""
    prepare(families)
    rows: list[Any] = towns()[:10]
    del rows[3]["size"]
    rows[3]["land_id"] = NOBODY
    rows[5]["name"] = "old"
    known = [Failure("value.out_of_range", "too many", "/size", 3)]
    with stored(families, CATALOGUE) as records, pytest.raises(ValuesRefused) as caught:
        done(records.create(TOWN, rows, known))
    assert found(caught.value.failures) == [
        (3, "reference.missing", "/land_id"),
        (3, "value.out_of_range", "/size"),
        (5, "unique.taken", "/name"),
    ]
    assert written(families) == 4


def test_rows_that_could_not_be_tried_still_take_their_values(families: str) -> None:
    """Two rows of one key and one name, both without a parent: the second is told both faults."""
    prepare(families)
    rows = towns()[:2]
    for row in rows:
        row.update(id=rows[0]["id"], land_id=NOBODY, name="same")
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.create(TOWN, rows, ()))
    assert found(caught.value.failures) == [
        (0, "reference.missing", "/land_id"),
        (1, "reference.missing", "/land_id"),
        (1, "unique.taken", "/id"),
        (1, "unique.taken", "/name"),
    ]


def test_a_message_names_the_record_in_the_way(families: str) -> None:
    """One that is there by its key, one of the call by its place; values as JSON shows them."""
    prepare(families)
    rows = towns()[:3]
    rows[1].update(land_id=LANDS[0], name="old")
    rows[2].update(land_id=LANDS[0], name="town 0")
    with stored(families, CATALOGUE) as records, pytest.raises(Refused) as caught:
        done(records.create(TOWN, rows, ()))
    assert [one.message for one in caught.value.failures] == [
        f"land_id '{LANDS[0]}', name 'old' is taken by town {OLD_TOWN}",
        f"land_id '{LANDS[0]}', name 'town 0' is taken by record 0 of this call",
    ]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_rows_that_refer_to_each_other_are_created_in_any_order(
    families: str, order: list[int]
) -> None:
    """A branch and what is above it in one call, whichever comes first."""
    made = [uuid.UUID(int=number) for number in range(1, 5)]
    rows = [
        full_row(INFO["branch"], id=made[at], name=str(at), above_id=made[at - 1] if at else None)
        for at in order
    ]
    with stored(families, CATALOGUE) as records:
        done(records.create(INFO["branch"], rows, ()))
    assert read(
        families, "SELECT COUNT(*) FROM branch AS b JOIN branch AS a ON a.id = b.above_id"
    ) == [(3,)]


def test_a_row_is_not_blamed_for_its_parent_of_the_same_call(families: str) -> None:
    """The parent's name is taken; its children, before and after it, have no fault of their own."""
    old = full_row(INFO["branch"], name="old")
    carry_out(families, CATALOGUE, Create(INFO["branch"], [old]))
    parent = full_row(INFO["branch"], name="old")
    rows = [
        full_row(INFO["branch"], name="before", above_id=parent["id"]),
        parent,
        full_row(INFO["branch"], name="after", above_id=parent["id"]),
        full_row(INFO["branch"], name="lost", above_id=NOBODY),
    ]
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.create(INFO["branch"], rows, ()))
    assert found(caught.value.failures) == [
        (1, "unique.taken", "/name"),
        (3, "reference.missing", "/above_id"),
    ]


def test_a_key_twice_in_a_class_that_refers_to_itself_is_refused(families: str) -> None:
    """Neither of the two rows is silently left out."""
    same = uuid.uuid4()
    rows = [full_row(INFO["branch"], id=same, name=name) for name in ("a", "b")]
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.create(INFO["branch"], rows, ()))
    assert found(caught.value.failures) == [(1, "unique.taken", "/id")]


def test_new_rows_in_a_circle_are_refused_with_advice(families: str) -> None:
    """None of them could come first; the row below them has no fault of its own."""
    one, two, three = (uuid.UUID(int=number) for number in (1, 2, 3))
    rows = [
        full_row(INFO["branch"], id=one, name="one", above_id=two),
        full_row(INFO["branch"], id=two, name="two", above_id=one),
        full_row(INFO["branch"], id=three, name="three", above_id=one),
    ]
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.create(INFO["branch"], rows, ()))
    assert found(caught.value.failures) == [
        (0, "reference.circular", "/above_id"),
        (1, "reference.circular", "/above_id"),
    ]
    assert "leave above out where it may be null" in caught.value.failures[0].message


def test_unique_keys_follow_the_collation_of_their_column(families: str) -> None:
    """'Red' and 'RED' are one where the column says so, also within one call."""
    mark = INFO["mark"]
    carry_out(families, CATALOGUE, Create(mark, [full_row(mark, word="red", label="x")]))
    rows = [
        full_row(mark, word="RED", label="y"),
        full_row(mark, word="blue", label="X"),
        full_row(mark, word="Grün", label="z"),
        full_row(mark, word="grün", label="w"),
    ]
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.create(mark, rows, ()))
    assert found(caught.value.failures) == [
        (0, "unique.taken", "/word"),
        (1, "unique.taken", "/label"),
        (3, "unique.taken", "/word"),
    ]


def test_nulls_never_clash(families: str) -> None:
    """In a unique key, alone or of several fields, NULL is not the same as NULL."""
    seat = INFO["seat"]
    rows = [
        full_row(seat, number=1, line="a", place=None, holder=None),
        full_row(seat, number=2, line="a", place=None, holder=None),
        full_row(seat, number=3, line=None, place=1, holder="me"),
        full_row(seat, number=4, line=None, place=1, holder="you"),
    ]
    with stored(families, CATALOGUE) as records:
        done(records.create(seat, rows, ()))
        rows = [full_row(seat, number=5, line="b", place=1, holder="me")]
        with pytest.raises(Conflict) as caught:
            done(records.create(seat, rows, ()))
    assert found(caught.value.failures) == [(0, "unique.taken", "/holder")]


def test_a_constraint_that_only_the_table_has_is_reported_by_its_name(families: str) -> None:
    """What a DBA added is respected, and the answer says which row broke it."""
    read(families, "ALTER TABLE seat ADD CONSTRAINT place_is_small CHECK (place < 100)")
    seat = INFO["seat"]
    rows = [full_row(seat, number=at, line="a", place=99 * at) for at in (1, 2, 3)]
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.create(seat, rows, ()))
    assert found(caught.value.failures) == [(1, "check.violated", ""), (2, "check.violated", "")]
    assert caught.value.failures[0].message == "the table's constraint place_is_small refuses it"


def test_a_unique_key_that_only_the_table_has_is_reported(families: str) -> None:
    """The row is named, although the catalogue knows nothing of the key."""
    read(families, "ALTER TABLE seat ADD UNIQUE KEY secret (place)")
    seat = INFO["seat"]
    rows = [full_row(seat, number=at, line=str(at), place=7) for at in (1, 2)]
    with stored(families, CATALOGUE) as records, pytest.raises(Conflict) as caught:
        done(records.create(seat, rows, ()))
    assert [(one.index, one.code) for one in caught.value.failures] == [(1, "unique.taken")]
