"""Every field type at its extremes, written and read over JSON-RPC, to the byte."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

from tests.live.every_kind import FLAGS
from tests.live.node import served

ALL_BYTES = base64.b64encode(bytes(range(256))).decode()
NINES = "9" * 35 + "." + "9" * 30
SINGLE = struct.unpack("<f", struct.pack("<f", 16777.217))[0]

EXTREMES: dict[str, list[Any]] = {
    "tiny": [-128, 127, 0],
    "small": [0, 65535],
    "medium": [-(2**23), 2**23 - 1],
    "normal": [0, 2**32 - 1],
    "big": [str(-(2**63)), str(2**63 - 1), 2**53, str(2**53 + 1), -(2**53)],
    "unsigned_big": [0, str(2**64 - 1)],
    "exact": [NINES, "-" + NINES, "0." + "0" * 29 + "1", "0." + "0" * 30],
    "single": [SINGLE, 3.4028234663852886e38, -3.4028234663852886e38, 1.401298464324817e-45, 0.0],
    "double": [1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 0.1, 1 / 3, 123456789.125],
    "flag": [True, False],
    "one_bit": [0, 1],
    "many_bits": [0, str(2**64 - 1), str(2**63)],
    "line": ["", "𝔘𝔫𝔦 😀 \u0000 \t ' \" \\ % ? ;--", "trailing space ", "é" * 255, "\U0010ffff"],
    "letters": ["", "  lead", "😀" * 10],
    "story": ["x" * 100_000, "line\r\nline\n", ""],
    "packet": [ALL_BYTES, "", "AA==", base64.b64encode(b"% ? \x00 '\\").decode()],
    "digest": [
        base64.b64encode(bytes(range(224, 256))).decode(),
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(b" " * 32).decode(),
    ],
    "picture": [base64.b64encode(bytes(range(256)) * 500).decode()],
    "day": ["0001-01-01", "9999-12-31", "2024-02-29", "1000-01-01"],
    "span": [
        "-838:59:59.000000",
        "838:59:59.000000",
        "00:00:00.000001",
        "-00:00:00.000001",
        "23:59:59.999999",
    ],
    "moment": ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"],
    # The hours around a change to and from summer time, where local time has gaps and repeats.
    "stamp": [
        "1970-01-01T00:00:01.000000Z",
        "2038-01-19T03:14:07.999999Z",
        "2026-03-29T00:59:59.999999Z",
        "2026-03-29T01:00:00.000000Z",
        "2026-03-29T01:30:00.000000Z",
        "2026-10-25T00:30:00.000000Z",
        "2026-10-25T01:30:00.000000Z",
    ],
    "whole_moment": ["2026-01-31T12:00:59.000000Z"],
    "vintage": [1901, 2155],
    "colour": ["red", "grün", "blue, dark"],
    "flags": [[], FLAGS, FLAGS[:1], [FLAGS[0], FLAGS[63]]],
    "document": [
        {"a": [1, 2.5, None, True, "😀"], "ä": {}},
        [2**64 - 1, -(2**63), 1e308, 5e-324, 0.1],
        [],
        {},
        "text",
        0,
        False,
        {"deep": [[[[[[[[[[[[[[[[[[[[[[[[["x"]]]]]]]]]]]]]]]]]]]]]]]]]},
    ],
    "token": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "host": ["0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "fe80::ffff"],
    "block": ["0.0.0.0/0", "::/0", "10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::1/128"],
}


def test_every_field_type_comes_back_over_json_rpc_as_it_was_sent(
    tmp_path: Path, database: str
) -> None:
    """Created one by one, created in bulk and updated, an extreme value reads back the same."""
    values = [(name, value) for name, extremes in EXTREMES.items() for value in extremes]
    with served(tmp_path, database) as node:
        single = [node.call("sample.create", {name: value}) for name, value in values]
        bulk = node.call("sample.create", {"records": [{name: value} for name, value in values]})
        empty = node.call("sample.create", {"records": [{} for _ in values]})
        node.call(
            "sample.update",
            {
                "records": [
                    {"id": record["id"], name: value}
                    for record, (name, value) in zip(empty, values, strict=True)
                ]
            },
        )
        for records in (single, bulk, empty):
            read = node.call("sample.get", {"records": [record["id"] for record in records]})
            for (name, value), record in zip(values, read, strict=True):
                assert json.dumps(record[name], sort_keys=True) == json.dumps(
                    value, sort_keys=True
                ), name
                others = {key for key, other in record.items() if other is not None}
                assert others == {"id", name}
        for record, (name, value) in zip(single, values, strict=True):
            assert record[name] == value, "create answers with what was stored"


def test_a_record_with_every_field_at_once_is_found_by_each_of_them(
    tmp_path: Path, database: str
) -> None:
    """Conditions compare values as they were sent, for every type that can be compared."""
    first = {name: extremes[0] for name, extremes in EXTREMES.items()}
    not_compared = {"flags", "document", "story", "picture"}
    with served(tmp_path, database) as node:
        created = node.call("sample.create", first)
        node.call("sample.create", {})
        for name in first.keys() - not_compared:
            where = [name, "=", first[name]]
            assert node.call("sample.count", {"where": where}) == 1, name
            page = node.call("sample.list", {"where": where, "fields": ["id"]})
            assert [record["id"] for record in page["records"]] == [created["id"]], name
