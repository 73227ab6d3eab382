"""Deltas as files: whole ones come back as they were, and others are told apart."""

from __future__ import annotations

import pytest

from service.herd.codec import encode
from service.herd.deltas import Delta
from service.herd.faults import WireFault
from service.herd.files import delta_file, parts_in
from service.herd.frames import framed
from service.herd.messages import PROTOCOL, Hello

PARTS = [
    Delta(1, {}, {1: 9}, (), (), last=False, floors={1: 3}, tables=("city",)),
    Delta(1, {}, {1: 9}, (), (), last=True, floors={1: 3}, tables=()),
]


def written() -> bytes:
    """A file of two parts."""
    return b"".join(data for data, _part in delta_file("barn", "", PARTS))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_file_comes_back_whatever_the_pieces(size: int) -> None:
    """All parts in their order, a snapshot's floors too."""
    data = written()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    found = list(parts_in(pieces))
    assert [portion.delta for portion in found] == PARTS
    assert [portion.part for portion in found] == [0, 1]


def test_a_file_that_was_cut_short_is_a_fault_at_its_end() -> None:
    """After the parts that are whole: those may have been applied."""
    data = written()
    first = len(data) - len(framed(b"x"))
    reading = parts_in([data[:first]])
    assert next(reading).part == 0
    with pytest.raises(WireFault):
        next(reading)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 something else altogether",
        framed(encode(Hello(PROTOCOL + 1, 1, 0, "barn", "", {}))),
        framed(encode(Hello(PROTOCOL, 1, 0, "barn", "", {}))) * 2,
    ],
    ids=["nothing", "another file", "another release", "no part"],
)
def test_what_is_no_delta_is_refused(data: bytes) -> None:
    """Before anything is applied."""
    with pytest.raises(WireFault):
        list(parts_in([data]))
