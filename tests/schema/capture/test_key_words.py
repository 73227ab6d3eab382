"""How people read the keys of rows, in messages and in the log."""

from __future__ import annotations

import uuid

import pytest
from netaddr import IPAddress

from records.kinds.base import Kind
from records.kinds.identifiers import UuidKind
from records.kinds.network import AddressKind
from schema.capture.key_words import in_words, row_key_in_words
from schema.capture.shape import BINARY, BITS, INTEGER, MOMENT, TEXT, KeyPart

ID = uuid.UUID("018f0000-0000-7000-8000-000000000001")
KINDS: dict[str, Kind] = {"id": UuidKind(), "host": AddressKind()}


def measured(*parts: bytes) -> bytes:
    """A key of several parts, as triggers write it."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


@pytest.mark.parametrize(
    ("key", "row_key", "shown"),
    [
        ([KeyPart("id", BINARY)], ID.bytes, str(ID)),
        ([KeyPart("host", BINARY)], AddressKind().to_database(IPAddress("10.0.0.1")), "10.0.0.1"),
        ([KeyPart("raw", BINARY)], b"\x00\xff", "X'00ff'"),
        ([KeyPart("id", BINARY)], b"short", "X'73686f7274'"),
        ([KeyPart("number", INTEGER)], b"-7", "-7"),
        ([KeyPart("name", TEXT)], "Björk".encode(), "Björk"),
        ([KeyPart("flags", BITS)], b"5", "5"),
        ([KeyPart("day", TEXT), KeyPart("at", MOMENT)], measured(b"2026-01-31", b"1769860800.5"),
         "2026-01-31 2026-01-31 12:00:00.5"),
        ([KeyPart("id", BINARY), KeyPart("number", INTEGER)], measured(ID.bytes, b"3"), f"{ID} 3"),
        ([KeyPart("number", INTEGER)], b"old-key", "old-key"),
        ([KeyPart("number", INTEGER)], b"\x00", "X'00'"),
        ([KeyPart("id", BINARY), KeyPart("number", INTEGER)], b"\x00\x09x", "X'000978'"),
    ],
)  # fmt: skip
def test_a_key_is_shown_as_its_columns_are_read(
    key: list[KeyPart], row_key: bytes, shown: str
) -> None:
    """By the declared kinds; what is no key of the table is shown as it is written."""
    assert row_key_in_words(key, row_key, KINDS) == shown


def test_a_column_that_is_not_declared_is_shown_as_plain_sql_takes_it() -> None:
    """Nobody can say that sixteen bytes are a UUID."""
    assert in_words(["id"], [ID.bytes], {}) == f"X'{ID.hex}'"
