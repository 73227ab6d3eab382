"""A large call with many mistakes gets all of them back, and writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.node import CallFailed, NodeProcess, served

ROWS = 1_000
NOBODY = "00000000-0000-7000-8000-000000000000"

# What is done to a good record, and what is then wrong with it.
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"colour": "brown"}, "/colour", "field.unknown"),
    ({"name": None}, "/name", "value.null"),
    ({"name": 17}, "/name", "value.wrong_type"),
    ({"name": "x" * 61}, "/name", "value.too_long"),
    ({"name": "\ud800"}, "/name", "value.not_unicode"),
    ({"weight": -1}, "/weight", "value.out_of_range"),
    ({"weight": 65_536}, "/weight", "value.out_of_range"),
    ({"weight": "heavy"}, "/weight", "value.bad_format"),
    ({"weight": 1.5}, "/weight", "value.wrong_type"),
    ({"weight": True}, "/weight", "value.wrong_type"),
    ({"tag": None}, "/tag", "value.null"),
    ({"tag": 2**32}, "/tag", "value.out_of_range"),
    ({"tag": 7}, "/tag", "unique.taken"),
    ({"tag": 100_000}, "/tag", "unique.taken"),
    ({"farm_id": NOBODY}, "/farm_id", "reference.missing"),
    ({"farm_id": "nowhere"}, "/farm_id", "value.bad_format"),
    ({"farm_id": None}, "/farm_id", "value.null"),
    ({"id": "not-an-id"}, "/id", "value.bad_format"),
]


def cows(farm: str) -> list[dict[str, Any]]:
    """Good records, tags from 100,000 on."""
    return [{"farm_id": farm, "name": f"cow {n}", "tag": 100_000 + n} for n in range(ROWS)]


@pytest.fixture
def farm(tmp_path: Path, database: str) -> Any:
    """A node with one farm and one cow, whose tag is 7; the node and the farm's id."""
    with served(tmp_path, database) as node:
        made = node.call("farm.create", {"name": "Sennhof"})
        node.call("cow.create", {"farm_id": made["id"], "name": "Lisa", "tag": 7})
        yield node, made["id"]


def test_a_thousand_rows_with_37_planted_faults_give_exactly_those_37(
    farm: tuple[NodeProcess, str],
) -> None:
    """Every planted fault comes back once, with index and pointer; nothing is written."""
    node, home = farm
    records = cows(home)
    expected = []
    for number in range(37):
        change, pointer, code = FAULTS[number % len(FAULTS)]
        index = 13 + number * 26
        # A lone surrogate cannot even be sent: the parser refuses the whole body.
        if code == "value.not_unicode":
            change, pointer, code = {"name": ["x"]}, "/name", "value.wrong_type"
        records[index] |= change
        expected.append((index, pointer, code))
    with pytest.raises(CallFailed) as refused:
        node.call("cow.create", {"records": records})
    found = [(each["index"], each["pointer"], each["code"]) for each in refused.value.errors]
    assert found == expected
    assert node.call("cow.count") == 1


def test_faults_that_only_the_tables_know_are_all_found_too(
    farm: tuple[NodeProcess, str],
) -> None:
    """Where every value fits, duplicates and missing parents still come back together."""
    node, home = farm
    records = cows(home)
    records[3] |= {"tag": 7}
    records[500] |= {"tag": 100_004}
    records[700] |= {"farm_id": NOBODY}
    records[999] |= {"farm_id": NOBODY, "tag": 100_001}
    with pytest.raises(CallFailed) as refused:
        node.call("cow.create", {"records": records})
    found = [(each["index"], each["pointer"], each["code"]) for each in refused.value.errors]
    assert found == [
        (3, "/tag", "unique.taken"),
        (500, "/tag", "unique.taken"),
        (700, "/farm_id", "reference.missing"),
        (999, "/farm_id", "reference.missing"),
        (999, "/tag", "unique.taken"),
    ]
    assert refused.value.code == "constraint.violated"
    assert node.call("cow.count") == 1


def test_the_same_rows_without_faults_are_all_written(farm: tuple[NodeProcess, str]) -> None:
    """The call is refused for its faults and for nothing else."""
    node, home = farm
    assert len(node.call("cow.create", {"records": cows(home)})) == ROWS
    assert node.call("cow.count") == ROWS + 1


def test_an_upsert_with_a_value_that_does_not_fit_changes_nothing(
    farm: tuple[NodeProcess, str],
) -> None:
    """Whether the record is there or not, a refused value refuses the whole of it."""
    node, home = farm
    for records in (
        [{"id": home, "name": 17}],
        [{"id": home, "name": "Almhof", "colour": "red"}],
        [{"id": home, "name": "Almhof"}, {"name": None}],
        [{"name": "Neuhof", "colour": "red"}],
    ):
        with pytest.raises(CallFailed) as refused:
            node.call("farm.upsert", {"records": records})
        assert refused.value.code == "values.invalid"
    assert [each["name"] for each in node.call("farm.list")["records"]] == ["Sennhof"]
