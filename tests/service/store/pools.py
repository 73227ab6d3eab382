"""Rows and conditions at random, with NULLs, ties and awkward text."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from records.validation import Row, parse_values
from records.values import RecordInfo
from service.methods.operators import operators_of
from service.store import writer
from tests.service.methods.samples import ANIMAL, CATALOGUE
from tests.service.store.twin import Tables

_LONG = "x" * 254
_WORDS = [
    "",
    "a",
    "a ",
    " a",
    "ab",
    "aB",
    "b",
    "a\t",
    "ä",
    "€",
    "𝄞",
    "%",
    "a%",
    "a_",
    "_",
    "\\",
    "\\a",
    "'",
]

VALUES: dict[str, list[Any]] = {
    "number": list(range(1, 13)),
    "name": _WORDS,
    "story": ["", "x", _LONG + "ya", _LONG + "yb", _LONG + "za", _LONG, _LONG + " "],
    "note": _WORDS,
    "nick": ["a", "A", "b", "B", "é", "e", "Z"],
    "weight": ["0.00", "-1.50", "1.50", "10.00", "9.99", "999999.99"],
    "ratio": [0.0, 0.1, -0.1, 1.5, 3.4e38, 1e-30, 16777217.0],
    "score": [0.0, 0.1, -0.1, 1 / 3, 1e308, 5e-324, 123456789.123456789],
    "born": ["1000-01-01T00:00:00Z", "2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:00Z"],
    "seen": ["1970-01-01T00:00:01Z", "2026-03-29T01:30:00.5Z", "2038-01-19T03:14:07.999999Z"],
    "day": ["0001-01-01", "2026-01-31", "2026-02-01", "9999-12-31"],
    "span": ["-838:59:59", "-00:00:00.000001", "00:00:00", "09:00:00", "100:00:00"],
    "year": [1901, 1999, 2000, 2069, 2070, 2155],
    "sort": ["sow", "boar", "calf", "Boar"],
    "marks": [[], ["red"], ["red", "blue"], ["ear"]],
    "flags": [0, 1, 2, 255, str(2**63), str(2**64 - 1)],
    "alive": [False, True],
    "large": [0, 9, 10, str(2**63), str(2**64 - 1)],
    "token": ["", "AA==", "YQ==", "YSA=", "YQA=", "//8="],
    "chip": [str(uuid.UUID(int=number)) for number in (0, 1, 2**127, 2**128 - 1)],
    "address": [
        *("0.0.0.0", "10.0.0.1", "10.0.1.0", "255.255.255.255"),
        *("::", "::1", "2001:db8::1", "ffff::"),
    ],
    "block": [
        *("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.1/32", "10.0.1.0/24", "::/0"),
        *("::/64", "2001:db8::/32", "2001:db8::/48", "2001:db8::1/128", "::fffe:0:0/96"),
    ],
    "extra": [{}, [1], "a"],
}
"""Values of each field as JSON, with their limits and what is easily taken for each other."""

BLOCKS = [
    *("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/23", "10.0.0.1/32"),
    *("::/0", "::/80", "::/81", "8000::/1", "2001:db8::/32", "::fffe:0:0/95", "::1/128"),
]
POOLS: dict[str, st.SearchStrategy[Any]] = {
    name: st.sampled_from(values) for name, values in VALUES.items()
}
_OF_PARENTS: dict[str, st.SearchStrategy[Any]] = {
    "farm.name": st.sampled_from(["a", "b"]),
    "farm.region.code": st.sampled_from(["BE", "ZH"]),
    "mother.weight": POOLS["weight"],
}
TEXTUAL = ("name", "note", "story")
EQUAL, _ORDERED = ("=", "!="), ("<", "<=", ">", ">=")
SORTABLE = [
    *(name for name in POOLS if name not in ("marks", "extra")),
    *("farm_id", "farm.name", "farm.region.title", "farm.region.code", "mother.name"),
    *("mother.farm.name", "mother.weight", "mother_number"),
]
REGIONS = [{"code": "BE", "title": "Bern"}, {"code": "ZH", "title": "Zürich"}]
FARMS = [
    {"id": str(uuid.UUID(int=1)), "region_code": "ZH", "name": "a"},
    {"id": str(uuid.UUID(int=2)), "region_code": "BE", "name": "b"},
]


def plain(record: RecordInfo, data: Any) -> Row:
    """A row from JSON; the tests' own rows are all valid."""
    parsed = parse_values(record, data)
    assert not parsed.failures, parsed.failures
    return dict.fromkeys(record.fields) | parsed.values


