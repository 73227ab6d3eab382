"""What a DBA writes for a place in history, as Alembic wants it.

There are two histories, Herdbook's own and the application's. Plain words mean the application's:
`base` is before its first revision, `-1` one revision back.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from schema.errors import RevisionUnknown
from schema.progress import Direction
from schema.runner import Heads
from schema.scripts import Revisions

_BACK = re.compile(r"-([1-9][0-9]{0,3})")


def downgrade_target(revisions: Revisions, heads: Heads, target: str) -> str:
    """Where to go back to, "" when there is nothing to take back."""
    newest = application_head(revisions, heads)
    back = _BACK.fullmatch(target)
    if "@" in target or (target != "base" and not back):
        return target if "@" in target else revisions.script(target).revision
    if newest is None:
        return ""
    lineage = revisions.application_lineage(newest)
    steps = int(back[1]) if back else len(lineage)
    if steps > len(lineage):
        raise RevisionUnknown(
            f"The database has {len(lineage)} revisions, so {target} leads nowhere.",
            "Name a revision, or `base`.",
        )
    return lineage[steps] if steps < len(lineage) else f"{newest}@base"


def range_of(
    revisions: Revisions, direction: Direction, written: str, heads: Callable[[], Heads]
) -> tuple[Heads, str]:
    """Where `FROM:TO` begins and ends; `heads` is asked where no beginning is written."""
    first, colon, target = written.rpartition(":")
    start = _start(revisions, first) if colon else heads()
    if direction is Direction.UP:
        return start, target or "heads"
    return start, downgrade_target(revisions, start, target or "-1")


def application_head(revisions: Revisions, heads: Heads) -> str | None:
    """Which of the heads is the application's."""
    return next((name for name in heads if name not in revisions.system_names), None)


def _start(revisions: Revisions, written: str) -> Heads:
    """The heads of a database at what is written: one revision implies all of Herdbook's."""
    if written in ("", "base"):
        return ()
    if written in ("head", "heads"):
        name = revisions.application_head
        return (revisions.system_head,) if name is None else (revisions.system_head, name)
    name = revisions.script(written).revision
    return (name,) if name in revisions.system_names else (revisions.system_head, name)
