"""Every method is found, and every method is explained."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schema.capture.columns import DIED, WRITER
from service.errors import MethodUnknown
from service.methods.params import Signature, bind
from service.methods.registry import Method, Registry
from service.methods.undo_port import Restored
from tests.service.methods.memory import remembering
from tests.service.methods.samples import CATALOGUE

METHODS = list(remembering()[0].registry)
VERBS = (
    *("get", "list", "count", "create", "update", "upsert", "delete"),
    *("list_deleted", "restore"),
)
SYSTEM = {
    *("schema.describe", "system.listMethods", "system.methodHelp", "system.methodSignature"),
}
HERD = {
    *("herd.status", "herd.graph", "journal.list", "journal.show", "journal.restore"),
    *("held.list", "held.retry", "held.drop"),
}


def test_every_record_and_collection_has_its_methods() -> None:
    """Nothing is missing and nothing is there besides."""
    expected = SYSTEM | HERD
    for record in CATALOGUE.records.values():
        expected |= {f"{record.name}.{verb}" for verb in VERBS}
        for name in record.collections:
            expected |= {
                f"{record.name}.{name}.{verb}" for verb in ("list", "add", "remove", "clear")
            }
    assert {method.name for method in METHODS} == expected


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_is_explained(method: Method) -> None:
    """A summary, a line for each parameter, and an example that the method takes."""
    assert method.summary.endswith(".")
    assert method.help.startswith(method.summary)
    for parameter in method.signature.parameters:
        assert parameter.text
        assert all(f"{name}" in method.help for name in parameter.names)
        assert isinstance(parameter.schema, dict)
    assert method.result
    call = json.loads(method.help.rsplit("Example:", 1)[1])
    assert call == {"jsonrpc": "2.0", "method": method.name, "params": method.example, "id": 1}
    assert bind(method.signature, method.example).problems.failures == []


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_example_is_a_call_that_is_not_refused(method: Method) -> None:
    """What the help shows can be copied."""
    row: dict[str, Any] = {
        name: None for record in CATALOGUE.records.values() for name in record.fields
    }
    row |= {DIED: 0, WRITER: ""}
    verb = method.name.rpartition(".")[2]
    answers: dict[str, Any] = dict.fromkeys(("count", "delete", "remove", "clear"), 1)
    answers["restore"] = Restored([row], {})
    api, _store = remembering(answers.get(verb, [row]))
    assert api.call(method.name, method.example) is not None


@pytest.mark.parametrize(
    ("name", "near"),
    [("regoin.list", "region.list"), ("animal.lst", "animal.list"), ("listMethods", "")],
)
def test_an_unknown_method_is_told_with_the_nearest_one(name: str, near: str) -> None:
    """The message helps with a typo."""
    api, _store = remembering()
    with pytest.raises(MethodUnknown) as caught:
        api.call(name)
    assert name in caught.value.message
    assert (f"did you mean {near}?" in caught.value.message) or not near


def test_a_very_long_unknown_name_is_not_repeated_whole() -> None:
    """An answer is not as long as a client likes."""
    api, _store = remembering()
    with pytest.raises(MethodUnknown) as caught:
        api.call("x" * 1_000_000)
    assert len(caught.value.message) < 300


def test_two_methods_of_one_name_are_refused() -> None:
    """A later one never hides an earlier one."""
    with pytest.raises(ValueError, match=r"two methods called region\.get"):
        Registry([*METHODS, next(method for method in METHODS if method.name == "region.get")])


def test_methods_tell_of_themselves() -> None:
    """Names in order; help as text; one signature with the types of result and parameters."""
    api, _store = remembering()
    names = api.call("system.listMethods")
    assert names == sorted(names)
    assert names == [method.name for method in METHODS]
    assert "Example:" in api.call("system.methodHelp", ["region.create"])
    assert api.call("system.methodHelp", {"name": "region.get"}).startswith("One region or many")
    assert api.call("system.methodSignature", ["region.count"]) == [["integer", "array|null"]]
    assert api.call("system.methodSignature", ["system.listMethods"]) == [["array"]]
    (signature,) = api.call("system.methodSignature", ["region.get"])
    assert signature == ["object|null|array", "string|object|array", "array|null"]
    with pytest.raises(MethodUnknown):
        api.call("system.methodHelp", ["region.gte"])


def test_a_method_without_parameters_takes_an_empty_list_or_object_or_none() -> None:
    """All three mean the same."""
    forms: list[Any] = [None, [], {}]
    for params in forms:
        assert bind(Signature(), params).problems.failures == []
