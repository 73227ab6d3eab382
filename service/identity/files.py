"""Files of keys and certificates: written whole or not at all, and read only where they are safe.

A private key is of use to whoever can read it, so its file belongs to the node's user alone. Whom a
node believes is up to whoever can write its certificates, so nobody else may do that.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from service.identity.errors import refused

LARGEST = 65_536
"""Bytes. A certificate has about a thousand; what is larger is another file, named by mistake."""

_PRIVATE = 0o600
_PUBLIC = 0o644
_OTHERS = 0o077
_OTHERS_WRITE = 0o022
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class NewFile(NamedTuple):
    """A file that is to be made; a `private` one is for its owner alone."""

    path: Path
    content: bytes
    private: bool


def read_public(path: Path) -> bytes:
    """What a file of a certificate holds, whosever it is; IdentityRefused where it is not read."""
    return _read(path, _READ, lambda found: None)


def read_trusted(path: Path, largest: int = LARGEST) -> bytes:
    """What a file holds that a node goes by: a certificate's, or one of so many bytes at most.

    IdentityRefused where others could have put it there: where it belongs to somebody else, but for
    root, or where its mode lets others write it.
    """
    return _read(path, _READ, lambda found: _require_unwritable(path, found), largest)


def read_private(path: Path, if_seen: str = "issue a new key") -> bytes:
    """What a file of a private key holds; `if_seen` is what to do once others may have read it.

    IdentityRefused where others could read or have put it there: where it is a link, belongs to
    somebody else, or where its mode lets others in.
    """
    return _read(path, _READ | os.O_NOFOLLOW, lambda found: _require_own(path, found, if_seen))


def write_new(*files: NewFile) -> None:
    """Make files, all or none; IdentityRefused where there is one already, which stays as it is."""
    made: list[Path] = []
    try:
        for file in files:
            _write_one(file)
            made.append(file.path)
        for folder in {path.parent for path in made}:
            _settle(folder)
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.unlink()
        raise


def replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another, at once for whoever reads it."""
    with _told(path, "replaced"), _written(path, content, _PUBLIC) as temporary:
        temporary.replace(path)
    _settle(path.parent)


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Nobody else who takes a turn changes what is in a folder meanwhile; waits for it."""
    with _told(folder, "opened"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder that only this user can enter, and those above it that are missing.

    One that is there already has to be this user's or root's, and nobody else's to write in:
    whoever can may exchange what is put there.
    """
    with _told(path, "made"):
        for above in reversed(path.parents):
            if not is_there(above):
                above.mkdir(mode=0o700)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.stat()
    _require_unwritable(path, found)


def is_there(path: Path) -> bool:
    """Whether there is anything at a path, a link that leads nowhere too."""
    return _mode_of(path.lstat, path) is not None


def is_folder(path: Path) -> bool:
    """Whether there is a folder at a path."""
    mode = _mode_of(path.stat, path)
    return mode is not None and stat.S_ISDIR(mode)


def _mode_of(look: Callable[[], os.stat_result], path: Path) -> int | None:
    """What is there; None where nothing is."""
    with _told(path, "looked at"), suppress(FileNotFoundError, NotADirectoryError):
        return look().st_mode
    return None


def _read(
    path: Path, flags: int, require: Callable[[os.stat_result], None], largest: int = LARGEST
) -> bytes:
    with _told(path, "read"):
        handle = os.open(path, flags)
        try:
            # What is looked at is what is read: the open file, whatever its name leads to by then.
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise refused(f"{path} is no file", "name a file")
            require(found)
            with os.fdopen(handle, "rb", closefd=False) as file:
                content = file.read(largest + 1)
        finally:
            os.close(handle)
    if len(content) > largest:
        raise refused(f"{path} is larger than {largest} bytes", "look what has been put there")
    return content


def _require_own(path: Path, found: os.stat_result, if_seen: str) -> None:
    if found.st_uid != os.geteuid():
        raise _not_ours(path, found)
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS:
        hint = f"chmod 600 {path}; if others may have read it, {if_seen}"
        raise refused(f"{path} has mode {mode:o}: others can get at the private key", hint)


def _require_unwritable(path: Path, found: os.stat_result) -> None:
    if found.st_uid not in (os.geteuid(), 0):
        raise _not_ours(path, found)
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS_WRITE:
        hint = f"chmod go-w {path}; if others may have written there, put it in its place anew"
        raise refused(f"{path} has mode {mode:o}: others can write there", hint)


def _not_ours(path: Path, found: os.stat_result) -> Exception:
    who = f"user {found.st_uid}, and this process runs as {os.geteuid()}"
    hint = f"let the node's user own it: chown it to {os.geteuid()}"
    return refused(f"{path} belongs to {who}", hint)


def _write_one(file: NewFile) -> None:
    mode = _PRIVATE if file.private else _PUBLIC
    with _told(file.path, "made"), _written(file.path, file.content, mode) as temporary:
        # Unlike a rename, a link takes nobody's place.
        os.link(temporary, file.path)


@contextmanager
def _written(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """The content in a file beside the one that is meant; nobody else can ever read a key."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)
            file.flush()
            os.fsync(handle)
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()


def _settle(folder: Path) -> None:
    """Let the names in a folder outlive a crash."""
    with _told(folder, "kept through a crash"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Whatever the system refuses is told with its place."""
    try:
        yield
    except FileExistsError:
        hint = "nothing was overwritten; move it away, or name another place"
        raise refused(f"{path} is there already", hint) from None
    except OSError as error:
        raise _cannot(path, what, error) from None


def _cannot(path: Path, what: str, error: OSError) -> Exception:
    if error.errno == errno.ELOOP:
        hint = "name the file itself, or put it in its place"
        return refused(f"{path} is a symbolic link: whoever can turn it chooses the file", hint)
    reason = error.strerror or type(error).__name__
    return refused(f"{path} cannot be {what}: {reason}", "check the path and its permissions")
