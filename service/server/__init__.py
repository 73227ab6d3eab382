"""A database server of one's own: find a program, start it on a directory, stop it again.

The rule of this room: nothing here listens on a network, and no process is ended unless it is
known to serve the directory in question.
"""

from __future__ import annotations

from service.server.errors import (
    DirectoryHeld,
    DirectoryUnusable,
    ProgramMissing,
    ServerError,
    ServerFailed,
    ServerTooOld,
    WrongProgram,
)
from service.server.find import Program, find_program, inspect_program
from service.server.private import PrivateServer
from service.server.versions import ServerKind, ServerVersion, require_supported

__all__ = [
    "DirectoryHeld",
    "DirectoryUnusable",
    "PrivateServer",
    "Program",
    "ProgramMissing",
    "ServerError",
    "ServerFailed",
    "ServerKind",
    "ServerTooOld",
    "ServerVersion",
    "WrongProgram",
    "find_program",
    "inspect_program",
    "require_supported",
]
