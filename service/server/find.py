"""Find a database server program: where it is, which kind, which version."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from service.server.errors import ProgramMissing, ServerTooOld
from service.server.versions import ServerKind, ServerVersion, require_supported

PROGRAM_NAMES = {ServerKind.MARIADB: "mariadbd", ServerKind.MYSQL: "mysqld"}

# Server programs live here, and an ordinary user's PATH does not name these folders.
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin")

OVERRIDE = "HERDBOOK_SERVER"
_VERSION_SECONDS = 30


@dataclass(frozen=True)
class Program:
    """A server program that was run once to hear its version."""

    path: Path
    version: ServerVersion

    @property
    def kind(self) -> ServerKind:
        """MariaDB or MySQL."""
        return self.version.kind


def find_program(
    kind: ServerKind | None = None, environment: Mapping[str, str] | None = None
) -> Program:
    """The server program to use: HERDBOOK_SERVER, or the first that is found and new enough.

    MariaDB is looked for before MySQL; `kind` limits the search to one of them. Raises
    ProgramMissing or ServerTooOld.
    """
    environment = os.environ if environment is None else environment
    named = environment.get(OVERRIDE)
    if named:
        return _of_kind(inspect_program(Path(named)), kind)
    kinds = [kind] if kind else list(PROGRAM_NAMES)
    return _first_usable(_candidates(kinds, environment.get("PATH", os.defpath)), kinds)


def inspect_program(path: Path) -> Program:
    """The program at this path with its kind and version.

    Raises ProgramMissing where it cannot be run, ServerTooOld where it is too old.
    """
    try:
        said = subprocess.run(
            [path, "--no-defaults", "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ProgramMissing(
            f"The server program {path} cannot be run: {_reason(error)}. Name a mariadbd or "
            f"mysqld in {OVERRIDE}, or install one: apt-get install mariadb-server-core"
        ) from error
    return Program(path.absolute(), require_supported(said.stdout))


def _candidates(kinds: Iterable[ServerKind], search: str) -> list[Path]:
    """Every program of these kinds on the search path and in the system's folders."""
    folders = os.pathsep.join([search, *SYSTEM_FOLDERS])
    found = (shutil.which(PROGRAM_NAMES[kind], path=folders) for kind in kinds)
    return [Path(path) for path in found if path]


def _first_usable(candidates: list[Path], kinds: list[ServerKind]) -> Program:
    """The first candidate that runs and is new enough; what was wrong with each, if none is."""
    problems = []
    for path in candidates:
        try:
            program = inspect_program(path)
        except (ProgramMissing, ServerTooOld) as error:
            problems.append(f"{path}: {error}")
            continue
        # Debian's MariaDB once brought a program called mysqld too.
        if program.kind in kinds:
            return program
    if problems:
        raise ServerTooOld("No usable database server program:\n" + "\n".join(problems))
    names = " or ".join(PROGRAM_NAMES[kind] for kind in kinds)
    raise ProgramMissing(
        f"No {names} was found. Install one (Debian: apt-get install mariadb-server-core "
        f"mariadb-client-core), or name the program in {OVERRIDE}."
    )


def _of_kind(program: Program, kind: ServerKind | None) -> Program:
    """The program, if it is of the wanted kind."""
    if kind is None or program.kind is kind:
        return program
    raise ProgramMissing(
        f"{OVERRIDE} names {program.path}, which is {program.version}; a {PROGRAM_NAMES[kind]} "
        f"is needed here."
    )


def _reason(error: OSError | subprocess.SubprocessError) -> str:
    """Why running a program failed, in a few words."""
    if isinstance(error, subprocess.CalledProcessError):
        said = (error.stderr or "").strip().splitlines()
        return f"it ended with status {error.returncode}" + (f", {said[-1]}" if said else "")
    return getattr(error, "strerror", None) or str(error)
