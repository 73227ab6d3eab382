"""What was changed in the file of tokens counts within a second, without a restart."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from service.access.door import Door
from service.access.written import TokensRefused
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
