"""`docs/api.md`: its examples are sent to a node, and its table of errors is whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from examples.gazetteer import data
from service.rpc.faults import FAULT_KINDS
from tests.live.node import NodeProcess, migrate

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
GAZETTEER = "examples.gazetteer.records"


def blocks() -> list[tuple[str, str]]:
    """The fenced blocks that hold JSON, with their kinds, in order."""
    return re.findall(r"^```(json[a-z-]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def seen(answer: dict[str, Any], kind: str) -> Any:
    """The part of an answer that a block of this kind shows."""
    if kind == "json-result":
        return answer["result"]
    if kind == "json-answer":
        return {"code": answer["error"]["data"]["code"]}
    assert kind == "json-errors"
    shown = ("index", "pointer", "code")
    return [{key: each[key] for key in shown} for each in answer["error"]["data"]["errors"]]


@pytest.mark.slow
def test_every_example_of_the_page_is_answered_as_it_says(tmp_path: Path, database: str) -> None:
    """What stands below a call is what a node answers."""
    migrate(tmp_path, database, GAZETTEER)
    with NodeProcess(tmp_path, database, HERDBOOK_NODE_RECORDS=GAZETTEER) as node:
        node.call("country.create", {"records": list(data.countries())})
        iceland = data.country_id("IS")
        some = [city for city in data.cities() if city["country_id"] == iceland]
        node.call("city.create", {"records": some})
        answer: dict[str, Any] = {}
        for kind, text in blocks():
            if kind == "json":
                answer = node.post(json.loads(text))
                assert answer["id"] == json.loads(text)["id"]
            else:
                assert seen(answer, kind) == json.loads(text), answer
    assert sum(kind != "json" for kind, _text in blocks()) >= 4


def test_the_page_lists_every_error_there_is() -> None:
    """No number and no code is missing from the table."""
    for fault in FAULT_KINDS:
        assert f"`{fault.code}`" in PAGE, fault
    numbers = {int(number) for number in re.findall(r"^\| (-?\d{4,5}) ", PAGE, re.MULTILINE)}
    limits = set(range(-32014, -32009))
    assert {fault.number for fault in FAULT_KINDS} <= numbers | limits


def test_the_page_names_every_operator() -> None:
    """An operator that is there is one that a reader finds."""
    from service.methods.operators import OPERATORS

    for operator in OPERATORS:
        assert f"`{operator}`" in PAGE, operator
