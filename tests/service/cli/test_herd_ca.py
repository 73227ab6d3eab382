"""`herdbook herd ca`: an authority and the certificates of nodes, as files."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.cli import herd_ca
from service.identity.credentials import Paths, load_credentials
from tests.service.cli.conftest import Ran
from tests.service.identity.papers import DAY

Herdbook = Callable[..., Ran]


@pytest.fixture
def authority(herdbook: Herdbook, tmp_path: Path) -> Path:
    """The folder of an authority."""
    assert herdbook("herd", "ca", "init", "authority").code == 0
    return tmp_path / "authority"


def mode_of(path: Path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_issued_is_what_a_node_can_use(herdbook: Herdbook, authority: Path) -> None:
    """Three files; keys are for their owner alone, and no key is ever printed."""
    ran = herdbook("herd", "ca", "issue", "barn", "--ca", str(authority), "--json")
    document = ran.document()
    paths = Paths(*(Path(document[name]) for name in ("certificate", "key", "ca")))
    assert paths.certificate.parent == authority / "nodes" / "barn"
    found = load_credentials(paths, "barn", datetime.now(UTC))
    assert found.card.fingerprint == document["fingerprint"]
    assert (document["kind"], document["name"], document["state"]) == ("node", "barn", "valid")
    for path in (paths.key, authority / "ca.key"):
        assert mode_of(path) == 0o600
        secret = path.read_text().splitlines()[1]
        assert secret not in ran.out + ran.err
    assert mode_of(authority) == 0o700


def test_nothing_is_overwritten(herdbook: Herdbook, authority: Path) -> None:
    """An authority is not made twice in a place, nor a node's files; what was there stays."""
    before = (authority / "ca.key").read_bytes()
    ran = herdbook("herd", "ca", "init", "authority")
    assert ran.code == 1
    assert "there already" in ran.err
    assert (authority / "ca.key").read_bytes() == before
    assert herdbook("herd", "ca", "issue", "barn", "--ca", "authority").code == 0
    key = (authority / "nodes" / "barn" / "node.key").read_bytes()
    (authority / "nodes" / "barn" / "node.crt").unlink()
    ran = herdbook("herd", "ca", "issue", "barn", "--ca", "authority")
    assert ran.code == 1
    assert "herd ca renew" in ran.err
    assert (authority / "nodes" / "barn" / "node.key").read_bytes() == key
    assert not (authority / "nodes" / "barn" / "node.crt").exists()


