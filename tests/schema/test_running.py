"""What a running node lacks of a schema, from values alone."""

from __future__ import annotations

import pytest

from schema.running import Lack, Needs, Seen, lacks
from schema.version import SCHEMA_NUMBER, SchemaNumbers

NUMBERS = SchemaNumbers(SCHEMA_NUMBER, 1)
NEEDS = Needs(frozenset({"hb0002", "app2"}), frozenset({"hb0001", "hb0002", "app1", "app2"}))
FARM = {"farm": ("id", "name")}


def found(
    *revisions: str,
    numbers: SchemaNumbers | None = NUMBERS,
    columns: dict[str, tuple[str, ...]] | None = None,
) -> tuple[Lack, ...]:
    """What is lacking where a look finds this."""
    there = FARM if columns is None else columns
    return lacks(NEEDS, FARM, Seen(numbers, frozenset(revisions), there))


@pytest.mark.parametrize(
    "revisions",
    [
        ("hb0002", "app2"),
        ("hb0002", "app3"),
        ("hb0003", "app2"),
        ("hb0003", "app3"),
    ],
)
def test_what_a_newer_release_has_added_leaves_a_node_running(revisions: tuple[str, ...]) -> None:
    """The revision that is not known took the place of the one that is needed."""
    assert found(*revisions) == ()


@pytest.mark.parametrize(
    ("revisions", "gone"),
    [
        (("hb0002", "app1"), ["app2"]),
        (("hb0002",), ["app2"]),
        (("hb0001", "app2"), ["hb0002"]),
        (("hb0003", "app1"), ["app2"]),
        (("hb0001", "app3"), ["hb0002"]),
        ((), ["app2", "hb0002"]),
    ],
)
def test_a_revision_that_was_taken_back_is_told(
    revisions: tuple[str, ...], gone: list[str]
) -> None:
    """Of Herdbook's own and of the application's, each by itself."""
    expected = [
        Lack(f"revision {name} was taken back", "run `herdbook schema upgrade`") for name in gone
    ]
    assert list(found(*revisions)) == expected


def test_missing_tables_and_columns_come_back_with_the_revision_that_made_them() -> None:
    """Where none was taken back somebody did it by hand, and only a closer look tells."""
    tables = found("hb0002", "app1", columns={})
    assert {lack.advice for lack in tables} == {"run `herdbook schema upgrade`"}
    assert [lack.what for lack in tables] == [
        "revision app2 was taken back",
        "table farm is missing",
    ]
    (column,) = found("hb0002", "app2", columns={"farm": ("ID", "age")})
    assert column.what == "column farm.name is missing"
    assert "herdbook schema check" in column.advice


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (None, "those of older code"),
        (SchemaNumbers(SCHEMA_NUMBER - 1, 1), "those of older code"),
        (
            SchemaNumbers(SCHEMA_NUMBER + 2, SCHEMA_NUMBER + 1),
            f"needs code of number {SCHEMA_NUMBER + 1}",
        ),
    ],
)
def test_numbers_that_do_not_fit_are_told(numbers: SchemaNumbers | None, said: str) -> None:
    """Older tables want an upgrade, newer ones a newer Herdbook."""
    (lack,) = found("hb0002", "app2", numbers=numbers)
    assert said in lack.what
    assert ("upgrade" in lack.advice) == (said == "those of older code")


def test_a_newer_schema_on_which_this_code_may_run_is_none_of_its_business() -> None:
    """The two numbers say so."""
    assert found("hb0009", "app2", numbers=SchemaNumbers(SCHEMA_NUMBER + 7, SCHEMA_NUMBER)) == ()
