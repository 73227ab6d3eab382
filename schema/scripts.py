"""The revision files: Herdbook's own and the application's, as one graph."""

from __future__ import annotations

import importlib.util
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError

from schema.errors import RevisionsBroken, RevisionUnknown, SchemaError
from schema.running import Needs
from schema.system import BRANCH

# Beside this package, where both the source tree and an installation have it. It is not imported:
# an application may well have a package `migrations` of its own.
ENVIRONMENT = Path(__file__).parent.parent / "migrations"


@dataclass(frozen=True)
class Revisions:
    """All revision files, checked.

    `folder` is the application's; it may be missing or empty as long as nothing was generated.
    """

    directory: ScriptDirectory
    folder: Path | None

    @cached_property
    def names(self) -> frozenset[str]:
        """Every revision there is a file for."""
        return frozenset(script.revision for script in self.directory.walk_revisions())

    @cached_property
    def system_names(self) -> frozenset[str]:
        """Herdbook's own revisions."""
        return frozenset(self.lineage(f"{BRANCH}@head"))

    @property
    def system_head(self) -> str:
        """Herdbook's newest revision."""
        return self.script(f"{BRANCH}@head").revision

    @property
    def application_head(self) -> str | None:
        """The application's newest revision, if it has any."""
        return next(iter(_application_heads(self.directory)), None)

    def script(self, name: str) -> Script:
        """One revision by its name or the beginning of it; RevisionUnknown if there is none."""
        try:
            found = self.directory.get_revision(name)
        except (CommandError, RevisionError) as error:
            raise unknown(name) from error
        if found is None:
            raise unknown(name)
        return found

    def lineage(self, name: str) -> list[str]:
        """A revision and all before it, newest first."""
        return [script.revision for script in self.directory.iterate_revisions(name, "base")]

    def application_lineage(self, name: str) -> list[str]:
        """A revision and the application's before it, newest first."""
        return [part for part in self.lineage(name) if part not in self.system_names]


def load_revisions(folder: Path | None) -> Revisions:
    """Read all revision files; raises RevisionsBroken for what keeps them from being used."""
    locations = [ENVIRONMENT / "versions", *([folder] if folder and folder.is_dir() else [])]
    directory = ScriptDirectory(
        ENVIRONMENT, version_locations=locations, messaging_opts={"quiet": True}
    )
    try:
        with warnings.catch_warnings():
            # Alembic only warns of two files with one revision, or of a parent that is missing.
            warnings.filterwarnings("error", category=UserWarning, module=r"alembic\..*")
            warnings.filterwarnings("error", message="Revision .*", category=UserWarning)
            heads = _application_heads(directory)
    except Exception as error:
        raise _in_words(error, directory.version_locations) from error
    if len(heads) > 1:
        raise RevisionsBroken(
            f"The folder {folder} has more than one newest revision: {', '.join(sorted(heads))}.",
            "Make them follow each other: set down_revision in one of the files to the other.",
        )
    return Revisions(directory, folder)


def needs_of(revisions: Revisions) -> Needs:
    """What a node that starts with these files needs of its database from then on."""
    newest = (revisions.system_head, revisions.application_head)
    return Needs(frozenset(name for name in newest if name is not None), revisions.names)


def own_revisions(module: str) -> Path | None:
    """The folder `migrations` beside a record module, if there is one."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    if found is None or found.origin is None:
        return None
    beside = Path(found.origin).parent / "migrations"
    return beside if beside.is_dir() else None


def unknown(name: str) -> RevisionUnknown:
    """The error for a name that no revision has."""
    return RevisionUnknown(
        f"There is no revision {name!r}.", "`herdbook schema status` lists the revisions."
    )


def failed_in_file(error: Exception, folders: Sequence[str]) -> SchemaError | None:
    """An error of Python's in a revision file, in words; None where it happened elsewhere."""
    place = None
    if isinstance(error, SyntaxError):
        place = (error.filename, error.lineno)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(tuple(folders)):
            place = (frame.filename, frame.lineno)
    if place is None:
        return None
    return RevisionsBroken(
        f"A revision file fails: {type(error).__name__}: {error} ({place[0]}, line {place[1]}).",
        "Correct the revision file.",
    )


def _in_words(error: Exception, folders: Sequence[str]) -> SchemaError:
    """Why the revision files cannot be read."""
    return failed_in_file(error, folders) or RevisionsBroken(
        f"The revision files do not fit together: {error}.",
        "Look at `revision` and `down_revision` in the files named.",
    )


def _application_heads(directory: ScriptDirectory) -> set[str]:
    """The newest revisions that are not Herdbook's."""
    system = {script.revision for script in directory.get_revisions(f"{BRANCH}@head")}
    return set(directory.get_heads()) - system
