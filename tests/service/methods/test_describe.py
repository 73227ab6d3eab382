"""Record classes are described as JSON Schema, with what a client needs to call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from records import Integer, Json, Record, Text
from records.catalogue import catalogue_of
from service.methods.describe import record_schema
from service.methods.examples import example_value
from tests.service.methods.memory import remembering
from tests.service.methods.samples import ANIMAL, CATALOGUE


class Sign(Record):
    """What stands on a wall."""

    number = Integer(bits=8, primary=True)
    text = Text(length=9, default="none")
    color = Text(length=9, allow_none=True, default="red")
    data = Json()
    more = Json(allow_none=True)
    __atomic__ = (("color", "text"),)


def described(record: str) -> Any:
    """What `schema.describe` says of one class."""
    return remembering()[0].call("schema.describe", [record])


def test_all_classes_are_described_under_their_names() -> None:
    """One document, in the 2020-12 dialect, in JSON."""
    found = remembering()[0].call("schema.describe")
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(found["$defs"]) == {"region", "farm", "stall", "animal"}
    assert found["$defs"]["farm"].items() <= described("farm").items()
    assert json.loads(json.dumps(found)) == found


def test_a_class_tells_its_fields_key_references_and_collections() -> None:
    """What is required, what refers to what, and what is unique."""
    farm = described("farm")
    assert farm["description"] == "Where animals live."
    assert list(farm["properties"]) == ["id", "region_code", "name"]
    assert farm["required"] == ["region_code", "name"]
    assert farm["additionalProperties"] is False
    assert farm["x-key"] == ["id"]
    assert farm["x-references"] == {
        "region": {
            "record": "region",
            "fields": {"region_code": "code"},
            "on_delete": "restrict",
            "required": True,
        }
    }
    assert farm["x-collections"]["animals"] == {
        "record": "animal",
        "reference": "farm",
        "order_by": ["-weight", "name"],
    }
    assert described("region")["x-unique"] == [["title"]]
    assert described("stall")["x-key"] == ["farm_id", "place"]


def test_fields_tell_type_null_and_default() -> None:
    """A default that is made anew each time is only said to be so."""
    schema = record_schema(catalogue_of([Sign]).records["sign"])
    assert schema["properties"] == {
        "number": {"type": "integer", "minimum": -128, "maximum": 127},
        "text": {"type": "string", "maxLength": 9, "default": "none"},
        "color": {
            "anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}],
            "default": "red",
        },
        "data": {"not": {"type": "null"}},
        "more": {"default": None},
    }
    assert schema["required"] == ["number", "data"]
    assert schema["x-atomic"] == [["text", "color"]]
    assert described("farm")["x-atomic"] == []
    assert described("farm")["properties"]["id"]["x-default"] == "generated"
    assert described("farm")["properties"]["region_code"]["x-reference"] == "region"


@pytest.mark.parametrize("field", ANIMAL.fields.values(), ids=lambda info: info.name)
def test_examples_are_values_that_their_fields_take(field: Any) -> None:
    """The help never shows what would be refused."""
    assert field.kind.from_json(example_value(field.kind)) is not None


def test_every_record_class_has_a_description() -> None:
    """Classes without a docstring have no description, rather than an empty one."""
    assert all("description" in record_schema(record) for record in CATALOGUE.records.values())
    make: Any = type(Record)
    bare = make("Bare", (Record,), {"__module__": __name__})
    assert "description" not in record_schema(catalogue_of([bare]).records["bare"])
