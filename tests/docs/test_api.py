"""`docs/api.md`: its examples are sent to a node, and its table of errors is whole."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.gazetteer import data
from service.rpc import messages
from service.rpc.faults import FAULT_KINDS
from tests.live.node import NodeProcess, migrate

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()
ROOMS = ("records", "service/rpc", "service/methods", "service/store", "service/ranges")
NO_CODES = {"records.door", "herdbook.rpc", "herdbook.herd", "schema.describe"}
"""Text in these rooms that looks like a code: a module, a log, a method."""
NO_METHODS = {
    f"range.{code}"
    for code in (
        "columns", "csv", "merge_empty", "merge_families", "merge_gap", "node", "overlap",
        "purpose", "split", "too_many", "twice",
    )
}  # fmt: skip
"""Codes of files of ranges, and of what is done with blocks that no method does."""
GAZETTEER = "examples.gazetteer.records"


def blocks() -> list[tuple[str, str]]:
    """The fenced blocks that hold JSON, with their kinds, in order."""
    return re.findall(r"^```(json[a-z-]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def lasting(value: Any) -> Any:
    """A value without moments, which are others each time; that they are there still counts."""
    if isinstance(value, list):
        return [lasting(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: "" if name == "deleted_at" else lasting(item) for name, item in value.items()}


def seen(answer: dict[str, Any], kind: str) -> Any:
    """The part of an answer that a block of this kind shows."""
    if kind == "json-result":
        return lasting(answer["result"])
    if kind == "json-children":
        return answer["result"]["children"]
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
                assert seen(answer, kind) == lasting(json.loads(text)), answer
    assert sum(kind != "json" for kind, _text in blocks()) >= 4


def test_the_page_lists_every_error_there_is() -> None:
    """No number and no code is missing from the table."""
    for fault in FAULT_KINDS:
        assert f"`{fault.code}`" in PAGE, fault
    numbers = {int(number) for number in re.findall(r"^\| (-?\d{4,5}) ", PAGE, re.MULTILINE)}
    limits = set(range(-32015, -32009))
    assert {fault.number for fault in FAULT_KINDS} <= numbers | limits


def codes_in(room: str) -> Iterator[str]:
    """All text in the source of a room that has the form of an error's code."""
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(r"^[a-z]+\.[a-z_]+$", node.value)


def test_the_page_lists_every_code_of_a_single_failure() -> None:
    """Whatever code the source can give, a reader finds."""
    codes = {code for room in ROOMS for code in codes_in(room)} - NO_CODES - NO_METHODS
    assert {"value.required", "unique.taken", "where.malformed", "json.number"} <= codes
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_the_page_lists_every_code_of_a_malformed_request() -> None:
    """Those are made of the names of the request's members."""
    refused = messages.read_one({"jsonrpc": 1, "method": 1, "params": 1, "id": []})
    assert isinstance(refused, messages.Invalid)
    assert len(refused.error.failures) == 4
    assert all(f"`{failure.code}`" in PAGE for failure in refused.error.failures)


def test_the_page_names_no_code_that_is_not_there() -> None:
    """A code that went, or was never so called, does not stay on the page."""
    table = PAGE.partition("Within `errors`")[2]
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", table))
    known = {code for room in ROOMS for code in codes_in(room)}
    made = {f"request.{member}" for member in ("jsonrpc", "method", "params", "id")}
    assert len(named) > 40
    assert named - known - made == set()


def test_the_page_lists_every_status() -> None:
    """Each status that the pages of the listener can answer with."""
    source = (ROOT / "service" / "transports" / "http.py").read_text()
    statuses = set(re.findall(r"(?:refusal|Answer)\((\d{3})", source)) - {"200", "204"}
    statuses |= {"400", "408", "413", "500"}
    assert statuses >= {"403", "404", "405", "415", "503"}
    listed = re.findall(r"^\| (\d{3}(?:, \d{3})*) \|", PAGE, re.MULTILINE)
    assert set(", ".join(listed).split(", ")) == statuses


def test_the_page_names_every_operator() -> None:
    """An operator that is there is one that a reader finds."""
    from service.methods.operators import OPERATORS

    for operator in OPERATORS:
        assert f"`{operator}`" in PAGE, operator
