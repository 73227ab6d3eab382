"""Parameters of the methods about ranges, and where the store's refusals of them point."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from records.errors import pointer
from service.errors import Refused
from service.methods.params import Arguments
from service.ranges.blocks import Address, Block
from service.ranges.notation import read_address, read_block

_T = TypeVar("_T")

_SUCH = "a block such as 10.0.0.0/8"
_ID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def block_asked(arguments: Arguments, name: str = "cidr") -> Block | None:
    """The block that a parameter is; what is wrong with it is noted, and None returned."""
    return _read(arguments, name, read_block, f"{_SUCH}, a text")


def pool_asked(arguments: Arguments, name: str) -> Block | UUID | None:
    """A pool, by its block or its id; None where it is absent, or wrong, which is noted."""
    if arguments.get(name) is None:
        return None
    return range_asked(arguments, name)


def range_asked(arguments: Arguments, name: str) -> Block | UUID | None:
    """A range that has to be named, by its block or its id; what is wrong with it is noted."""
    return _read(arguments, name, block_or_id, f"{_SUCH}, or an id, a text")


def block_or_id(text: str) -> Block | UUID:
    """The block or the id that a text is. Raises NotationRefused."""
    return UUID(text) if _ID.fullmatch(text) else read_block(text)


def name_asked(arguments: Arguments, name: str) -> str | None:
    """The name of a node; None where it is absent, or is none, which is noted."""
    given = arguments.get(name)
    if given is None or isinstance(given, str):
        return given
    said = f"{name} is the name of a node, a text"
    arguments.problems.add("value.wrong_type", said, arguments.place(name))
    return None


def address_asked(arguments: Arguments) -> Address | None:
    """The address that is asked about, in the same way."""
    return _read(arguments, "address", read_address, "an address such as 10.0.0.1, a text")


def _read(arguments: Arguments, name: str, reader: Callable[[str], _T], what: str) -> _T | None:
    given, place = arguments.get(name), arguments.place(name)
    if given is None:
        if name in arguments.values:
            arguments.problems.add("params.missing", f"{name} must be given", place)
        return None
    if not isinstance(given, str):
        arguments.problems.add("value.wrong_type", f"{name} is {what}", place)
        return None
    return arguments.problems.attempt(place, lambda: reader(given))


@contextmanager
def told_where_it_stood(arguments: Arguments) -> Iterator[None]:
    """What the store says of a parameter points at the place where that was sent."""
    try:
        yield
    except Refused as refused:
        told = [
            replace(failure, pointer=pointer(*arguments.place(failure.pointer.strip("/"))))
            if failure.pointer
            else failure
            for failure in refused.failures
        ]
        again = type(refused)(told, refused.message, hint=refused.advice)
        again.details.update(refused.details)
        raise again from refused