def test_a_certificate_is_renewed_in_its_place(
    herdbook: Herdbook, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the same key. `show` says before that it is due, and ends with 3 then."""
    herdbook("herd", "ca", "issue", "barn", "--ca", "authority", "--out", "barn")
    paths = Paths(*(Path("barn") / name for name in ("node.crt", "node.key", "ca.crt")))
    later = datetime.now(UTC) + 300 * DAY
    monkeypatch.setattr(herd_ca, "_now", lambda: later)
    ran = herdbook("herd", "ca", "show", "barn/node.crt")
    assert ran.code == 3
    assert "valid, to be renewed" in ran.out
    assert herdbook("herd", "ca", "renew", "barn/node.crt", "--ca", "authority").code == 0
    ran = herdbook("herd", "ca", "show", "barn/node.crt", "--json")
    assert ran.code == 0
    [told] = ran.document()["certificates"]
    assert told["ends_at"][:10] == f"{later + 365 * DAY:%Y-%m-%d}"
    assert load_credentials(paths, "barn", later).card.fingerprint == told["fingerprint"]


def test_an_authoritys_folder_shows_whom_it_has_issued_for(
    herdbook: Herdbook, authority: Path
) -> None:
    """The authority first, then the nodes by name."""
    for node in ("shed", "barn"):
        herdbook("herd", "ca", "issue", node, "--ca", "authority")
    found: list[dict[str, Any]] = herdbook("herd", "ca", "show", "authority", "--json").document()[
        "certificates"
    ]
    assert [(one["kind"], one["name"]) for one in found] == [
        ("authority", None),
        ("node", "barn"),
        ("node", "shed"),
    ]
    assert len({one["herd"] for one in found}) == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "ca.key").chmod(0o640), "has mode 640"),
        (lambda folder: (folder / "ca.key").chmod(0o644), "make another with `herdbook herd ca"),
        (lambda folder: (folder / "ca.key").unlink(), "cannot be read: No such file"),
        (lambda folder: (folder / "ca.crt").write_text("x"), "holds no certificate"),
        (lambda folder: (folder / "ca.key").write_text("x"), "holds no private key"),
        (lambda folder: (folder / "ca.crt").chmod(0o664), "ca.crt has mode 664"),
        (lambda folder: (folder / "ca.crt").chmod(0o646), "ca.crt has mode 646"),
    ],
    ids=["mode", "hint", "missing", "certificate", "key", "group", "others"],
)
def test_an_authority_that_is_not_in_order_issues_nothing(
    herdbook: Herdbook, authority: Path, spoil: Callable[[Path], object], said: str
) -> None:
    """With what is wrong and what to do, and no traceback."""
    spoil(authority)
    ran = herdbook("herd", "ca", "issue", "barn", "--ca", "authority")
    assert ran.code == 1
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert not (authority / "nodes").exists()


def test_a_key_of_another_authority_is_refused(herdbook: Herdbook, authority: Path) -> None:
    """Half of one backup and half of another."""
    herdbook("herd", "ca", "init", "other")
    (authority / "ca.key").write_bytes((authority.parent / "other" / "ca.key").read_bytes())
    ran = herdbook("herd", "ca", "issue", "barn", "--ca", "authority")
    assert (ran.code, "is not the key of" in ran.err) == (1, True)


def test_a_node_does_not_vouch_for_others(herdbook: Herdbook, authority: Path) -> None:
    """Its certificate and key under the names of an authority's are none, and nothing is made."""
    herdbook("herd", "ca", "issue", "barn", "--ca", "authority", "--out", "barn")
    folder = authority.parent / "barn"
    (folder / "node.crt").replace(folder / "ca.crt")
    (folder / "node.key").replace(folder / "ca.key")
    ran = herdbook("herd", "ca", "issue", "shed", "--ca", "barn")
    assert ran.code == 1
    assert "barn/ca.crt: it is that of node barn, not of a herd's authority" in ran.err
    assert not (folder / "nodes").exists()


def test_what_cannot_be_renewed_is_named(herdbook: Herdbook, authority: Path) -> None:
    """The file, and what is wrong with it; it stays as it is."""
    before = (authority / "ca.crt").read_bytes()
    ran = herdbook("herd", "ca", "renew", "authority/ca.crt", "--ca", "authority")
    assert ran.code == 1
    assert "authority/ca.crt: it is that of a herd's authority, not of a node" in ran.err
    assert (authority / "ca.crt").read_bytes() == before


def test_an_expired_authority_says_what_to_do(
    herdbook: Herdbook, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renewing would not help."""
    monkeypatch.setattr(herd_ca, "_now", lambda: datetime.now(UTC) + 3_700 * DAY)
    ran = herdbook("herd", "ca", "issue", "barn", "--ca", "authority")
    assert ran.code == 1
    assert "authority/ca.crt: it has expired" in ran.err
    assert "herd ca init" in ran.err


def test_a_nodes_own_folder_shows_its_certificate_too(herdbook: Herdbook, authority: Path) -> None:
    """Not only the copy of the authority's."""
    herdbook("herd", "ca", "issue", "barn", "--ca", "authority", "--out", "barn")
    found = herdbook("herd", "ca", "show", "barn", "--json").document()["certificates"]
    assert [one["name"] for one in found] == [None, "barn"]


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o1777])
def test_a_folder_that_others_can_write_in_gets_no_key(
    herdbook: Herdbook, authority: Path, mode: int
) -> None:
    """Who can write there can exchange what is in it."""
    loose = authority.parent / "loose"
    loose.mkdir()
    loose.chmod(mode)
    for words in (["init", "loose"], ["issue", "barn", "--ca", "authority", "--out", "loose"]):
        ran = herdbook("herd", "ca", *words)
        assert ran.code == 1
        assert f"loose has mode {mode:o}: others can write there" in ran.err
    assert list(loose.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["init", "a" * 300],
        ["issue", "barn", "--ca", "authority", "--out", "a" * 300],
        ["issue", "barn", "--ca", "a" * 300],
        ["renew", "a" * 300, "--ca", "authority"],
        ["show", "a" * 300],
        ["init", "authority/ca.crt/below"],
    ],
)
def test_a_path_that_leads_nowhere_is_told(
    herdbook: Herdbook, authority: Path, words: list[str]
) -> None:
    """What, where and what to do, in place of something unexpected."""
    ran = herdbook("herd", "ca", *words, "--json")
    error = ran.error()
    assert ran.code == 1
    assert error["code"] == "identity.identity_refused"
    assert "cannot be" in error["message"]
    assert "check the path" in error["hint"]
