"""Where things lie in a private server's directory, and what makes a directory fit for one."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from service.server.errors import DirectoryUnusable

# A socket's path must fit sockaddr_un.sun_path: 108 bytes with the closing zero.
SOCKET_PATH_BYTES = 107
# What a new data directory of either server takes, with room for its first transactions.
NEEDED_MEGABYTES = 400
# A log that has grown past this is put aside at the next start; one older log is kept.
LOG_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Layout:
    """The paths of one private server, below one directory."""

    directory: Path

    @property
    def data(self) -> Path:
        """The server's own data directory."""
        return self.directory / "data"

    @property
    def unfinished(self) -> Path:
        """A data directory that is being set up; it gets its real name once it is whole."""
        return self.directory / "data.unfinished"

    @property
    def run(self) -> Path:
        """What exists for the time of a run: socket, process id, lock. Its owner's alone."""
        return self.directory / "run"

    @property
    def temporary(self) -> Path:
        """The server's temporary files: a MariaDB that starts removes all it finds beside them."""
        return self.directory / "tmp"

    @property
    def lock(self) -> Path:
        """Locked by the process that owns the server."""
        return self.run / "lock"

    @property
    def pid_file(self) -> Path:
        """Where the server writes its process id."""
        return self.run / "server.pid"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.directory / "server.log"

    @property
    def origin(self) -> Path:
        """The kind and version of the server that wrote the data last."""
        return self.directory / "server.json"

    @property
    def socket(self) -> Path:
        """The socket: in `run`, or in a short folder of the system's where that is too long."""
        path = self.run / "mysql.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
            return path
        return _short_folder(self.directory) / "mysql.sock"

    @property
    def socket_lock(self) -> Path:
        """Where MySQL writes the id of the process that uses the socket. MariaDB has none."""
        return self.socket.with_name(f"{self.socket.name}.lock")

    def prepare(self) -> None:
        """Make the folders, with no access for anybody else. Raises OSError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for folder in {self.run, self.temporary, self.socket.parent}:
            _private_folder(folder)

    def tidy(self) -> None:
        """Remove what lies outside the directory: the short folder of a long path's socket."""
        folder = self.socket.parent
        if folder != self.run:
            shutil.rmtree(folder, ignore_errors=True)

    def forget_former_run(self) -> None:
        """Remove what a server that was killed left of its socket; no server may run here.

        MySQL does not start while any process has the id in that file. Ids are used again, and soon
        where many processes and threads come and go.
        """
        self.socket.unlink(missing_ok=True)
        self.socket_lock.unlink(missing_ok=True)

    def require_room(self) -> None:
        """Raise DirectoryUnusable where a new data directory would not fit on the disk."""
        free = shutil.disk_usage(self.directory).free // 2**20
        if free < NEEDED_MEGABYTES:
            raise DirectoryUnusable(
                f"Only {free} MB are free at {self.directory}; a new database server needs "
                f"{NEEDED_MEGABYTES} MB. Free some space or choose another directory."
            )

    def put_aside_long_log(self) -> None:
        """Start a new log where the present one has grown long."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def last_words(self, lines: int = 12) -> str:
        """The end of the log, for an error message."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 8192))
                text = log.read().decode(errors="replace")
        except OSError:
            return "(there is no log)"
        return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


def _short_folder(directory: Path) -> Path:
    """A folder with a short path that is the same for the same directory and user."""
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base)) > 60:
        base = Path("/tmp")
    return base / f"herdbook-{os.getuid()}-{name}"


def _private_folder(path: Path) -> None:
    """Make the folder, or take the one that is there if it is ours; nobody else gets in.

    In a shared folder such as /tmp someone else may have made the name first: that is refused.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(1, "It belongs to somebody else", str(path))
    path.chmod(0o700)
