"""Files of keys and certificates: written whole or not at all, and read only where they are safe.

A private key is of use to whoever can read it, so its file belongs to the node's user alone.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from service.identity.errors import refused

LARGEST = 65_536
"""Bytes. A certificate has about a thousand; what is larger is another file, named by mistake."""

_PRIVATE = 0o600
_PUBLIC = 0o644
_OTHERS = 0o077


def read_public(path: Path) -> bytes:
    """What a file of a certificate holds; IdentityRefused where it cannot be read."""
    return _read(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)


def read_private(path: Path) -> bytes:
    """What a file of a private key holds.

    IdentityRefused where others could read or have put it there: where it is a link, belongs to
    somebody else, or where its mode lets others in.
    """
    if path.is_symlink():
        hint = "name the file itself, or put the key in its place"
        raise refused(f"{path} is a symbolic link: whoever can turn it chooses the key", hint)
    return _read(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW, private=True)


def write_new(path: Path, content: bytes, *, private: bool) -> None:
    """Make a file; IdentityRefused where there is one already, which stays as it is."""
    temporary = _written(path, content, private)
    try:
        # Unlike a rename, a link takes nobody's place.
        os.link(temporary, path)
    except FileExistsError:
        hint = "nothing was overwritten; move it away, or name another place"
        raise refused(f"{path} is there already", hint) from None
    except OSError as error:
        raise _cannot(path, "made", error) from None
    finally:
        temporary.unlink()
    _settle(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Put a certificate in the place of another, at once for whoever reads it."""
    temporary = _written(path, content, private=False)
    try:
        temporary.replace(path)
    except OSError as error:
        temporary.unlink()
        raise _cannot(path, "replaced", error) from None
    _settle(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder that only this user can enter, unless it is there."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot(path, "made", error) from None


def _read(path: Path, flags: int, *, private: bool = False) -> bytes:
    try:
        handle = os.open(path, flags)
    except OSError as error:
        raise _cannot(path, "read", error) from None
    try:
        # What is looked at is what is read: the open file, whatever its name leads to by then.
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise refused(f"{path} is no file", "name a file")
        if private:
            _require_own(path, found)
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(handle)
    if len(content) > LARGEST:
        raise refused(f"{path} is larger than {LARGEST} bytes", "name a key or a certificate")
    return content


def _require_own(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        who = f"user {found.st_uid}, and this process runs as {os.geteuid()}"
        hint = f"let the node's user own it: chown it to {os.geteuid()}"
        raise refused(f"{path} belongs to {who}", hint)
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS:
        hint = f"chmod 600 {path}; if others may have read it, issue a new key"
        raise refused(f"{path} has mode {mode:o}: others can get at the private key", hint)


def _written(path: Path, content: bytes, private: bool) -> Path:
    """The content in a file beside the one that is meant; nobody else can ever read a key."""
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)
    except OSError as error:
        raise _cannot(path, "written", error) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, _PRIVATE if private else _PUBLIC)
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError as error:
        temporary.unlink()
        raise _cannot(path, "written", error) from None
    return temporary


def _settle(folder: Path) -> None:
    """Let the names in a folder outlive a crash."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot(path: Path, what: str, error: OSError) -> Exception:
    reason = error.strerror or type(error).__name__
    return refused(f"{path} cannot be {what}: {reason}", "check the path and its permissions")
