"""Network ranges in memory: who serves an address, the next free block, all disputes.

No server and no node takes part. Nothing here waits, so what is counted is the processor's time,
which other work on the machine disturbs less. Each figure is the median of rounds in which the
things that are measured take turns. For comparison netaddr's IPSet does the same as the index of
free space, on a tenth of the blocks.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import NamedTuple
from uuid import UUID

from netaddr import IPSet

from bench.report import Report, plain_options, progress, run
from records.stamps import Version
from service.ranges.allocation import next_free
from service.ranges.blocks import BITS, Address, Block, aligned
from service.ranges.disputes import disputes
from service.ranges.free_space import FreeSpace, take
from service.ranges.lookup import Locator
from service.ranges.notation import read_block
from service.ranges.values import Purpose, Range

MICROSECONDS, MILLISECONDS = 1e6, 1e3

LENGTHS = {
    "IPv4, /12 to /28": (4, range(12, 29)),
    "IPv6, every fourth to /64": (6, range(20, 65, 4)),
    "IPv4, every length": (4, range(33)),
    "IPv6, every length": (6, range(129)),
}
"""Which prefixes the ranges have in which an address is looked up."""

POOLS = {
    "IPv4 /28": (read_block("10.0.0.0/8"), 28),
    "IPv6 /64": (read_block("2001:db8::/32"), 64),
}
"""Out of which pool blocks are given, and of which length."""

_LOOKUPS, _BLOCKS, _SET_BLOCKS = 20_000, 1_000, 10_000
_NODES = 50


class Case(NamedTuple):
    """Something to measure: how often `act` does it in one call, in which unit, and the target."""

    measured: str
    act: Callable[[], object]
    times: int = 1
    unit: float = MILLISECONDS
    target: float | None = None


def ranges_of(family: int, lengths: Sequence[int], count: int, purpose: Purpose) -> list[Range]:
    """Ranges of many nodes, all over a family."""
    chance = random.Random(count)
    return [
        Range(
            UUID(int=number),
            f"node {number % _NODES}",
            aligned(family, chance.getrandbits(BITS[family]), chance.choice(lengths)),
            purpose,
            Version(chance.getrandbits(50), number % _NODES),
        )
        for number in range(count)
    ]


def lookups(count: int) -> Iterable[Case]:
    """Addresses, half of them of a client that some range is for, half from anywhere."""
    for name, (family, lengths) in LENGTHS.items():
        some = ranges_of(family, lengths, count, Purpose.SERVES)
        yield Case(f"locate: {name}", *_locating(family, some), MICROSECONDS, 5.0)


def _locating(family: int, some: list[Range]) -> tuple[Callable[[], object], int]:
    chance = random.Random(family)
    locate = Locator(some).locate
    within = [Address(family, each.block.last) for each in chance.sample(some, _LOOKUPS // 2)]
    anywhere = [Address(family, chance.getrandbits(BITS[family])) for _ in within]
    addresses = within + anywhere
    chance.shuffle(addresses)
    return lambda: [locate(address) for address in addresses], len(addresses)


def given_of(pool: Block, length: int, count: int) -> list[Block]:
    """Blocks given out of a pool, with a gap after every third on average; in order."""
    chance = random.Random(length)
    size = 1 << (BITS[pool.family] - length)
    places = sorted(chance.sample(range(count * 4 // 3), count))
    return [Block(pool.family, pool.first + place * size, length) for place in places]


def allocations(count: int) -> Iterable[Case]:
    """The next free block out of the index; how long the index takes; and without it."""
    for name, (pool, length) in POOLS.items():
        given = given_of(pool, length, count)
        space = FreeSpace(pool, given)
        out_and_back = _out_and_back(space, length)
        yield Case(f"give out or release: {name}", out_and_back, 2 * _BLOCKS, MICROSECONDS, 10_000)
        yield Case(f"build that index: {name}", _build(pool, given))
        yield Case(f"next free, reading all that is given out: {name}", _read(pool, given))


def _out_and_back(space: FreeSpace, length: int) -> Callable[[], object]:
    """Some blocks are given out, one after the other, and all are released."""

    def act() -> None:
        for block in [take(length, [space]) for _ in range(_BLOCKS)]:
            space.give_back(block)

    return act


def _build(pool: Block, given: list[Block]) -> Callable[[], object]:
    return lambda: FreeSpace(pool, given)


def _read(pool: Block, given: list[Block]) -> Callable[[], object]:
    """No gap is just as large, so that none ends the reading."""
    return lambda: next_free(pool.length + 2, [pool], lambda _pool: given)


def small_pool() -> Iterable[Case]:
    """The same by netaddr, and by the index, with a tenth of the blocks."""
    pool, length = POOLS["IPv4 /28"]
    given = given_of(pool, length, _SET_BLOCKS)
    index = _out_and_back(FreeSpace(pool, given), length)
    yield Case(f"give out or release, {_SET_BLOCKS:,} blocks", index, 2 * _BLOCKS, MICROSECONDS)
    free = IPSet([pool.network]) - IPSet([block.network for block in given])
    yield Case(
        f"the same by netaddr's IPSet, {_SET_BLOCKS:,} blocks", _by_set(free), 2, MICROSECONDS
    )


def _by_set(free: IPSet) -> Callable[[], object]:
    """One block leaves a set and comes back."""
    block = next(iter(free.iter_cidrs()))

    def act() -> None:
        free.remove(block)
        free.add(block)

    return act


def sweeps(count: int) -> Iterable[Case]:
    """All disputes of a herd."""
    serving = ranges_of(4, range(12, 29), count, Purpose.SERVES)
    yield Case("all disputes, ranges that serve", lambda: disputes(serving))
    pools = ranges_of(6, range(20, 65, 4), count, Purpose.POOL)
    yield Case("all disputes, pools", lambda: disputes(pools))


def seconds(case: Case) -> float:
    """What one call costs, with nothing of earlier ones left to collect."""
    gc.collect()
    began = time.process_time()
    case.act()
    return time.process_time() - began


def measure(cases: Sequence[Case], rounds: int, report: Report) -> None:
    """All cases in turns."""
    found: dict[str, list[float]] = {case.measured: [] for case in cases}
    for turn in range(rounds):
        progress(f"round {turn + 1} of {rounds}")
        for case in cases:
            found[case.measured].append(seconds(case) / case.times * case.unit)
    for case in cases:
        middle = median(found[case.measured])
        report.add(
            measured=case.measured,
            figure=middle,
            unit="µs" if case.unit == MICROSECONDS else "ms",
            target=case.target,
            reached=None if case.target is None else middle < case.target,
        )


def main() -> None:
    """Measure and print the results."""
    parser = plain_options("Network ranges in memory.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of everything")
    parser.add_argument("--ranges", type=int, default=100_000, help="ranges, or blocks given out")
    arguments = parser.parse_args()
    count = arguments.ranges
    progress(f"making {count:,} ranges of each kind")
    cases = [*lookups(count), *allocations(count), *small_pool(), *sweeps(count)]
    title = f"{count:,} ranges, or blocks given out (medians of the rounds)"
    report = Report(title, ("measured", "figure", "unit", "target", "reached"))
    measure(cases, arguments.rounds, report)
    report.show(as_json=arguments.json)


if __name__ == "__main__":
    run(main)
