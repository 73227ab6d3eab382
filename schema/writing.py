"""Writes a revision file: changes as Python, up and down, for a DBA to read and correct."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import render_python_code
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.util import rev_id

from schema.changes import Changes, Operations, is_destructive
from schema.scripts import Revisions, load_revisions

_MARK = "# This deletes data."
_IMPORTS = {
    "sa.": "import sqlalchemy as sa",
    "op.": "from alembic import op",
    "mysql.": "from sqlalchemy.dialects import mysql",
}


def write_revision(
    revisions: Revisions,
    folder: Path,
    message: str,
    changes: Changes,
    context: MigrationContext,
) -> Path:
    """Write the file of the application's next revision and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    bodies = [_body(part, context) for part in (changes.up, changes.down)]
    script = load_revisions(folder).directory.generate_revision(
        rev_id(),
        message,
        head=revisions.application_head or "base",
        version_path=folder,
        upgrades=bodies[0],
        downgrades=bodies[1],
        imports=[line for name, line in _IMPORTS.items() if any(name in body for body in bodies)],
    )
    assert script is not None
    return Path(script.path)


def _body(changes: Operations, context: MigrationContext) -> str:
    """The lines of a function; what deletes data is marked."""
    parts = []
    for change in changes:
        if is_destructive(change):
            parts.append(_MARK)
        parts.append(render_python_code(ops.UpgradeOps([change]), migration_context=context))
    lines = "\n".join(parts).splitlines()
    plain = [line for line in lines if not line.strip().startswith("# ###")]
    return "\n".join(f"    {line.removeprefix('    ')}" for line in plain).strip()
