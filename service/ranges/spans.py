"""What stands for blocks without being one: `10.0.*.*`, `10.0.0.1-10.0.0.99`, `10.0.0-3.*`.

The blocks are counted before they are made. netaddr reads the last kind as well, address by
address: 17 million of them for `10.*.*.*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import product
from math import prod
from typing import NamedTuple, NoReturn

from service.ranges.addresses import read_address
from service.ranges.blocks import Address, Block, between
from service.ranges.errors import NotationRefused, shown

SIGNS = "*-,"
"""A text with any of these is a span, or nothing."""

_ITEM = re.compile(r"(0|[1-9][0-9]{0,2})(?:-(0|[1-9][0-9]{0,2}))?", re.ASCII)
_PART = re.compile(r"\*|[0-9]+[0-9,-]*", re.ASCII)


class Run(NamedTuple):
    """The numbers from low to high, both included."""

    low: int
    high: int


ALL = [Run(0, 255)]
Octet = list[Run]


def read_span(text: str, most: int) -> list[Block]:
    """The fewest blocks, in order, that a span stands for.

    Raises NotationRefused: where it is none, and where it stands for more than `most` blocks.
    """
    if "/" in text:
        _refuse(text, "has a prefix and a span; write one of them, such as 10.0.0.0/22")
    if (ends := _ends(text)) is not None:
        return _bounded(text, list(between(ends[0].family, ends[0].number, ends[1].number)), most)
    if ":" in text:
        hint = "write a block such as 2001:db8::/32, or two whole addresses with - between them"
        _refuse(text, f"is no IPv6 address, and IPv6 has no wildcards; {hint}")
    return _of_octets(text, _octets(text), most)


def _refuse(text: str, fault: str, code: str = "range.span") -> NoReturn:
    raise NotationRefused(code, f"{shown(text)} {fault}")


def _bounded(text: str, blocks: list[Block], most: int) -> list[Block]:
    """These blocks, if they are not too many."""
    _refuse_number(text, len(blocks), most)
    return blocks


def _refuse_number(text: str, count: int, most: int) -> None:
    """Refuse more blocks than are taken."""
    if count > most:
        hint = f"at most {most:,} are taken; write larger blocks, or parts of it one by one"
        _refuse(text, f"stands for {count:,} blocks; {hint}", "range.too_many")


def _ends(text: str) -> tuple[Address, Address] | None:
    """The two addresses of a span that is written with two whole ones; None where it is not."""
    sides = [side.strip() for side in text.split("-")]
    if len(sides) != 2 or not all(map(_looks_whole, sides)):
        return None
    try:
        first, last = map(read_address, sides)
    except NotationRefused as refused:
        raise NotationRefused(refused.code, f"{shown(text)}: {refused.message}") from None
    if first.family != last.family:
        _refuse(text, "goes from one family to another; write two addresses of one")
    if last < first:
        _refuse(text, f"runs backwards; write {last}-{first}")
    return first, last


def _looks_whole(side: str) -> bool:
    """Whether it is meant as an address, and not as a part of one."""
    return ":" in side or (side.count(".") == 3 and "*" not in side and "," not in side)


def _octets(text: str) -> list[Octet]:
    """The four octets of a span, each the numbers it may be."""
    parts = text.split(".")
    if len(parts) > 4 or not all(map(_PART.fullmatch, parts)):
        _refuse(text, "is no span; write one such as 10.0.*.*, 10.0.0-3.* or 10.0.0.1-10.0.0.99")
    if len(parts) < 4:
        whole = ".".join(parts + ["*"] * (4 - len(parts)))
        _refuse(text, f"is abbreviated; write all four octets, such as {whole}")
    return [_octet(text, part) for part in parts]


def _octet(text: str, part: str) -> Octet:
    """The numbers one octet may be, as runs with gaps between them."""
    if part == "*":
        return ALL
    return _joined(_item(text, part, item) for item in part.split(","))


def _item(text: str, part: str, item: str) -> Run:
    """One number, or one with another."""
    found = _ITEM.fullmatch(item)
    if found is None:
        hint = "write a number from 0 to 255, *, two numbers with - between them, or a list with ,"
        _refuse(text, f"is no span: {part!r} is no octet; {hint}")
    run = Run(int(found[1]), int(found[2] or found[1]))
    if max(run) > 255:
        _refuse(text, f"is no span: {max(run)} is not between 0 and 255", "range.octet")
    if run.high < run.low:
        turned = text.replace(item, f"{run.high}-{run.low}")
        _refuse(text, f"is no span: {item} runs backwards; write {shown(turned)}")
    return run


def _joined(runs: Iterable[Run]) -> Octet:
    """The same numbers in the fewest runs, in order."""
    return reduce(_append, sorted(runs), [])


def _append(runs: Octet, run: Run) -> Octet:
    """These runs and one that does not begin before them."""
    if runs and run.low <= runs[-1].high + 1:
        return [*runs[:-1], Run(runs[-1].low, max(runs[-1].high, run.high))]
    return [*runs, run]


def _of_octets(text: str, octets: list[Octet], most: int) -> list[Block]:
    """The blocks of a span: those of the last octet that is not all, under each of the leading."""
    whole = next((n for n, octet in enumerate(reversed(octets)) if octet != ALL), 4)
    if whole == 4:
        return [Block(4, 0, 0)]
    *leading, last = octets[: 4 - whole]
    tails = [block for run in last for block in _of_run(run, 8 * whole)]
    count = prod(sum(run.high - run.low + 1 for run in octet) for octet in leading)
    _refuse_number(text, count * len(tails), most)
    return [
        Block(4, first | tail.first, tail.length)
        for first in _firsts(leading, 8 * whole + 8)
        for tail in tails
    ]


def _of_run(run: Run, spare: int) -> Iterator[Block]:
    """The blocks of a run, `spare` bits from the right."""
    return between(4, run.low << spare, ((run.high + 1) << spare) - 1)


def _firsts(leading: list[Octet], spare: int) -> Iterator[int]:
    """What the leading octets may be, as numbers, `spare` bits from the right."""
    values = [[n for run in octet for n in range(run.low, run.high + 1)] for octet in leading]
    for each in product(*values):
        yield int.from_bytes(bytes(each), "big") << spare
