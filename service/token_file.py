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
from collections.abc import Callable, Iterator
from pathlib import Path

from service.access.tokens import Book
from service.access.written import TokensRefused, read_book, written_book

LARGEST = 2**20
"""Bytes: a thousand tokens with several ranges each."""

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

    Several at once take turns. Raises TokensRefused, and what `change` raises; then all stays.
    """
    with _turn(path):
        _replace(path, written_book(change(read_tokens(path))))


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
        hint = f"look whether you know all of `herdbook token list`, then chmod 600 {path}"
        raise TokensRefused(f"{path} has mode {mode:o}: others could let themselves in", hint)


@contextlib.contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Nobody else changes a file in this folder meanwhile."""
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _cannot(path, "written", error) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        # Lets the name outlive a crash.
        os.fsync(handle)
    finally:
        os.close(handle)


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
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _cannot(path, "written", error) from None


def _same_rights(path: Path, handle: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        former = path.stat()
        if (former.st_uid, former.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(handle, former.st_uid, former.st_gid)
        os.fchmod(handle, stat.S_IMODE(former.st_mode))


def _cannot(path: Path, what: str, error: OSError) -> TokensRefused:
    reason = error.strerror or type(error).__name__
    return TokensRefused(f"{path} cannot be {what}: {reason}", _ADVICE)
