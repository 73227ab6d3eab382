"""Whatever a sibling sends, it is a message or one fault that says what was wrong."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from service.herd.codec import decode, encode
from service.herd.deltas import UPDATE
from service.herd.faults import THEIRS, WireFault
from service.herd.messages import Have, Hello, Message, Portion
from service.herd.wire.columns import Binaries, Decimals, Numbers, Texts
from service.herd.wire.forms import MOST_COLUMNS, MOST_VALUES, DeltaBody, Pairs, RowGroup, Versions
from service.herd.wire.numbering import LATEST, MOST_ITEMS
from tests.service.herd import wire_samples as samples


def fault_of(payload: bytes) -> WireFault:
    """The fault that these bytes are."""
    with pytest.raises(WireFault) as caught:
        decode(payload)
    assert caught.value.side == THEIRS
    assert str(caught.value) == caught.value.text
    return caught.value


def test_no_bytes_are_no_message() -> None:
    """An empty frame says nothing."""
    assert fault_of(b"").code == "wire.malformed"


def test_a_snapshot_has_both_floors_and_tables() -> None:
    """One without the other would let rows die of which the sender knows nothing."""
    halves: tuple[dict[str, Any], ...] = ({"floors": {1: 3}}, {"tables": ("city",)})
    for half in halves:
        delta = samples.EVERYTHING._replace(**half)
        assert "floors and tables" in fault_of(encode(Portion(1, 0, delta))).text


@pytest.mark.parametrize("number", [0, 8, 255])
def test_an_unknown_message_is_named(number: int) -> None:
    """The fault tells which message it was."""
    fault = fault_of(bytes([number, 0x90]))
    assert (fault.code, fault.text) == ("wire.message", f"message {number} is unknown here")


@pytest.mark.parametrize("message", samples.MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_that_was_cut_off_is_no_message(message: Message) -> None:
    """At whichever byte it ends too early."""
    payload = encode(message)
    assert {fault_of(payload[:end]).code for end in range(len(payload))} == {"wire.malformed"}


def test_bytes_after_a_message_are_refused() -> None:
    """One frame is one message."""
    assert fault_of(encode(Have({})) + b"\xc0").code == "wire.malformed"


@pytest.mark.parametrize(
    "fields",
    [
        (1, 7, 8, "a", "b"),
        (1, 7, 8, "a", "b", [7, 5]),
        (1, 7, 8, 5, "b", {}),
        (1, True, 8, "a", "b", {}),
        (1, 7.0, 8, "a", "b", {}),
        (1, -7, 8, "a", "b", {}),
        (1, 7, 8, "a", "b", {7: -1}),
        (1, 7, 8, "a", "b", {-7: 1}),
        (1, 7, 8, "a", "b", {"7": 1}),
        (1, 7, 8, None, "b", {}),
        {"protocol": 1},
        None,
    ],
)
def test_fields_of_a_wrong_type_are_refused(fields: object) -> None:
    """Numbers are whole and not negative, texts are texts, vectors go from numbers to numbers."""
    assert fault_of(b"\x01" + msgspec.msgpack.encode(fields)).code == "wire.malformed"


def test_the_greeting_of_another_protocol_is_told_from_garbage() -> None:
    """A newer node whose greeting looks different is named as such."""
    fault = fault_of(b"\x01" + msgspec.msgpack.encode((2, {"who": 7})))
    assert fault.code == "wire.protocol"
    assert "protocol 2, this one 1" in fault.text
    assert fault_of(b"\x01" + msgspec.msgpack.encode((1, {"who": 7}))).code == "wire.malformed"
    assert fault_of(b"\x02" + msgspec.msgpack.encode((2, {"who": 7}))).code == "wire.malformed"


ONE_ROW = samples.delta(samples.row(1, {"name": "Ulm"}), entries=(samples.entry(1, 1),))


def group(**changes: object) -> Callable[[], DeltaBody]:
    """A delta whose one group of rows is changed."""

    def changed() -> DeltaBody:
        [only] = samples.body_of(ONE_ROW).row_groups
        return samples.body_of(ONE_ROW, row_groups=(msgspec.structs.replace(only, **changes),))

    return changed


def entries(**changes: object) -> Callable[[], DeltaBody]:
    """A delta whose one group of log entries is changed."""

    def changed() -> DeltaBody:
        [only] = samples.body_of(ONE_ROW).entry_groups
        return samples.body_of(ONE_ROW, entry_groups=(msgspec.structs.replace(only, **changes),))

    return changed


def lists(**changes: object) -> Callable[[], DeltaBody]:
    """A delta whose lists are changed."""

    def changed() -> DeltaBody:
        some = msgspec.structs.replace(samples.body_of(ONE_ROW).lists, **changes)
        return samples.body_of(ONE_ROW, lists=some)

    return changed


def body(**changes: object) -> Callable[[], DeltaBody]:
    """A delta that is changed itself."""
    return lambda: samples.body_of(ONE_ROW, **changes)


WRONG: dict[str, Callable[[], DeltaBody]] = {
    "a birth that is not listed": group(births=(1,)),
    "a birth before the list": group(births=(-1,)),
    "more births than rows": group(births=(0, 0)),
    "no births": group(births=()),
    "a death that is not listed": group(deaths=(1,)),
    "more deaths than rows": group(deaths=(0, 0)),
    "a slot that is not listed": group(changed=("name",), slots=((0,),)),
    "slots of no column": group(slots=((0,),)),
    "a column without values": group(columns=("name", "area")),
    "values without a column": group(columns=()),
    "a column named twice": group(columns=("a", "a"), values=((Texts(("b",)),),) * 2),
    "a column that is longer": group(values=((Texts(("a", "b")),),)),
    "columns of two lengths": group(
        columns=("a", "b"), values=((Texts(("b",)),), (Texts(("b", "c")),))
    ),
    "a column that is shorter": group(values=((),)),
    "a key that is longer": group(key=((Numbers((1, 2)),),)),
    "a table that is a number": group(table=5),
    "a life below zero": group(lives=(-1,)),
    "a value in the wrong family": group(values=((Numbers((b"a",)),),)),  # type: ignore[arg-type]
    "a text among bytes": group(values=((Binaries(("a",)),),)),  # type: ignore[arg-type]
    "a boolean": group(values=((Numbers((True,)),),)),
    "a list": group(values=((Numbers(([],)),),)),  # type: ignore[arg-type]
    "an unknown family": group(values=(((9, ("a",)),),)),
    "an order of too few": body(row_order=()),
    "an order of too many": body(row_order=(0, 0)),
    "an order of other groups": body(row_order=(1,)),
    "an order of too few entries": body(entry_order=()),
    "an order of too many entries": body(entry_order=(0, 0)),
    "an order of unknown entries": body(entry_order=(1,)),
    "an unknown kind of entry": entries(kind="replace"),
    "a kind with a line end": entries(kind="insert\n"),
    "a writer that is not listed": entries(writers=(1,)),
    "a version that is not listed": entries(versions=(1,)),
    "a position below zero": entries(positions=(-1,)),
    "more positions than keys": entries(positions=(1, 2)),
    "versions of two lengths": lists(versions=Versions((1, 2), (1,))),
    "a slot of unlisted versions": lists(slots=Pairs((5,), (0,))),
    "a death without a writer": lists(deaths=((5,),)),
    "a negative vector": body(above={1: -1}),
    "a stamp beyond the year 2200": lists(versions=Versions((LATEST + 1,), (7,))),
    "an origin of more than 32 bits": lists(versions=Versions((1,), (2**32,))),
    "a death beyond the year 2200": lists(deaths=((LATEST + 1, "a"),)),
    "a life that no column has": group(lives=(2**31,)),
    "a position that no column has": entries(positions=(2**63,)),
    "a vector beyond all positions": body(covers={7: 2**63}),
    "a vector of an origin that is none": body(covers={2**32: 1}),
    "more columns than a table has": group(
        columns=tuple(map(str, range(MOST_COLUMNS + 1))),
        values=((Texts(("b",)),),) * (MOST_COLUMNS + 1),
    ),
    "a sender that is a text": body(sender="a"),
    "last as a number": body(last=1),
}


def test_the_unchanged_delta_is_right() -> None:
    """What the wrong ones are made from is read."""
    assert decode(samples.sent(samples.body_of(ONE_ROW))) == Portion(1, 0, ONE_ROW)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_delta_whose_pieces_do_not_fit_is_refused(wrong: Callable[[], DeltaBody]) -> None:
    """No part of it is used."""
    assert fault_of(samples.sent(wrong())).code == "wire.malformed"


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "1E+999999999", "1_0", " 1", "1\n", "", ".5", "1" * 68, "١", "1E5", "0x1"],
)
def test_a_decimal_that_no_column_has_is_refused(text: str) -> None:
    """Neither what is no number nor one that would take a gigabyte to print."""
    fault = fault_of(samples.sent(group(values=((Decimals((text,)),),))()))
    assert (fault.code, "city.name" in fault.text) == ("wire.value", True)


@pytest.mark.parametrize("number", [float("nan"), float("-inf")])
def test_a_float_that_no_column_has_is_refused(number: float) -> None:
    """What is not equal to itself could never be the same on two nodes."""
    fault = fault_of(samples.sent(group(values=((Numbers((number,)),),))()))
    assert fault.code == "wire.value"


def test_an_order_that_takes_one_group_for_another_is_refused() -> None:
    """As many items as there are, but more of one group than it has."""
    two = samples.delta(
        samples.row(1, {}),
        samples.row(2, {"name": "Ulm"}),
        entries=(samples.entry(1, 1), samples.entry(2, 2, UPDATE)),
    )
    for order in ("row_order", "entry_order"):
        assert decode(samples.sent(samples.body_of(two, **{order: (0, 1)}))) == Portion(1, 0, two)
        fault = fault_of(samples.sent(samples.body_of(two, **{order: (0, 0)})))
        assert (fault.code, "more of one group" in fault.text) == ("wire.malformed", True)


def test_more_rows_than_a_part_holds_are_refused() -> None:
    """A few bytes each, they would take hundreds in memory."""
    empty: dict[str, Any] = {"key": (), "values": (), "columns": ()}
    many = MOST_ITEMS + 1
    rows = group(lives=(1,) * many, births=(0,) * many, deaths=(0,) * many, **empty)()
    payload = samples.sent(msgspec.structs.replace(rows, row_order=(0,) * many))
    assert fault_of(payload).code == "wire.malformed"


def test_more_values_than_a_part_has_are_refused_before_they_are_spread_over_rows() -> None:
    """A byte each in columns, as rows they would take a hundred in memory."""
    count, columns = 2**12, tuple(map(str, range(MOST_VALUES // 2**12)))
    nothing = (Numbers((None,) * count),)
    many = group(
        key=(), lives=(1,) * count, births=(0,) * count, deaths=(0,) * count,
        columns=("one more", *columns), values=(nothing,) * (len(columns) + 1),
    )()  # fmt: skip
    payload = samples.sent(msgspec.structs.replace(many, row_order=(0,) * count))
    assert len(payload) < 3 * MOST_VALUES
    assert "values" in fault_of(payload).text
    assert peak_of(payload) < 20 * MOST_VALUES


def peak_of(payload: bytes) -> int:
    """The memory that refusing a message takes."""
    tracemalloc.start()
    try:
        fault_of(payload)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x02\x91\xdf\xff\xff\xff\xff",
        b"\x03\x93\x01\x00\x99\x07\x80\x80\xc3\x94\x92\xdd\xff\xff\xff\xff",
        b"\x07\x92\xdb\xff\xff\xff\xff",
        b"\x02\x92\x80\xdd\xff\xff\xff\xff",
        b"\x02\x92\x80" + b"\x91" * 100_000,
        b"\x03" + b"\x91" * 100_000,
    ],
    ids=["map", "list", "text", "unknown field", "deep unknown field", "deep"],
)
def test_memory_is_taken_for_what_came_not_for_what_was_told(bomb: bytes) -> None:
    """A few bytes that promise gigabytes, or lists in lists, cost next to nothing."""
    assert peak_of(bomb) < 2**20


def test_a_group_of_nothing_is_harmless() -> None:
    """A group without rows adds none."""
    nothing = RowGroup("city", True, (), (), (), (), (), (), (), ())
    payload = samples.sent(samples.body_of(samples.delta(), row_groups=(nothing,)))
    assert decode(payload) == Portion(1, 0, samples.delta())


def test_a_fault_hides_no_greeting() -> None:
    """A greeting that can be read is never a fault, whatever protocol it tells."""
    assert isinstance(decode(encode(Hello(2, 1, 1, "a", "b", {}))), Hello)
