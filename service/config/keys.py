"""What is said of a key: its place, how it is read, what it means; and what counts for it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from service.config.readers import Reader

# What a key without a default has: it must be given.
REQUIRED: Any = dataclasses.MISSING


@dataclass(frozen=True)
class Setting:
    """One key of the file: where it belongs, how it is read, and what it means."""

    section: str
    key: str
    reader: Reader
    default: object
    about: str
    example: object

    @property
    def name(self) -> str:
        """`section.key`, as messages and lists show it."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable over this key."""
        return f"HERDBOOK_{self.section}_{self.key}".upper()

    @property
    def required(self) -> bool:
        """Whether there is no default to fall back on."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class EffectiveValue:
    """What counts for one key, fit to be shown, and who said so."""

    name: str
    value: str | int | float | None
    origin: str


@dataclass(frozen=True)
class Key:
    """What a section's field says about itself: how it is read and what it means."""

    reader: Reader
    about: str
    example: object = None
