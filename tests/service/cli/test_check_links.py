"""`herdbook check` looks at the files that links need for TLS, and shows none of the key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.cli.checks import Check, Finding, links, look_at
from service.config import load_configuration
from service.identity.authority import issue
from tests.service.identity.papers import DAY, HERD, OTHER_HERD, herd, node_files, written

NOW = datetime.now(UTC)


def found(folder: Path, name: str = "barn", **settings: str) -> Finding:
    """What is said of the links of a node whose files are in a folder."""
    files = {"certificate": "node.crt", "key": "node.key", "ca": "ca.crt"}
    environment = {
        "HERDBOOK_NODE_RECORDS": "farm.records",
        "HERDBOOK_NODE_NAME": name,
        "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
        **{f"HERDBOOK_HERD_{key.upper()}": str(folder / file) for key, file in files.items()},
        **settings,
    }
    configuration = load_configuration(None, environment)
    [finding] = look_at(configuration, [Check("links", links)])
    return finding


def test_files_that_fit_are_told_with_their_end(tmp_path: Path) -> None:
    """Who the node is, and of which herd."""
    node_files(tmp_path / "barn", herd(NOW), "barn", NOW)
    finding = found(tmp_path / "barn")
    until = f"{NOW + 365 * DAY:%Y-%m-%d}"
    [told] = finding.messages
    assert (finding.passed, until in told) == (True, True)
    assert told.startswith(f"TLS as node barn of herd {HERD}")
    assert "WARNING" not in told


def test_a_certificate_that_is_to_be_renewed_is_warned_of(tmp_path: Path) -> None:
    """It is no failure yet."""
    authority = herd(NOW - 500 * DAY)
    node_files(tmp_path / "barn", authority, "barn", NOW - 300 * DAY)
    finding = found(tmp_path / "barn")
    assert finding.passed
    assert f"WARNING: {tmp_path}/barn/node.crt is to be renewed" in finding.messages[0]
    assert "`herdbook herd ca renew`" in finding.messages[0]


def _of_another_herd(folder: Path) -> None:
    other = herd(NOW, OTHER_HERD)
    made = written(folder / "other", issue(other, "barn", NOW), other)
    (folder / "ca.crt").write_bytes(made.ca.read_bytes())


def _another_key(folder: Path) -> None:
    made = node_files(folder / "other", herd(NOW), "barn", NOW)
    (folder / "node.key").write_bytes(made.key.read_bytes())


def _a_link(folder: Path) -> None:
    (folder / "node.key").rename(folder / "elsewhere.key")
    (folder / "node.key").symlink_to(folder / "elsewhere.key")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "node.key").chmod(0o640), "has mode 640"),
        (lambda folder: (folder / "node.key").chmod(0o604), "has mode 604"),
        (_a_link, "is a symbolic link"),
        (lambda folder: (folder / "node.crt").unlink(), "cannot be read: No such file"),
        (lambda folder: (folder / "ca.crt").write_text("x"), "holds no certificate"),
        (_of_another_herd, "of another herd"),
        (_another_key, "is not the key of"),
    ],
    ids=["group", "world", "link", "missing", "garbage", "herd", "key"],
)
def test_what_is_wrong_with_them_is_told(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    """With the file, and what to do."""
    node_files(tmp_path / "barn", herd(NOW), "barn", NOW)
    spoil(tmp_path / "barn")
    finding = found(tmp_path / "barn")
    assert not finding.passed
    told = "\n".join(finding.messages)
    assert said in told
    assert str(tmp_path / "barn") in told
    assert "BEGIN" not in told


def test_all_of_it_is_told_at_once(tmp_path: Path) -> None:
    """Another name, expired, and a key that others can read: three lines."""
    node_files(tmp_path / "barn", herd(NOW - 500 * DAY), "barn", NOW - 400 * DAY)
    (tmp_path / "barn" / "node.key").chmod(0o644)
    told = found(tmp_path / "barn").messages
    assert [part in line for part, line in zip(("has mode", "expired"), told, strict=True)] == [
        True,
        True,
    ]
    (tmp_path / "barn" / "node.key").chmod(0o600)
    node_files(tmp_path / "shed", herd(NOW), "shed", NOW)
    [told_of_shed] = found(tmp_path / "shed").messages
    assert "is that of node shed, and this is barn" in told_of_shed


def test_a_herd_without_tls_is_told_as_such() -> None:
    """It stays on this machine; a node without siblings has nothing to say."""
    environment = {
        "HERDBOOK_NODE_RECORDS": "farm.records",
        "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
    }
    alone = load_configuration(None, environment)
    linked = load_configuration(None, environment | {"HERDBOOK_HERD_LISTEN": "unix:/run/h.sock"})
    checks = [Check("links", links)]
    assert [look_at(one, checks)[0].messages for one in (alone, linked)] == [
        ("none",),
        ("siblings are linked without TLS, on this machine only",),
    ]
