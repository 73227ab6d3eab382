"""The place where a page ended, as text for the client to send back.

It holds the order's values in the last row, and a digest of what was listed, so that it continues
that list and no other. It is no secret and gives no right: whoever may list may choose any place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from records.errors import ValueRefused
from records.validation import Row
from service.methods.query import SortBy

LONGEST_CURSOR = 65_536
"""Eight sort fields and a key of 3,072 bytes, at six bytes a character in JSON, in base64."""

_FORM = 1


def digest_of(*parts: object) -> str:
    """A digest of what a list is about: JSON values, the same for the same list."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def write_cursor(digest: str, order: Sequence[SortBy], last: Row) -> str:
    """The text for the place after the row `last`."""
    values = [_to_json(sort, sort.value_in(last)) for sort in order]
    text = json.dumps([_FORM, digest, values], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: object, digest: str, order: Sequence[SortBy]) -> tuple[Any, ...]:
    """The values of `order` that a cursor holds; raises ValueRefused."""
    form, bound_to, values = _unpack(text)
    if form != _FORM or not isinstance(values, list):
        _refuse_tampered()
    if bound_to != digest:
        raise ValueRefused(
            "cursor.foreign",
            "next belongs to another list; repeat the call that gave it, with the same where and "
            "order, or leave next out to begin anew",
        )
    if len(values) != len(order):
        _refuse_tampered()
    return tuple(_from_json(sort, value) for sort, value in zip(order, values, strict=True))


def _unpack(text: object) -> tuple[Any, Any, Any]:
    """The three parts of a cursor."""
    if not isinstance(text, str):
        raise ValueRefused("value.wrong_type", "next is the text that the page before gave")
    if len(text) > LONGEST_CURSOR or not text.isascii():
        _refuse_tampered()
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        form, bound_to, values = json.loads(packed)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        _refuse_tampered()
    return form, bound_to, values


def _to_json(sort: SortBy, value: Any) -> Any:
    """One value, as JSON."""
    return None if value is None else sort.path.kind.to_json(value)


def _from_json(sort: SortBy, value: object) -> Any:
    """One value, plain."""
    if value is None and sort.path.allow_none:
        return None
    try:
        return sort.path.kind.from_json(value)
    except ValueRefused:
        _refuse_tampered()


def _refuse_tampered() -> Any:
    """Say that this was never given out."""
    raise ValueRefused(
        "cursor.invalid",
        "next is not what a page gave; send it unchanged, or leave it out to begin anew",
    ) from None
