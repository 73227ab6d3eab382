"""The command lines of both servers: to set up a data directory, and to serve it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from service.server.errors import ProgramMissing
from service.server.find import Program
from service.server.layout import Layout
from service.server.versions import ServerKind

INSTALLER = "mariadb-install-db"


def set_up_command(program: Program, data: Path) -> list[str]:
    """The command that fills an empty data directory: root@localhost, without a password.

    That is safe as the server is reached through a socket in a folder nobody else may enter.
    """
    if program.kind is ServerKind.MYSQL:
        return [*_base(program), "--initialize-insecure", f"--datadir={data}", *_user()]
    return [
        _installer(program),
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        # Goes on where the machine's own name cannot be looked up: no network is used anyway.
        "--force",
        *_user(),
    ]


def serve_command(program: Program, layout: Layout, buffer_pool_megabytes: int) -> list[str]:
    """The command that serves the data directory on a socket only, with durable commits."""
    return [
        *_base(program),
        f"--datadir={layout.data}",
        f"--socket={layout.socket}",
        f"--pid-file={layout.pid_file}",
        f"--tmpdir={layout.temporary}",
        "--skip-networking",
        "--skip-name-resolve",
        "--skip-log-bin",
        # An acknowledged commit is on the disk; a half-written page is repaired.
        "--innodb-flush-log-at-trx-commit=1",
        "--innodb-doublewrite=ON",
        f"--innodb-buffer-pool-size={buffer_pool_megabytes}M",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_bin",
        "--log-bin-trust-function-creators=ON",
        # Its tables alone would take more memory than the rest of a small server.
        "--performance-schema=OFF",
        *(["--mysqlx=OFF"] if program.kind is ServerKind.MYSQL else []),
        *_user(),
    ]


def _base(program: Program) -> list[str]:
    """The program, deaf to the configuration files of the machine."""
    return [str(program.path), "--no-defaults"]


def _user() -> list[str]:
    """Both servers refuse to run as root unless they are told to."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _installer(program: Program) -> str:
    """MariaDB's own script for new data directories: beside the program, or on the PATH."""
    beside = program.path.parent.parent / "bin" / INSTALLER
    found = str(beside) if beside.exists() else shutil.which(INSTALLER)
    if found is None:
        raise ProgramMissing(
            f"{INSTALLER} was not found beside {program.path} nor on the PATH. It comes with the "
            f"server (Debian: apt-get install mariadb-server-core mariadb-client-core)."
        )
    return found
