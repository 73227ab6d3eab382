"""What a record is: declare classes here, everything else follows from them.

    from records import Record, Reference, References, Text

The names come from `records.door`, at their first use: Storm takes longer to load than most
commands run, and half of them need none of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from records.door import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """Python's hook for a name that is not here yet."""
    if name.startswith("_") and name != "__all__":
        raise AttributeError(name)
    try:
        return getattr(importlib.import_module("records.door"), name)
    except AttributeError:
        raise AttributeError(f"records has no {name}; records.door lists what there is") from None
