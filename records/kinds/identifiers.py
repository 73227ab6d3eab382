"""UUIDs."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from records.kinds.base import JsonSchema, Kind, refuse_format, refuse_type

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)


@dataclass(frozen=True)
class UuidKind(Kind):
    """BINARY(16), in the order of the text form. Python: `uuid.UUID`."""

    def check(self, value: object) -> uuid.UUID:
        """A UUID of any version."""
        if not isinstance(value, uuid.UUID):
            refuse_type("a UUID", value)
        return value

    def from_json(self, value: object) -> uuid.UUID:
        """The text form of 36 characters."""
        if not isinstance(value, str):
            refuse_type("a UUID", value)
        if not _UUID.fullmatch(value):
            refuse_format("a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057", value)
        return uuid.UUID(value)

    def to_json(self, value: uuid.UUID) -> str:
        """The text form, in lower case."""
        return str(value)

    def to_database(self, value: uuid.UUID) -> bytes:
        """Sixteen bytes."""
        return value.bytes

    def from_database(self, raw: bytes) -> uuid.UUID:
        """From sixteen bytes."""
        return uuid.UUID(bytes=raw)

    def json_schema(self) -> JsonSchema:
        """A UUID."""
        return {"type": "string", "format": "uuid"}

    def index_bytes(self) -> int:
        """Sixteen."""
        return 16
