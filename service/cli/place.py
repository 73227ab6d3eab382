"""The directory of a node that runs its own server: what it holds, and who runs on it."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from service.cli.output import CommandFailed
from service.server.layout import Layout

DATABASE = "herdbook"
"""The database on a private server."""


@dataclass(frozen=True)
class Running:
    """What a running node tells about itself."""

    rpc: str
    stream: str
    admin: str
    database: str
    dir: str
    pid: int


@dataclass(frozen=True)
class Place:
    """The paths of a node, beside those of its server."""

    directory: Path

    @property
    def layout(self) -> Layout:
        """The server's part."""
        return Layout(self.directory.absolute())

    @property
    def state(self) -> Path:
        """What the running node tells about itself."""
        return self.layout.run / "node.json"

    @property
    def tokens(self) -> Path:
        """The tokens of the node, unless its configuration names another file."""
        return self.directory / "tokens"

    @property
    def log(self) -> Path:
        """What a detached node says."""
        return self.directory / "node.log"

    def require_usable(self) -> None:
        """Make the directory; raises CommandFailed where this user may not write to it."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self.log.open("ab").close()
        except OSError as error:
            raise CommandFailed(
                f"{self.directory} cannot be used: {error.strerror}",
                "choose a directory that this user may write to",
                code="directory_unusable",
            ) from None

    def owner(self) -> int | None:
        """The id of the process that runs a node here, None if there is none."""
        try:
            handle = os.open(self.layout.lock, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            written = os.pread(handle, 32, 0).decode(errors="replace").strip()
            return int(written) if written.isdecimal() else None
        finally:
            os.close(handle)

    def running(self) -> Running | None:
        """What the node that runs here has told, None while it is not ready or none runs."""
        owner = self.owner()
        try:
            told = Running(**json.loads(self.state.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return told if told.pid == owner else None

    def tell(self, running: Running) -> None:
        """Write down that a node is ready; readers see all of it or nothing."""
        draft = self.state.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(running)))
        draft.replace(self.state)

    def forget(self) -> None:
        """The node has ended."""
        self.state.unlink(missing_ok=True)
