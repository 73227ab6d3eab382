"""The file of a node's tokens: read where it is safe, changed by one at a time and as a whole.

It lies beside the configuration and not in the database: whoever may write there could let himself
in, a backup that is put back would let in whom one has shut out, and a node has to know who may
ask also while its database is away.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from service.access.tokens import Book
from service.access.written import TokensRefused, read_book, written_book

LARGEST = 2**20
"""Bytes: a thousand tokens with several ranges each."""

WAIT_SECONDS = 10.0
"""For those who change the file before us; each takes a few writes to the disk."""

_TRY_SECONDS = 0.01
_OTHERS_WRITE = 0o022
_ADVICE = "check the path in [access] tokens and its permissions"


def read_tokens(path: Path) -> Book:
    """The tokens in a file, none where it is not there.

    Raises TokensRefused where it cannot be read, is none, or where others could have written it.
    """
    try:
        content = _content(path)
    except FileNotFoundError:
        return Book()
    except OSError as error:
        raise _cannot(path, "read", error) from None
    if len(content) > LARGEST:
        raise TokensRefused(f"{path} is larger than {LARGEST} bytes", _ADVICE)
    return read_book(content, str(path))


def change_tokens(path: Path, change: Callable[[Book], Book]) -> None:
    """Put other tokens in the place of those in a file, which is made where it is not there.

    Where the path is a link, the file that it names is changed. Several at once take turns. Raises
    TokensRefused, also after WAIT_SECONDS without a turn, and what `change` raises; then all stays.
    """
    path = _file_behind(path)
    with _turn(path):
        content = written_book(change(read_tokens(path)))
        if len(content) > LARGEST:
            hint = "revoke tokens that are not used, or give them fewer ranges"
            raise TokensRefused(f"{path} would be larger than {LARGEST} bytes", hint)
        _replace(path, content)


def _file_behind(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        # Which of the two a link to itself is depends on Python's version.
        raise TokensRefused(f"{path} is a link that leads to no file", _ADVICE) from None


def _content(path: Path) -> bytes:
    """What a file holds, a little more than LARGEST at most; raises OSError and TokensRefused."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _require_own(path, os.fstat(handle))
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(LARGEST + 1)
    finally:
        os.close(handle)


def _require_own(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise TokensRefused(f"{path} is no file", _ADVICE)
    if found.st_uid not in (0, os.geteuid()):
        raise TokensRefused(
            f"{path} belongs to user {found.st_uid}, and this process runs as {os.geteuid()}",
            "let the node's user own it, and run `herdbook token` as that user",
        )
    if found.st_mode & _OTHERS_WRITE:
        mode = stat.S_IMODE(found.st_mode)
        hint = f"look into it whether you know all names, then chmod 600 {path}"
        raise TokensRefused(f"{path} has mode {mode:o}: others could let themselves in", hint)


@contextlib.contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Nobody else changes this file meanwhile."""
    name = path.with_name(f".{path.name}.lock")
    try:
        lock = _locked(name, time.monotonic() + WAIT_SECONDS)
    except OSError as error:
        what = f"written, as {name.name} cannot be locked"
        raise _cannot(path, what, error) from None
    try:
        yield
    finally:
        name.unlink(missing_ok=True)
        os.close(lock)


def _locked(name: Path, end: float) -> int:
    """A lock file of its own: one on what others may read is one that others may lock."""
    while time.monotonic() < end:
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if _has(handle, name):
            return handle
        os.close(handle)
        time.sleep(_TRY_SECONDS)
    raise TokensRefused(
        f"waited {WAIT_SECONDS:g} seconds for another process, which holds {name}",
        f"`fuser {name}` tells which; end it if it hangs, and try again",
    )


def _has(handle: int, name: Path) -> bool:
    """Whether the lock is ours, and still the one of this name: whoever had it took it away."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), name.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _replace(path: Path, content: bytes) -> None:
    """Whoever reads gets all of the former content or all of this; owner and mode stay."""
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)
    except OSError as error:
        raise _cannot(path, "written", error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            _same_rights(path, handle)
            os.fsync(handle)
        Path(name).replace(path)
        _keep_name(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _cannot(path, "written", error) from None


def _keep_name(path: Path) -> None:
    """Let what a folder says of a file outlive a crash."""
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _same_rights(path: Path, handle: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        former = path.stat()
        if (former.st_uid, former.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(handle, former.st_uid, former.st_gid)
        os.fchmod(handle, stat.S_IMODE(former.st_mode))


def _cannot(path: Path, what: str, error: OSError) -> TokensRefused:
    reason = error.strerror or type(error).__name__
    return TokensRefused(f"{path} cannot be {what}: {reason}", _ADVICE)
