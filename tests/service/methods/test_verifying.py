"""The methods by which nodes are compared: what they take, what they tell, what they refuse."""

from __future__ import annotations

import base64
import uuid
from decimal import Decimal
from typing import Any

import pytest

from records.stamps import Slot, Version
from records.states import Death, RowState
from service.herd.deltas import DeltaRow
from service.herd.digests import Sum
from service.herd.wire.single import row_bytes
from service.methods.api import build_registry
from service.methods.comparing_api import ComparingPorts
from service.methods.mending_port import Mended
from service.methods.verifying_json import value_json
from service.methods.verifying_port import (
    Digested,
    Moment,
    RowSeen,
    TableSeen,
    TableSums,
    Violation,
)
from tests.service.methods.calls import Api, Statements, places
from tests.service.methods.memory import Remembering
from tests.service.methods.samples import CATALOGUE

UUID = uuid.UUID("018f0000-0000-7000-8000-000000000001")
MOMENT = Moment(7, {7: 3, 9: 1}, 2, 1, 4)
TOLD = {"origin": 7, "vector": {"7": 3, "9": 1}, "unsealed": 2, "horizon": 1, "held": 4}
STATE = RowState(2, Version(5, 7), {"2": Slot(Version(6, 9))}, {"1": 1, "2": "a"}, Death(8, "x"))
ROW = DeltaRow("country", (1,), STATE, whole=True)
ANSWERS: dict[str, Any] = {
    "herd.tables": (MOMENT, [TableSeen("t", {"1": "id"}, 5)]),
    "herd.digests": (MOMENT, TableSums({"a": Sum(2, 255)}, 1)),
    "herd.rows": (MOMENT, [Digested(b"\x01", 254)]),
    "herd.states": (MOMENT, [RowSeen(b"\x01", (1,), STATE, 6, 9, moving=True)]),
    "herd.violations": (MOMENT, [Violation("orphan", "fk", ["id"], 1, [(b"\x00",)])]),
    "herd.fetch": [ROW, None],
    "herd.mend": Mended(1, 0),
}


def api_of(answer: Any = None) -> tuple[Api, Remembering]:
    """The methods on a port that remembers what it was asked."""
    port = Remembering(answer)
    registry = build_registry(CATALOGUE, Remembering(), comparing=ComparingPorts(port, port))
    return Api(registry, Statements()), port


@pytest.mark.parametrize("method", [m for m in ANSWERS if m != "herd.mend"])
def test_every_method_takes_its_example(method: str) -> None:
    """And is explained."""
    api, _port = api_of(ANSWERS[method])
    found = api.registry.find(method)
    assert api.call(method, found.example)
    assert found.help.startswith(found.summary)
    assert all(parameter.name in found.help for parameter in found.signature.parameters)


@pytest.mark.parametrize(
    ("method", "params", "told"),
    [
        ("herd.tables", {}, {"tables": [{"name": "t", "columns": {"1": "id"}, "rows": 5}]}),
        ("herd.digests", {"table": "t"}, {"buckets": {"a": [2, f"{255:032x}"]}, "dead": 1}),
        ("herd.rows", {"table": "t", "buckets": ["a"]}, {"rows": [["01", f"{254:032x}"]]}),
        (
            "herd.states",
            {"table": "t", "keys": ["01"]},
            {
                "rows": [
                    {
                        "key": "01",
                        "shown": [1],
                        "moving": True,
                        "state": {
                            "life": 2,
                            "stamp": 6,
                            "origin": 9,
                            "born": [5, 7],
                            "slots": {"2": [6, 9, 0, 0]},
                            "values": {"1": 1, "2": "a"},
                            "died": 8,
                            "writer": "x",
                        },
                    }
                ]
            },
        ),
        (
            "herd.violations",
            {"table": "t"},
            {
                "violations": [
                    {
                        "rule": "orphan",
                        "name": "fk",
                        "columns": ["id"],
                        "rows": 1,
                        "some": [["00"]],
                    }
                ]
            },
        ),
    ],
)
def test_answers_tell_of_their_moment(
    method: str, params: dict[str, Any], told: dict[str, Any]
) -> None:
    """The vector, what it does not tell of, and what was asked for."""
    api, _port = api_of(ANSWERS[method])
    assert api.call(method, params) == TOLD | told


