"""`herdbook check` looks at what listeners show, and at who could come in there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.cli.checks import CHECKS, Check, Finding, look_at
from service.cli.listener_checks import listeners
from service.config import load_configuration
from tests.service.identity.hosts import DAY, NOW, put, signed

BASE = {
    "HERDBOOK_NODE_RECORDS": "farm.records",
    "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
}


def found(folder: Path | None) -> Finding:
    """What is said of the listeners of a node with its files in a folder."""
    files = {}
    if folder is not None:
        names = {"CERTIFICATE": "listener.crt", "KEY": "listener.key"}
        files = {f"HERDBOOK_LISTEN_{key}": str(folder / name) for key, name in names.items()}
    [finding] = look_at(load_configuration(None, BASE | files), [Check("listeners", listeners)])
    return finding


def test_it_is_one_of_the_checks() -> None:
    """Whoever runs the command sees it."""
    assert [one.look for one in CHECKS if one.name == "listeners"] == [listeners]


def test_without_files_they_stay_here() -> None:
    """Nothing is wrong with that."""
    finding = found(None)
    assert finding.passed
    assert finding.messages == ("applications are listened for without TLS, on this machine only",)


def test_files_that_fit_are_told_with_their_hosts_and_end(tmp_path: Path) -> None:
    """What clients may call it, and until when."""
    put(tmp_path, signed("barn", "barn.example.org", "192.0.2.7"))
    finding = found(tmp_path)
    assert finding.passed
    [told] = finding.messages
    assert told.startswith("TLS for barn.example.org, 192.0.2.7, until ")
    assert f"{NOW + 90 * DAY:%Y-%m-%d}" in told


def test_what_will_be_in_the_way_is_warned_of(tmp_path: Path) -> None:
    """A certificate that is to be renewed, and one that no client believes; no failures yet."""
    put(tmp_path, signed("barn", begins=NOW - 80 * DAY, ends=NOW + 10 * DAY))
    finding = found(tmp_path)
    assert finding.passed
    _, due, nameless = finding.messages
    assert due.startswith(f"WARNING: {tmp_path}/listener.crt is to be renewed")
    assert "names no host" in nameless


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "listener.key").chmod(0o644), "has mode 644"),
        (lambda folder: (folder / "listener.key").unlink(), "cannot be read: No such file"),
        (lambda folder: (folder / "listener.crt").write_text("x"), "holds no certificate"),
    ],
    ids=["mode", "missing", "garbage"],
)
def test_what_is_wrong_with_them_is_told(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    """With the file, and nothing of the key."""
    put(tmp_path, signed("barn", "barn.example.org"))
    spoil(tmp_path)
    finding = found(tmp_path)
    assert not finding.passed
    told = "\n".join(finding.messages)
    assert said in told
    assert str(tmp_path) in told
    assert "BEGIN" not in told
