"""Keys and rows of every kind, to the byte: the feed says what reading the record says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from records import Record
from records.catalogue import catalogue_of
from records.fields import Field
from records.kinds.base import Kind
from records.validation import row_to_json
from service.rpc.codec import decode, encode
from tests.live.every_kind import Sample
from tests.live.test_round_trip import EXTREMES
from tests.records.samples import KINDS, SAMPLES
from tests.service.methods.feeds import feeding

KEY_KINDS: list[Kind] = [kind for kind in KINDS if kind.keyable and kind.index_bytes() <= 1_000]
PARTS = 8


def over_the_wire(answer: Any) -> Any:
    """What a client has in hand."""
    return decode(encode(answer), 64)


def test_rows_hold_what_was_sent_for_every_kind(database: str) -> None:
    """Every extreme of every field type, told as it was sent and as a get gives it."""
    catalogue = catalogue_of([Sample])
    with feeding(database, catalogue) as api:
        sent = [{name: value} for name, values in EXTREMES.items() for value in values]
        made = api.call("sample.create", {"records": sent})
        changes = over_the_wire(api.read(limit=1_000))["changes"]
        assert len(changes) == len(sent)
        for values, change, record in zip(sent, changes, over_the_wire(made), strict=True):
            (name,) = values
            assert json.dumps(change["row"][name]) == json.dumps(values[name])
            assert encode(change["row"]) == encode(record)
            assert change["key"] == {"id": record["id"]}
        assert set(EXTREMES) == set(changes[0]["row"]) - {"id"}


def keyed(number: int, kinds: list[Kind]) -> type[Record]:
    """A class whose key has parts of these kinds."""
    make: Any = type(Record)
    parts = {f"part{at}": Field(kind, primary=True) for at, kind in enumerate(kinds)}
    made: type[Record] = make(f"Keyed{number}", (Record,), {"__module__": __name__, **parts})
    return made


SINGLE = [keyed(at, [kind]) for at, kind in enumerate(KEY_KINDS)]
SEVERAL = [keyed(1_000 + at, KEY_KINDS[at : at + PARTS]) for at in range(0, len(KEY_KINDS), PARTS)]


@pytest.mark.parametrize("classes", [SINGLE, SEVERAL], ids=["one part", "several parts"])
def test_keys_of_every_kind_are_told_as_they_are(
    database: str, classes: list[type[Record]]
) -> None:
    """Read back from the bytes of the changelog, also where the row is gone."""
    catalogue = catalogue_of(classes)
    with feeding(database, catalogue) as api:
        for record in catalogue.records.values():
            rows = list(_rows(record.fields))
            sent = [row_to_json(record, row) for row in rows]
            api.call(f"{record.name}.create", {"records": sent})
            asked: dict[str, Any] = {"records": [record.name], "limit": 1_000}
            told = over_the_wire(api.read(**asked))["changes"]
            assert [change["key"] for change in told] == over_the_wire(sent)
            assert [change["row"] for change in told] == over_the_wire(sent)
            api.call(f"{record.name}.delete", {"records": sent})
            gone = over_the_wire(api.read(**asked))["changes"][len(sent) :]
            found = sorted(json.dumps(change["key"]) for change in gone)
            assert found == sorted(json.dumps(key) for key in over_the_wire(sent))
            assert {(change["kind"], change["row"]) for change in gone} == {("delete", None)}


def _rows(fields: Any) -> Any:
    """Rows of samples, each different from the others in its first field."""
    samples = {
        name: [sample.kind.check(sample.value) for sample in SAMPLES if sample.kind == info.kind]
        for name, info in fields.items()
    }
    first = next(iter(samples))
    seen: list[Any] = []
    for at, value in enumerate(samples[first]):
        if value in seen:
            continue
        seen.append(value)
        yield {name: values[at % len(values)] for name, values in samples.items()}
