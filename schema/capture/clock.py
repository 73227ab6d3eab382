"""The clock of a row as a value: which version each of its columns has.

The triggers write clocks as bytes (`schema.capture.columns` tells how); this reads them and writes
them the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from schema.capture.columns import NUMBER_BYTES, SLOT_BYTES, VERSION_BYTES, number_bytes, numbers_in

_STAMP_BYTES = 8
_ORIGIN_BYTES = VERSION_BYTES - _STAMP_BYTES


class Version(NamedTuple):
    """When something was written, in microseconds since 1970, UTC, and where.

    The later is the greater; of two of the same moment, that of the higher origin.
    """

    stamp: int
    origin: int

    @property
    def as_bytes(self) -> bytes:
        """As it stands in a clock."""
        stamp = self.stamp.to_bytes(_STAMP_BYTES, "big")
        return stamp + self.origin.to_bytes(_ORIGIN_BYTES, "big")


NEVER = Version(0, 0)


class Slot(NamedTuple):
    """A column that was changed.

    Its version, and the last one of another origin that it overwrote (`NEVER`: none).
    """

    version: Version
    overwrote: Version = NEVER


@dataclass(frozen=True)
class Clock:
    """The version of a row's birth, and a slot for each column changed since, by its number."""

    born: Version
    slots: Mapping[int, Slot] = field(default_factory=dict)

    def version_of(self, number: int) -> Version:
        """The version of a column."""
        slot = self.slots.get(number)
        return self.born if slot is None else slot.version

    @property
    def as_bytes(self) -> bytes:
        """As the row holds it."""
        slots = (
            number_bytes(number) + slot.version.as_bytes + slot.overwrote.as_bytes
            for number, slot in self.slots.items()
        )
        return self.born.as_bytes + b"".join(slots)

    def ticked(self, numbers: list[int], version: Version) -> Clock:
        """The clock after a change of some columns, as the triggers keep it."""
        slots = dict(self.slots)
        for number in numbers:
            known = slots.get(number)
            before = self.born if known is None else known.version
            seen = NEVER if known is None else known.overwrote
            slots[number] = Slot(version, seen if before.origin == version.origin else before)
        return Clock(self.born, slots)


def read_clock(raw: bytes) -> Clock:
    """The clock that a row holds; raises ValueError where the bytes are none."""
    if len(raw) < VERSION_BYTES or (len(raw) - VERSION_BYTES) % SLOT_BYTES:
        raise ValueError(f"{len(raw)} bytes are no clock")
    slots: dict[int, Slot] = {}
    for start in range(VERSION_BYTES, len(raw), SLOT_BYTES):
        (number,) = numbers_in(raw[start : start + NUMBER_BYTES])
        if number in slots:
            raise ValueError(f"column {number} stands in a clock twice")
        at = start + NUMBER_BYTES
        slots[number] = Slot(_version(raw, at), _version(raw, at + VERSION_BYTES))
    return Clock(_version(raw, 0), slots)


def clock_of(raw: bytes | None, stamp: int, origin: int) -> Clock:
    """The clock of a row; one that was never changed since its birth holds no bytes."""
    return Clock(Version(stamp, origin)) if raw is None else read_clock(raw)


def _version(raw: bytes, at: int) -> Version:
    middle = at + _STAMP_BYTES
    return Version(
        int.from_bytes(raw[at:middle], "big"),
        int.from_bytes(raw[middle : at + VERSION_BYTES], "big"),
    )
