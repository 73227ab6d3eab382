"""Rows and conditions at random, with NULLs, ties and awkward text."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import strategies as st

from records.validation import Row, parse_values
from records.values import RecordInfo
from service.store import writer
from tests.service.methods.samples import ANIMAL, CATALOGUE
from tests.service.store.twin import Tables

_SIGNS = st.sampled_from(["a", "b", "B", "ä", "€", "𝄞", " ", "%", "_", "\\", "\t", "'"])
_WORD = st.lists(_SIGNS, max_size=4).map("".join)
_LONG = "x" * 254

POOLS: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers(1, 12),
    "name": _WORD,
    "story": st.sampled_from(
        ["", "x", _LONG + "ya", _LONG + "yb", _LONG + "za", _LONG, _LONG + " "]
    ),
    "note": _WORD,
    "nick": st.sampled_from(["a", "A", "b", "B", "é", "e", "Z"]),
    "weight": st.sampled_from(["0.00", "-1.50", "1.50", "10.00", "9.99", "999999.99"]),
    "ratio": st.sampled_from([0.0, 0.1, -0.1, 1.5, 3.4e38, 1e-30, 16777217.0]),
    "score": st.sampled_from([0.0, 0.1, -0.1, 1 / 3, 1e308, 5e-324, 123456789.123456789]),
    "born": st.sampled_from(
        ["1000-01-01T00:00:00Z", "2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:00Z"]
    ),
    "seen": st.sampled_from(
        ["1970-01-01T00:00:01Z", "2026-03-29T01:30:00.5Z", "2038-01-19T03:14:07.999999Z"]
    ),
    "day": st.sampled_from(["0001-01-01", "2026-01-31", "2026-02-01", "9999-12-31"]),
    "span": st.sampled_from(
        ["-838:59:59", "-00:00:00.000001", "00:00:00", "09:00:00", "100:00:00"]
    ),
    "year": st.sampled_from([1901, 1999, 2000, 2069, 2070, 2155]),
    "sort": st.sampled_from(["sow", "boar", "calf", "Boar"]),
    "marks": st.sampled_from([[], ["red"], ["red", "blue"], ["ear"]]),
    "flags": st.sampled_from([0, 1, 2, 255, str(2**63), str(2**64 - 1)]),
    "alive": st.booleans(),
    "large": st.sampled_from([0, 9, 10, str(2**63), str(2**64 - 1)]),
    "token": st.sampled_from(["", "AA==", "YQ==", "YSA=", "YQA=", "//8="]),
    "chip": st.sampled_from([str(uuid.UUID(int=number)) for number in (0, 1, 2**127, 2**128 - 1)]),
    "address": st.sampled_from(
        ["0.0.0.0", "10.0.0.1", "10.0.1.0", "255.255.255.255", "::", "::1", "2001:db8::1", "ffff::"]
    ),
    "block": st.sampled_from(
        ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.1/32", "10.0.1.0/24", "::/0", "::/64"]
        + ["2001:db8::/32", "2001:db8::/48", "2001:db8::1/128", "::fffe:0:0/96"]
    ),
    "extra": st.sampled_from([{}, [1], "a"]),
}

_BLOCKS = st.sampled_from(
    ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/23", "10.0.0.1/32", "::/0", "::/80", "::/81", "8000::/1"]
    + ["2001:db8::/32", "::fffe:0:0/95", "::1/128"]
)
_OF_PARENTS: dict[str, st.SearchStrategy[Any]] = {
    "farm.name": st.sampled_from(["a", "b"]),
    "farm.region.code": st.sampled_from(["BE", "ZH"]),
    "mother.weight": POOLS["weight"],
}
_TEXTUAL = ("name", "note", "story")
_EQUAL, _ORDERED = ("=", "!="), ("<", "<=", ">", ">=")
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
    return {name: None for name in record.fields} | parsed.values


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
        choices.append(st.tuples(st.sampled_from(_EQUAL), st.none() | pool))
    if field not in ("extra", "marks"):
        listed = st.lists(st.none() | pool, max_size=3)
        choices.append(st.tuples(st.sampled_from(("in", "not_in")), listed))
    if field not in ("extra", "marks", "alive"):
        choices.append(st.tuples(st.sampled_from(_ORDERED), pool))
    if field in _TEXTUAL:
        choices.append(st.tuples(st.sampled_from(("like", "starts_with")), _WORD))
    if field in ("address", "block"):
        choices.append(st.tuples(st.just("within"), _BLOCKS))
    if field == "block":
        choices.append(st.tuples(st.just("contains"), _BLOCKS | POOLS["address"]))
    operator, value = draw(st.one_of(choices))
    return [field, operator, value]


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
