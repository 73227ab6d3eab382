"""Writes a revision file: changes as Python, up and down, for a DBA to read and correct."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import render_python_code
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.util import rev_id

from schema.capture.operations import CaptureOp
from schema.changes import Changes, Operations, changes_data, deletes_data, fills_rows
from schema.scripts import Revisions, load_revisions

_MARKS = {
    lambda change: isinstance(change, CaptureOp): (
        "# Changes of its rows go into the changelog from here on: write data below, not above."
    ),
    deletes_data: "# This deletes data.",
    changes_data: "# This may change data: values are rounded or cut, without an error.",
    fills_rows: "# Rows that are there get what the server chooses, such as 0 or an empty text.",
}
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
        _escaped(message),
        head=revisions.application_head or "base",
        version_path=folder,
        upgrades=bodies[0],
        downgrades=bodies[1],
        imports=[line for name, line in _IMPORTS.items() if any(name in body for body in bodies)],
    )
    assert script is not None
    return Path(script.path)


def _escaped(message: str) -> str:
    """The message as it stands in a docstring."""
    return message.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _body(changes: Operations, context: MigrationContext) -> str:
    """The lines of a function; what does something to data is marked."""
    parts = []
    for change in changes:
        parts += [mark for applies, mark in _MARKS.items() if applies(change)]
        parts.append(render_python_code(ops.UpgradeOps([change]), migration_context=context))
    lines = "\n".join(parts).splitlines()
    plain = [line for line in lines if not line.strip().startswith("# ###")]
    return "\n".join(f"    {line.removeprefix('    ')}" for line in plain).strip()
