"""Strict JSON, in and out.

In: RFC 8259 and nothing more. What two readers could read differently is refused: duplicate
members, lone surrogates, numbers beyond a double, bytes that are not UTF-8.
Out: compact UTF-8. A NaN, which JSON cannot express, becomes null.
"""

from __future__ import annotations

from itertools import accumulate

import msgspec

from records.errors import Failure
from service.rpc.refusals import JsonRefused, NestingTooDeep, Unencodable

_MARKS = b'[]{}:"'
_ALL_BUT_MARKS = bytes(set(range(256)) - set(_MARKS))
# As signed bytes: an opening bracket counts 1, a closing one -1.
_STEPS = bytes.maketrans(b"[]{}", b"\x01\xff\x01\xff")


def decode(body: bytes, nesting: int) -> object:
    """The value of a JSON text; raises JsonRefused, or NestingTooDeep beyond `nesting` levels."""
    _require_utf8(body)
    outline = _outline(body)
    if _is_deeper(outline, nesting):
        raise NestingTooDeep(f"the JSON is nested more than {nesting} levels deep")
    value = _parse(body)
    # Each colon outside of strings is one member; a dictionary keeps only one of its duplicates.
    if outline.count(b":") != _members(value):
        raise _refused("json.duplicate", "an object holds two members of the same name")
    return value


def encode(value: object) -> bytes:
    """The JSON text of a value; raises Unencodable for what JSON has no form for."""
    try:
        return msgspec.json.encode(value)
    except Exception as error:
        # Values come from methods of any kind, their conversion may raise anything.
        raise Unencodable(f"a value has no JSON form: {error}") from error


def _require_utf8(body: bytes) -> None:
    """Raise JsonRefused where bytes are not UTF-8; msgspec would name the place in one string."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"the text is not UTF-8 (byte {error.start}: {error.reason})"
        raise _refused("json.encoding", problem) from None


def _parse(body: bytes) -> object:
    """What msgspec reads, its several exceptions turned into JsonRefused."""
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError as error:
        raise _refused("json.number", f"a number cannot be read: {error}") from None
    except msgspec.DecodeError as error:
        raise _refused("json.malformed", str(error)) from None
    except RecursionError:
        # Only where limits.nesting was raised beyond what the parser's stack holds.
        raise NestingTooDeep("the JSON is nested deeper than the parser can follow") from None


def _refused(code: str, message: str) -> JsonRefused:
    """A refusal of the whole text for one reason."""
    return JsonRefused([Failure(code, message)])


def _outline(body: bytes) -> bytes:
    """The brackets and colons of a JSON text that stand outside of its strings.

    Exact up to the first syntax error, where the parser stops anyway. Only whole-body operations:
    8 MiB take well under a tenth of a second, which a loop over the characters would not.
    """
    if b"\\" in body:
        # In this order: an escaped backslash must not be seen as escaping a quote after it.
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two adjacent quotes change for no other character whether it stands inside a string.
    marks = body.translate(None, _ALL_BUT_MARKS).replace(b'""', b"")
    return b"".join(marks.split(b'"')[::2])


def _is_deeper(outline: bytes, nesting: int) -> bool:
    """Whether the brackets of an outline open more than `nesting` levels; stops at the first."""
    steps = memoryview(outline.translate(_STEPS, b":")).cast("b")
    return any(map(nesting.__lt__, accumulate(steps)))


def _members(value: object) -> int:
    """How many object members a decoded value holds, at all levels."""
    pending = [value]
    members = 0
    for item in pending:
        if isinstance(item, dict):
            members += len(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return members
