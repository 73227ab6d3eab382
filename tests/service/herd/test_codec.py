"""Messages come back from their bytes exactly; what has no bytes is refused before it is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, get_args

import msgspec
import pytest

from records.stamps import Version
from records.states import RowState
from service.herd import codec, messages
from service.herd.codec import decode, encode
from service.herd.deltas import DeltaRow
from service.herd.faults import OURS, WireFault
from service.herd.messages import Hello, Message, Portion
from service.herd.wire import delta as wire_delta
from tests.service.herd import wire_samples as samples


def names_of(some: tuple[Message, ...]) -> list[str]:
    """What a test of each is called."""
    return [f"{type(each).__name__}-{number}" for number, each in enumerate(some)]


def test_every_message_has_a_number_that_stays() -> None:
    """Nodes of all versions mean the same message by a number; none was left out."""
    named = {number: message.__name__ for number, message in codec.MESSAGES.items()}
    assert named == {
        1: "Hello",
        2: "Have",
        3: "Portion",
        4: "Applied",
        5: "Prune",
        6: "Graft",
        7: "Refusal",
    }
    assert set(codec.MESSAGES.values()) == set(get_args(messages.Message))
    assert {type(message) for message in samples.MESSAGES} == set(codec.MESSAGES.values())


@pytest.mark.parametrize("message", samples.MESSAGES, ids=names_of(samples.MESSAGES))
def test_a_message_comes_back_exactly(message: Message) -> None:
    """Types, digits, signs of zero and the order of rows and entries are as they were."""
    back = decode(encode(message))
    assert back == message
    # Equality does not tell 1 from 1.0, -0.0 from 0.0, or 1.1 from 1.10.
    assert repr(back) == repr(message)


def test_names_are_written_once() -> None:
    """A thousand rows name their table and columns as often as one row does."""
    few, many = (
        encode(
            Portion(
                1,
                0,
                samples.delta(
                    *(samples.row(key, {"population": key}) for key in range(count)),
                    entries=tuple(samples.entry(key, key) for key in range(count)),
                ),
            )
        )
        for count in (1, 1000)
    )
    for name in (b"city", b"population", b"root@localhost", b"insert"):
        assert few.count(name) == many.count(name) > 0


REFUSED: tuple[Any, ...] = (
    True,
    2**64,
    -(2**63) - 1,
    float("nan"),
    float("inf"),
    Decimal("NaN"),
    Decimal("-Infinity"),
    Decimal("1" * 68),
    Decimal("1E+1000"),
    datetime(2026, 1, 1, tzinfo=UTC),
    [1],
    {"a": 1},
    (1,),
    bytearray(b"a"),
)


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: f"{type(value).__name__} {value}"[:30])
def test_a_value_that_no_column_has_is_not_sent(value: object) -> None:
    """The fault is ours, and says in which column the value stands."""
    with pytest.raises(WireFault, match=r"city\.name") as caught:
        encode(Portion(1, 0, samples.with_value(value)))
    assert (caught.value.side, caught.value.code) == (OURS, "wire.value")


def test_a_wrong_value_among_others_is_found() -> None:
    """One value of a column that cannot be sent is enough to refuse the delta."""
    rows = [samples.row(key, {"name": key}) for key in range(5)]
    rows[3] = samples.row(3, {"name": False})
    with pytest.raises(WireFault, match=r"city\.name holds .*bool"):
        encode(Portion(1, 0, samples.delta(*rows)))


def test_a_wrong_value_in_a_key_is_found() -> None:
    """Keys are checked like all values."""
    row = DeltaRow("city", (1.0, True), RowState(1, Version(1, 1), {}, {}), whole=False)
    with pytest.raises(WireFault, match=r"the key of city holds .*bool"):
        encode(Portion(1, 0, samples.delta(row)))


@pytest.mark.parametrize(
    "message",
    [
        Hello(2**64, 1, 1, "a", "b", {}),
        Hello(1, 1, 1, "\ud800", "b", {}),
        Hello(1, 1, 1, "a", "b", {1: 2**64}),
    ],
)
def test_fields_that_do_not_fit_are_ours_to_mend(message: Message) -> None:
    """A number beyond 64 bits or half a character is refused as a fault of this side."""
    with pytest.raises(WireFault, match="Hello cannot be sent") as caught:
        encode(message)
    assert (caught.value.side, caught.value.code) == (OURS, "wire.value")


def test_what_is_no_message_is_not_sent() -> None:
    """Only messages have a form on the wire."""
    with pytest.raises(WireFault, match="Delta is no message") as caught:
        encode(samples.EVERYTHING)  # type: ignore[arg-type]
    assert (caught.value.side, caught.value.code) == (OURS, "wire.message")


def test_a_delta_of_too_many_rows_has_to_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other side would refuse for its number of rows is not sent."""
    monkeypatch.setattr(wire_delta, "MOST_ITEMS", 2)
    rows = [samples.row(key, {}) for key in range(3)]
    assert encode(Portion(1, 0, samples.delta(*rows[:2])))
    with pytest.raises(WireFault, match="cut it into parts") as caught:
        encode(Portion(1, 0, samples.delta(*rows)))
    assert (caught.value.side, caught.value.code) == (OURS, "wire.size")


class Older(NamedTuple):
    """A message as it was."""

    name: str


class Newer(NamedTuple):
    """The same message with one more field."""

    name: str
    colour: str = "brown"


def test_siblings_of_two_versions_read_each_other() -> None:
    """A field that only the newer one knows is dropped by the older, and has its default else."""
    older, newer = codec.Form(9, Older), codec.Form(9, Newer)
    assert older.decode(memoryview(newer.encode(Newer("Elsa", "white")))[1:]) == Older("Elsa")
    assert newer.decode(memoryview(older.encode(Older("Elsa")))[1:]) == Newer("Elsa", "brown")


def test_a_greeting_of_another_protocol_can_be_read() -> None:
    """Whether to go on with such a node is for the link to say."""
    hello = Hello(99, 1, 2, "a", "b", {})
    assert decode(encode(hello)) == hello


def test_fields_stand_in_messagepack() -> None:
    """Another program can read a message with any MessagePack library."""
    payload = encode(Hello(1, 7, 8, "a", "b", {7: 5}))
    assert payload[:1] == b"\x01"
    assert msgspec.msgpack.decode(payload[1:]) == [1, 7, 8, "a", "b", {7: 5}]
