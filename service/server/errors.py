"""What can go wrong with a database server of one's own. Each message says what to do."""

from __future__ import annotations

from records.errors import HerdbookError


class ServerError(HerdbookError):
    """The root of all errors of this room."""


class ProgramMissing(ServerError):
    """No database server program was found, or the one named cannot be run."""


class ServerTooOld(ServerError):
    """The server is older than what Herdbook needs, or of a kind it does not know."""


class DirectoryUnusable(ServerError):
    """The directory cannot hold a server: not writable, not a directory, or no room left."""


class DirectoryHeld(ServerError):
    """Another process uses the directory."""


class WrongProgram(ServerError):
    """The data in the directory belong to another kind of server, or to a newer one."""


class ServerFailed(ServerError):
    """The server could not be set up, did not start, or does not answer."""
