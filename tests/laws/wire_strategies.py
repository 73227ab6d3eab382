"""Messages and deltas at random, with every type of value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from records.stamps import Slot, Version
from records.states import Death, RowState
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow, LogEntry
from service.herd.messages import Applied, Graft, Have, Hello, Message, Portion, Prune, Refusal
from service.herd.vectors import Vector
from service.herd.wire.numbering import LATEST

NATURALS = st.integers(0, 2**64 - 1)
ORIGINS = st.integers(0, 2**32 - 1)
POSITIONS = st.integers(0, 2**63 - 1)
STAMPS = st.integers(0, LATEST)
LIVES = st.integers(0, 2**31 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.sampled_from(["id", "name", "a straße"])
"""Few, as of tables: rows shall often have the same ones."""

TABLES = st.sampled_from(["city", "a straße"])


def _decimal(digits: int, scale: int) -> Decimal:
    """Digits with the point set; the context's precision does not cut them."""
    return Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -scale))


DECIMALS = st.one_of(
    st.builds(_decimal, st.integers(-(10**65) + 1, 10**65 - 1), st.integers(0, 30)),
    st.sampled_from([Decimal("-0"), Decimal("-0.00"), Decimal("0E-30")]),
)
INTEGERS = st.one_of(st.integers(-(2**63), 2**64 - 1), st.sampled_from([0, 1, 2**64 - 1]))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
FAMILIES: tuple[st.SearchStrategy[Any], ...] = (
    INTEGERS,
    FLOATS,
    TEXTS,
    st.binary(max_size=12),
    DECIMALS,
)
VALUES: st.SearchStrategy[Any] = st.one_of(st.none(), *FAMILIES)

VERSIONS = st.builds(Version, st.one_of(st.integers(0, 3), STAMPS), st.integers(0, 3))
SLOTS = st.builds(Slot, VERSIONS, VERSIONS)
VECTORS: st.SearchStrategy[Vector] = st.dictionaries(ORIGINS, POSITIONS, max_size=4)
KEYS = st.lists(VALUES, max_size=2).map(tuple)


@st.composite
def states(draw: st.DrawFn) -> RowState:
    """A row, live or dead, with some of its columns and some of those written since its birth."""
    life = draw(st.integers(1, 4))
    death = st.builds(Death, STAMPS, TEXTS)
    return RowState(
        life,
        draw(VERSIONS),
        draw(st.dictionaries(NAMES, SLOTS, max_size=2)),
        draw(st.dictionaries(NAMES, VALUES, max_size=2)),
        None if life % 2 else draw(death),
    )


ENTRIES = st.builds(
    LogEntry,
    ORIGINS,
    POSITIONS,
    TABLES,
    KEYS,
    st.sampled_from([INSERT, UPDATE, DELETE]),
    st.lists(NAMES, max_size=2, unique=True).map(tuple),
    LIVES,
    STAMPS,
    TEXTS,
)
ROWS = st.builds(DeltaRow, TABLES, KEYS, states(), st.booleans())
_DELTAS = st.builds(
    Delta,
    ORIGINS,
    VECTORS,
    VECTORS,
    st.lists(ROWS, max_size=6).map(tuple),
    st.lists(ENTRIES, max_size=6).map(tuple),
    st.booleans(),
    st.none(),
    st.none(),
)
SNAPSHOTS = st.builds(
    lambda delta, floors, tables: delta._replace(floors=floors, tables=tables),
    _DELTAS,
    VECTORS,
    st.lists(TABLES, max_size=2).map(tuple),
)
DELTAS = _DELTAS | SNAPSHOTS
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Hello, NATURALS, NATURALS, NATURALS, TEXTS, TEXTS, VECTORS),
    st.builds(Have, VECTORS),
    st.builds(Portion, NATURALS, NATURALS, DELTAS),
    st.builds(Applied, NATURALS, NATURALS, VECTORS),
    st.builds(Prune, NATURALS),
    st.builds(Graft, VECTORS),
    st.builds(Refusal, TEXTS, TEXTS),
)


@st.composite
def columns(draw: st.DrawFn) -> list[Any]:
    """The values of a column over many rows: of one type, as a database has them."""
    family = draw(st.sampled_from(FAMILIES))
    return draw(st.lists(st.one_of(st.none(), family), max_size=30))