@st.composite
def tables(draw: st.DrawFn, most: int = 12) -> dict[str, list[Row]]:
    """Regions, farms, and some animals in them."""
    numbers = draw(st.lists(POOLS["number"], max_size=most, unique=True))
    animals: list[Row] = []
    for at, number in enumerate(numbers):
        animals.append(draw(animal(number, numbers[:at])))
    return {
        "region": [plain(CATALOGUE.records["region"], data) for data in REGIONS],
        "farm": [plain(CATALOGUE.records["farm"], data) for data in FARMS],
        "animal": animals,
    }


@st.composite
def animal(draw: st.DrawFn, number: int, mothers: list[int]) -> Row:
    """One animal; about every third value is NULL."""
    data: dict[str, Any] = {"number": number}
    for name, pool in POOLS.items():
        if name != "number":
            data[name] = draw(st.one_of(st.none(), pool, pool))
    data["farm_id"] = draw(st.sampled_from([None, *(farm["id"] for farm in FARMS)]))
    data["mother_number"] = draw(st.sampled_from([None, *mothers]))
    return plain(ANIMAL, data)


@st.composite
def comparison(draw: st.DrawFn) -> list[Any]:
    """`[field, operator, value]`."""
    field = draw(st.sampled_from([*POOLS, *_OF_PARENTS]))
    pool = POOLS[field] if field in POOLS else _OF_PARENTS[field]
    choices = [st.tuples(st.just("is_null"), st.booleans())]
    if field != "extra":
        choices.append(st.tuples(st.sampled_from(EQUAL), st.none() | pool))
    if field not in ("extra", "marks"):
        listed = st.lists(st.none() | pool, max_size=3)
        choices.append(st.tuples(st.sampled_from(("in", "not_in")), listed))
    if field not in ("extra", "marks", "alive"):
        choices.append(st.tuples(st.sampled_from(_ORDERED), pool))
    if field in TEXTUAL:
        choices.append(st.tuples(st.sampled_from(("like", "starts_with")), POOLS["name"]))
    if field in ("address", "block"):
        choices.append(st.tuples(st.just("within"), st.sampled_from(BLOCKS)))
    if field == "block":
        choices.append(st.tuples(st.just("contains"), st.sampled_from(BLOCKS) | POOLS["address"]))
    operator, value = draw(st.one_of(choices))
    return [field, operator, value]


def every_comparison(field: str) -> Iterator[list[Any]]:
    """Each operator of a field with each of its values, and with null where that is one."""
    values = VALUES[field]
    for operator in operators_of(ANIMAL.fields[field].kind):
        if operator == "is_null":
            asked: list[Any] = [True, False]
        elif operator in ("in", "not_in"):
            asked = [[], values[:1], values, [None], [None, *values[:2]]]
        elif operator in ("within", "contains"):
            asked = [*BLOCKS, *(VALUES["address"] if operator == "contains" else ())]
        else:
            asked = [*values, None] if operator in EQUAL else values
        yield from ([field, operator, value] for value in asked)


def every_value() -> list[Row]:
    """Animals that have each value of each field, in other company each time, and none at all."""
    rows = [plain(ANIMAL, {"number": 100})]
    for at in range(2 * max(len(values) for values in VALUES.values())):
        data = {name: values[at % len(values)] for name, values in VALUES.items()}
        rows.append(plain(ANIMAL, data | {"number": 101 + at}))
    return rows


def conditions() -> st.SearchStrategy[Any]:
    """Any `where`, or none."""
    return st.none() | st.recursive(
        comparison(),
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner).map(list),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: ["and", *parts]),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: ["or", *parts]),
        ),
        max_leaves=5,
    )


@st.composite
def orders(draw: st.DrawFn) -> list[str]:
    """Some fields, each in some direction."""
    names = draw(st.lists(st.sampled_from(SORTABLE), max_size=3, unique=True))
    return [draw(st.sampled_from(("", "-"))) + name for name in names]


def insert_all(tx: Any, rows: Tables) -> None:
    """Write the rows, parents first."""
    for name, part in rows.items():
        if part:
            writer.insert(tx, CATALOGUE.records[name], part)
