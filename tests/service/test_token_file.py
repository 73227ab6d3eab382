"""The file of tokens: whole at every moment, and read only where nobody else could write it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.access.tokens import Book
from service.access.written import TokensRefused, written_book
from service.token_file import LARGEST, change_tokens, read_tokens
from tests.service.access.tokens import token


def add(path: Path, number: int) -> None:
    """Put in the token of a number."""
    change_tokens(path, lambda book: book.with_token(token(number)))


def names(path: Path) -> list[str]:
    """Which tokens a file holds."""
    return [each.name for each in read_tokens(path)]


def test_where_there_is_no_file_there_are_no_tokens(tmp_path: Path) -> None:
    """A node that needs none has none."""
    assert names(tmp_path / "barn.tokens") == []


def test_a_file_is_made_for_its_owner_and_keeps_the_mode_it_is_given(tmp_path: Path) -> None:
    """Nothing else stays in the folder."""
    path = tmp_path / "barn.tokens"
    add(path, 1)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    add(path, 2)
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(path) == ["app-1", "app-2"]
    assert list(tmp_path.iterdir()) == [path]


def test_changes_at_one_time_take_turns(tmp_path: Path) -> None:
    """None is lost."""
    path = tmp_path / "barn.tokens"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: add(path, number), range(40)))
    assert len(names(path)) == 40


def test_who_may_only_read_the_folder_holds_nobody_up(tmp_path: Path) -> None:
    """Any user of the machine can lock what he can open."""
    path = tmp_path / "barn.tokens"
    add(path, 1)
    path.chmod(0o644)
    with locked(tmp_path), locked(path):
        change_tokens(path, lambda book: book.without("app-1"))
    assert names(path) == []


def test_who_waits_for_long_is_told_for_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but the owner can open it; where its holder died it is in nobody's way."""
    path, lock = tmp_path / "barn.tokens", tmp_path / ".barn.tokens.lock"
    lock.touch()
    add(path, 1)
    monkeypatch.setattr("service.token_file.WAIT_SECONDS", 0.05)
    modes = []

    def meanwhile(book: Book) -> Book:
        modes.append(lock.stat().st_mode & 0o777)
        with pytest.raises(
            TokensRefused, match=r"waited 0\.05 seconds for another process"
        ) as told:
            add(path, 2)
        assert str(lock) in str(told.value)
        return book.with_token(token(3))

    change_tokens(path, meanwhile)
    assert modes == [0o600]
    assert names(path) == ["app-1", "app-3"]
    assert list(tmp_path.iterdir()) == [path]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody locks what he has opened to read."""
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def test_a_file_behind_a_link_is_changed_where_it_lies(tmp_path: Path) -> None:
    """And the link stays; one that leads to itself is told."""
    path, link = tmp_path / "shared" / "barn.tokens", tmp_path / "barn.tokens"
    path.parent.mkdir()
    link.symlink_to(path)
    add(link, 1)
    add(link, 2)
    assert link.is_symlink()
    assert names(path) == ["app-1", "app-2"]
    around = tmp_path / "around"
    around.symlink_to(around)
    with pytest.raises(TokensRefused, match=r"is a link that leads to no file|cannot be read"):
        add(around, 1)


def test_no_file_is_written_that_could_not_be_read(tmp_path: Path) -> None:
    """It stays as it was."""
    path = tmp_path / "barn.tokens"
    add(path, 1)
    ranges = [f"10.{high}.{low}.0/24" for high in range(256) for low in range(256)]
    with pytest.raises(TokensRefused, match="would be larger than"):
        change_tokens(path, lambda book: book.with_token(token(2, "read", *ranges)))
    assert names(path) == ["app-1"]


def test_a_change_that_is_refused_leaves_all_as_it_was(tmp_path: Path) -> None:
    """Also where it is the file that is no good."""
    path = tmp_path / "barn.tokens"
    add(path, 1)

    def refuse(_book: Book) -> Book:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        change_tokens(path, refuse)
    assert names(path) == ["app-1"]
    path.write_text("{}")
    with pytest.raises(TokensRefused):
        add(path, 2)
    assert path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [path]


def _too_large(path: Path) -> None:
    path.write_bytes(written_book(Book()) + b" " * LARGEST)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.chmod(0o620), "has mode 620: others could let themselves in"),
        (lambda path: path.chmod(0o602), "has mode 602: others could let themselves in"),
        (_too_large, "is larger than"),
        (_a_folder, "is no file"),
        (lambda path: path.write_bytes(b"\xff"), "is no file of tokens"),
    ],
    ids=["group", "world", "large", "folder", "garbage"],
)
def test_a_file_that_is_not_to_be_trusted_is_refused(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    """With its path, and what to do."""
    path = tmp_path / "barn.tokens"
    add(path, 1)
    spoil(path)
    with pytest.raises(TokensRefused) as caught:
        read_tokens(path)
    assert str(caught.value).startswith(f"{path} {said}")
    assert caught.value.hint


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Nothing is made on the way."""
    with pytest.raises(TokensRefused, match=r"cannot be written, as .* locked: No such file"):
        add(tmp_path / "no" / "barn.tokens", 1)
    assert list(tmp_path.iterdir()) == []