@pytest.mark.parametrize(
    ("table", "key", "shown"),
    [
        ("farm", (UUID.bytes,), [str(UUID)]),
        ("stall", (UUID.bytes, 7), [str(UUID), 7]),
        ("stall", (UUID.bytes,), [UUID.bytes.hex()]),
        ("region", ("BE",), ["BE"]),
        ("nothing", (b"plain", b"\xff\x00", "text", 3), ["plain", "ff00", "text", 3]),
    ],
)
def test_keys_are_told_as_people_read_them(
    table: str, key: tuple[Any, ...], shown: list[object]
) -> None:
    """As calls take them where there is a class; else text where it is text."""
    api, port = api_of((MOMENT, [RowSeen(b"\x01", key, STATE, 6, 9, moving=True)]))
    (row,) = api.call("herd.states", {"table": table, "keys": ["01"]})["rows"]
    assert row["shown"] == shown
    columns = {"farm": ["id"], "region": ["code"]}.get(table, [])
    if columns:
        port.answer = (MOMENT, [Violation("duplicate", "fk", columns, 1, [key])])
        (violation,) = api.call("herd.violations", {"table": table})["violations"]
        assert violation["some"] == [shown]


def test_parameters_arrive_as_values() -> None:
    """Digests and keys in hexadecimal, a vector as an object."""
    api, port = api_of(ANSWERS["herd.digests"])
    api.call("herd.digests", {"table": "t", "digits": 2, "columns": ["3"], "selftest": ["f" * 32]})
    digests: tuple[Any, ...] = ("digests", "t", 2, ["3"], [2**128 - 1])
    assert port.asked == digests
    port.answer = ANSWERS["herd.states"]
    api.call("herd.states", {"table": "t", "keys": ["00ff"], "above": {"4711": 12}})
    assert port.asked == ("states", "t", [b"\x00\xff"], {4711: 12})


@pytest.mark.parametrize(
    ("method", "params", "wrong"),
    [
        ("herd.digests", {}, ("/table", "params.missing")),
        ("herd.digests", {"table": 1}, ("/table", "value.wrong_type")),
        ("herd.digests", {"table": "t", "digits": 5}, ("/digits", "digits.invalid")),
        ("herd.digests", {"table": "t", "digits": True}, ("/digits", "digits.invalid")),
        ("herd.digests", {"table": "t", "columns": []}, ("/columns", "value.wrong_type")),
        ("herd.digests", {"table": "t", "selftest": ["f"]}, ("/selftest", "value.wrong_type")),
        ("herd.digests", {"table": "t", "selftest": ["'" * 32]}, ("/selftest", "value.wrong_type")),
        ("herd.rows", {"table": "t", "buckets": ["~0"]}, ("/buckets", "value.wrong_type")),
        ("herd.rows", {"table": "t", "buckets": ["a", "bb"]}, ("/buckets", "buckets.unequal")),
        ("herd.rows", {"table": "t", "buckets": ["a"] * 1001}, ("/buckets", "value.wrong_type")),
        ("herd.states", {"table": "t", "keys": ["0"]}, ("/keys", "value.wrong_type")),
        (
            "herd.states",
            {"table": "t", "keys": ["00"], "above": [1]},
            ("/above", "vector.malformed"),
        ),
        (
            "herd.states",
            {"table": "t", "keys": ["00"], "above": {"x": 1}},
            ("/above", "vector.malformed"),
        ),
        ("herd.mend", {"rows": []}, ("/rows", "value.wrong_type")),
        ("herd.mend", {"rows": ["AAAA"]}, ("/rows/0", "row.malformed")),
        ("herd.mend", {"rows": ["!"]}, ("/rows/0", "row.malformed")),
        ("herd.mend", {"rows": [1]}, ("/rows/0", "row.malformed")),
    ],
)
def test_what_does_not_fit_is_refused(
    method: str, params: dict[str, Any], wrong: tuple[str, str]
) -> None:
    """With its place, and nothing is asked of the store."""
    api, port = api_of()
    assert [found[1:] for found in places(api.refused(method, params))] == [wrong]
    assert port.asked == ()


def test_rows_travel_whole() -> None:
    """What one node tells another takes; of a row that is not there nothing is told."""
    api, port = api_of(ANSWERS["herd.fetch"])
    told = api.call("herd.fetch", {"table": "country", "keys": ["01", "02"]})
    assert told == {"rows": [base64.b64encode(row_bytes(ROW)).decode(), None]}
    port.answer = ANSWERS["herd.mend"]
    assert api.call("herd.mend", {"rows": told["rows"][:1]}) == {"written": 1, "held": 0}
    assert port.asked == ("mend", [ROW])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a" * 2000, b"a" * 1999 + b"b"),
        ("a" * 2000, "a" * 1999 + "b"),
        (2**63, 2**63 + 1),
        (Decimal("1.0"), Decimal("1.00")),
        (None, ""),
        (b"a", "a"),
    ],
)
def test_different_values_look_different(one: object, other: object) -> None:
    """Also long ones, of which only the beginning is told."""
    assert value_json(one) != value_json(other)
    assert len(repr(value_json(one))) < 500
