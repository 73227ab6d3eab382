"""Which servers the tests run on, and where their programs are."""

from __future__ import annotations

import os
from pathlib import Path

from service.server import Program, ProgramMissing, ServerKind, find_program, inspect_program

CHOSEN = os.environ.get("HERDBOOK_TEST_SERVERS", "mariadb,mysql")
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_GALERA_PLACES = (
    "/usr/lib/galera/libgalera_smm.so",
    "/usr/lib64/galera-4/libgalera_smm.so",
    "/usr/lib64/galera/libgalera_smm.so",
)
MYSQL_PREFIX = Path(os.environ.get("HERDBOOK_TEST_MYSQL") or _CACHE / "herdbook" / "mysql")


def chosen_kinds() -> list[ServerKind]:
    """The servers to test on: both, or those that HERDBOOK_TEST_SERVERS names."""
    return [ServerKind(name.strip()) for name in CHOSEN.split(",") if name.strip()]


def program_of(kind: ServerKind) -> Program:
    """The server program of this kind for the tests, or an error that says how to get it."""
    if kind is ServerKind.MARIADB:
        return find_program(kind, {"PATH": os.environ.get("PATH", "")})
    try:
        return inspect_program(MYSQL_PREFIX / "bin" / "mysqld")
    except ProgramMissing as error:
        raise ProgramMissing(
            f"The tests' MySQL is not at {MYSQL_PREFIX}. Run tests/servers/install-mysql, or name "
            f"its folder in HERDBOOK_TEST_MYSQL. HERDBOOK_TEST_SERVERS=mariadb tests without it."
        ) from error


def galera_library() -> Path:
    """Galera's library for MariaDB's clusters, or an error that says how to get it."""
    named = os.environ.get("HERDBOOK_TEST_GALERA")
    for place in [named] if named else _GALERA_PLACES:
        if Path(place).is_file():
            return Path(place)
    raise ProgramMissing(
        f"Galera's library is not at {named or _GALERA_PLACES[0]}. Install it (Debian: apt-get "
        f"install galera-4), or name the file in HERDBOOK_TEST_GALERA. HERDBOOK_TEST_SERVERS=mysql "
        f"tests without clusters."
    )
