"""Sums of row digests, by which two nodes compare tables without sending their rows.

A digest is 128 bits. Sums are taken modulo 2^128, and beside them rows are counted: in whatever
order rows are met, the sum is the same. With XOR two equal rows would cancel each other, and tables
that differ would look equal.

Rows are sorted into buckets by the first hexadecimal digits of a hash of their key.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

DIGEST_BITS = 128
MOST_DIGITS = 4
_MODULUS = 2**DIGEST_BITS
_HALF = 2 ** (DIGEST_BITS // 2)
_ROWS_A_BUCKET = 64
"""About as many rows are looked at one by one where two buckets differ."""

PHANTOM = "~"
"""Begins the buckets of phantom rows, which no hash begins with."""


class Sum(NamedTuple):
    """How many rows there are, and the sum of their digests."""

    rows: int
    total: int


NOTHING = Sum(0, 0)
Sums: TypeAlias = Mapping[str, Sum]
"""By bucket; one that is not there has no rows."""


class Compared(NamedTuple):
    """The buckets in which two nodes differ, and whether the comparison found what was planted."""

    differing: list[str]
    sound: bool


def summed(digests: Iterable[tuple[str, int]]) -> dict[str, Sum]:
    """The sums of digests that come with their buckets."""
    rows: dict[str, int] = defaultdict(int)
    totals: dict[str, int] = defaultdict(int)
    for bucket, digest in digests:
        rows[bucket] += 1
        totals[bucket] += digest
    return {bucket: Sum(rows[bucket], total % _MODULUS) for bucket, total in totals.items()}


def of_halves(rows: int, high: int, low: int) -> Sum:
    """The sum of which a server gives the sums of the digests' higher and lower 64 bits."""
    return Sum(rows, (high * _HALF + low) % _MODULUS)


def exchanged(sums: Sums, changes: Iterable[tuple[int, str, int]]) -> dict[str, Sum]:
    """The sums after some rows gave way to others.

    `changes`: -1 for a row that was among them and 1 for one that comes, its bucket and its digest.
    """
    after = dict(sums)
    for sign, bucket, digest in changes:
        rows, total = after.get(bucket, NOTHING)
        after[bucket] = Sum(rows + sign, (total + sign * digest) % _MODULUS)
    return {bucket: one for bucket, one in after.items() if one.rows}


def digits_for(rows: int) -> int:
    """By how many digits so many rows are to be sorted, so that few are in each bucket."""
    if rows <= _ROWS_A_BUCKET:
        return 0
    return min(MOST_DIGITS, math.ceil(math.log(rows / _ROWS_A_BUCKET, 16)))


def phantoms(seed: int) -> tuple[list[int], list[int]]:
    """Digests of rows that are not there, for one node and for the other.

    They differ in one bit each: one among the lower 64, one among the higher. Each counts twice in
    the sum, so the highest bit would be lost and is left alone.
    """
    digest = seed % _MODULUS
    low, high = digest % 64, 64 + digest % 63
    return [digest, digest], [digest ^ 1 << low, digest ^ 1 << high]


def with_phantoms(digests: Sequence[int]) -> Iterable[tuple[str, int]]:
    """Phantom rows with their buckets, twice each: sums that cancel pairs are found out."""
    return ((f"{PHANTOM}{at}", digest) for at, digest in enumerate(digests) for _ in range(2))


def compared(ours: Sums, theirs: Sums, planted: int) -> Compared:
    """Where two nodes differ; `planted` differing phantoms must be among what is found."""
    found = [
        bucket
        for bucket in sorted(ours.keys() | theirs.keys())
        if ours.get(bucket, NOTHING) != theirs.get(bucket, NOTHING)
    ]
    real = [bucket for bucket in found if not bucket.startswith(PHANTOM)]
    wanted = [f"{PHANTOM}{at}" for at in range(planted)]
    return Compared(real, planted > 0 and found[len(real) :] == wanted)
