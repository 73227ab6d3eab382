"""What can go wrong with a schema, each with what to do about it."""

from __future__ import annotations

from records.errors import HerdbookError


class SchemaError(HerdbookError):
    """The root of all errors of this room. `hint` says what to do."""

    hint = ""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.hint if hint is None else hint


class DatabaseUnreachable(SchemaError):
    """The database server does not answer, or went away in the middle."""

    hint = "Check that the server runs and that the address is right, then run the command again."


class DatabaseRefused(SchemaError):
    """The server does not let this user in, or not do what is needed."""


class StatementFailed(SchemaError):
    """The server refused a statement of a revision; what came before it is kept in the journal."""

    hint = "Correct what the server names (data or revision) and run the command again."


class LockHeld(SchemaError):
    """Another run migrates this database at the moment."""

    hint = "Wait until it is done, or give this run longer to wait."


class RevisionUnknown(SchemaError):
    """There is no revision of this name, or the database is at one that the files do not hold."""


class RevisionOutOfReach(SchemaError):
    """There is such a revision, but the way asked for does not lead to it."""

    hint = "`herdbook schema status` shows where the database is."


class RevisionsBroken(SchemaError):
    """The revision files cannot be used: an error in one, or more than one head."""


class RevisionChanged(SchemaError):
    """The file of an interrupted revision no longer says what was already carried out."""


class MigrationInterrupted(SchemaError):
    """A migration was interrupted and must be completed first."""


class SchemaBehind(SchemaError):
    """The database lacks revisions that this code needs."""

    hint = "Run `herdbook schema upgrade`."


class RevisionUnwritten(SchemaBehind):
    """Record classes have tables or columns that no revision makes."""

    hint = (
        'Write the revision with `herdbook schema revision -m "what changes"`, read it, and run '
        "`herdbook schema upgrade`."
    )


class SchemaAhead(SchemaError):
    """The database has revisions that this code does not know."""

    hint = "Install the newer code, or the revision files that the database was migrated with."


class CodeTooOld(SchemaError):
    """The schema says that code as old as this must not run on it."""

    hint = "Install a newer Herdbook."


class UnsafeChange(SchemaError):
    """The change would delete or change data, and was not allowed to."""
