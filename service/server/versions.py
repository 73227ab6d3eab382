"""Which server is this, and is it new enough? Rules over the text a server says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from service.server.errors import ServerTooOld


class ServerKind(StrEnum):
    """The two kinds of server Herdbook runs on."""

    MARIADB = "mariadb"
    MYSQL = "mysql"


TITLES = {ServerKind.MARIADB: "MariaDB", ServerKind.MYSQL: "MySQL"}

# MariaDB 10.6 brought atomic DDL and SKIP LOCKED; MySQL 8.0.23 brought invisible columns, and has
# atomic DDL, SKIP LOCKED and enforced CHECKs from before.
OLDEST = {ServerKind.MARIADB: (10, 6, 0), ServerKind.MYSQL: (8, 0, 23)}

# A MariaDB server that speaks to old replicas says "5.5.5-10.11.6-MariaDB".
_REPLICATION_PREFIX = "5.5.5-"
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class ServerVersion:
    """A kind of server and its three numbers."""

    kind: ServerKind
    numbers: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{TITLES[self.kind]} {dotted(self.numbers)}"

    @property
    def supported(self) -> bool:
        """Whether Herdbook runs on it."""
        return self.numbers >= OLDEST[self.kind]


def dotted(numbers: tuple[int, ...]) -> str:
    """The numbers with points between: `(10, 6, 0)` is `10.6.0`."""
    return ".".join(str(number) for number in numbers)


def parse_version(text: str) -> ServerVersion:
    """The version in `SELECT VERSION()` or in the program's `--version` line.

    Raises ServerTooOld where the text is not that of MySQL or MariaDB.
    """
    said = text.partition("Ver ")[2] or text
    kind = ServerKind.MARIADB if "mariadb" in text.lower() else ServerKind.MYSQL
    found = _NUMBERS.match(said.strip().removeprefix(_REPLICATION_PREFIX))
    if found is None:
        raise ServerTooOld(
            f"The server says it is {text.strip()!r}, which names no version of MySQL or MariaDB. "
            f"Herdbook needs {_needed()}."
        )
    major, minor, patch = found.groups(default="0")
    return ServerVersion(kind, (int(major), int(minor), int(patch)))


def require_supported(text: str) -> ServerVersion:
    """The version in the text; raises ServerTooOld where Herdbook cannot run on it."""
    version = parse_version(text)
    if not version.supported:
        raise ServerTooOld(f"The server is {version}; Herdbook needs {_needed()}.")
    return version


def _needed() -> str:
    """The oldest servers, for messages."""
    return " or ".join(f"{TITLES[kind]} {dotted(oldest)}" for kind, oldest in OLDEST.items())
