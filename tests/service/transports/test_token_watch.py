"""What was changed in the file of tokens counts within a second, without a restart."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from service.access.door import Door
from service.access.tokens import Book
from service.access.written import TokensRefused, written_book
from service.token_file import change_tokens
from service.transports.token_watch import LOOK_SECONDS, TokenWatch
from tests.service.access.tokens import door, token


class Watched:
    """A file, the door that follows it, and how often it was looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.door: Door = door()
        self.looks = 0
        self.watch = TokenWatch(path, self.door, self.clock, self._looked)

    def _looked(self) -> None:
        self.looks += 1

    def add(self, number: int) -> None:
        """Put a token into the file, which a moment later another look finds."""
        change_tokens(self.path, lambda book: book.with_token(token(number)))

    def look(self) -> list[str]:
        """What counts after the next look."""
        self.clock.advance(LOOK_SECONDS)
        return [each.name for each in self.door.book]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """One that has begun, where there is no file yet."""
    made = Watched(tmp_path / "barn.tokens")
    made.watch.start()
    return made


def test_what_is_added_and_revoked_counts_at_the_next_look(watched: Watched) -> None:
    """Whoever is connected is looked at each time, changed or not: tokens expire."""
    assert LOOK_SECONDS < 1
    assert watched.look() == []
    watched.add(1)
    assert watched.look() == ["app-1"]
    watched.add(2)
    assert watched.look() == ["app-1", "app-2"]
    change_tokens(watched.path, lambda book: book.without("app-1"))
    assert watched.look() == ["app-2"]
    watched.path.unlink()
    assert watched.look() == []
    assert watched.looks == 5


def test_a_file_that_is_broken_locks_nobody_out_and_is_told(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, until it is mended."""
    watched.add(1)
    watched.look()
    with caplog.at_level(logging.ERROR):
        watched.path.chmod(0o666)
        assert watched.look() == ["app-1"]
        assert watched.look() == ["app-1"]
    assert len(caplog.records) == 1
    problem = watched.watch.problem()
    assert problem is not None
    assert "has mode 666" in problem
    watched.path.chmod(0o600)
    assert watched.look() == ["app-1"]
    assert watched.watch.problem() is None


def test_a_reading_that_fails_in_passing_is_tried_again(
    watched: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is as before when there are handles again, and what was revoked must not count."""
    watched.add(1)
    watched.look()
    watched.path.write_bytes(written_book(Book()))
    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr("service.token_file.os.open", _no_handle)
        assert watched.look() == ["app-1"]
        assert watched.look() == ["app-1"]
    assert len(caplog.records) == 1
    assert watched.look() == []
    assert watched.watch.problem() is None


def _no_handle(*_arguments: object) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_a_disk_that_fails_is_told_and_does_not_end_the_looking(watched: Watched) -> None:
    """Such a file opens, and no byte of it can be read."""
    watched.add(1)
    watched.look()
    watched.path.unlink()
    watched.path.symlink_to("/proc/self/mem")
    assert watched.look() == ["app-1"]
    assert "cannot be read" in str(watched.watch.problem())
    watched.path.unlink()
    assert watched.look() == []


def test_looking_goes_on_where_what_is_told_of_it_fails(tmp_path: Path) -> None:
    """One fault must not let revoked tokens count for ever."""

    def fail() -> None:
        raise RuntimeError("a fault")

    clock, followed = Clock(), door()
    watch = TokenWatch(tmp_path / "barn.tokens", followed, clock, fail)
    watch.start()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            clock.advance(LOOK_SECONDS)
    watch.stop()


def test_a_change_that_leaves_size_and_time_of_writing_is_seen(watched: Watched) -> None:
    """Tools that copy put the former time back."""
    watched.add(1)
    watched.look()
    before = watched.path.stat()
    watched.path.write_bytes(watched.path.read_bytes().replace(b"app-1", b"app-9"))
    os.utime(watched.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.look() == ["app-9"]


def test_a_node_whose_file_is_no_good_does_not_start(tmp_path: Path) -> None:
    """There are no former tokens that could count."""
    made = Watched(tmp_path / "barn.tokens")
    made.path.write_text("[]")
    with pytest.raises(TokensRefused):
        made.watch.start()
    made.watch.stop()
    assert made.clock.getDelayedCalls() == []


def test_nothing_is_looked_at_after_the_end(watched: Watched) -> None:
    """A reactor that stops finds nothing waiting."""
    watched.watch.stop()
    assert watched.clock.getDelayedCalls() == []
