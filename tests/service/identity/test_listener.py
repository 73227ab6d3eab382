"""The files of a TLS listener: what is taken, and what is wrong with those that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from service.identity.errors import IdentityRefused
from service.identity.listener import ListenerPaths, load_listener
from tests.service.identity.hosts import DAY, NOW, Signed, pem, put, signed


def troubles(paths: ListenerPaths) -> list[str]:
    """What is wrong with files."""
    with pytest.raises(IdentityRefused) as caught:
        load_listener(paths, NOW)
    return [str(one) for one in caught.value.troubles]


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65_537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["P-256", "P-384", "RSA", "Ed25519"],
)
def test_what_authorities_of_hosts_make_is_taken(tmp_path: Path, key: Any) -> None:
    """With the names that it is for, its end, and all that leads up to the authority."""
    root = signed("root")
    above = signed("above", by=root)
    mine = signed("barn", "barn.example.org", "127.0.0.1", "::1", by=above, key=key)
    found = load_listener(put(tmp_path, mine, above), NOW)
    assert found.hosts == ("barn.example.org", "127.0.0.1", "::1")
    assert found.life.ends == NOW + 90 * DAY
    assert found.chain == (mine.certificate, above.certificate)
    assert "PRIVATE" not in repr(found)


def _rewritten(content: bytes) -> Callable[[ListenerPaths], object]:
    def rewrite(paths: ListenerPaths) -> None:
        paths.key.write_bytes(content)

    return rewrite


def _locked(paths: ListenerPaths) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.BestAvailableEncryption(b"hush")
    pkcs8 = serialization.PrivateFormat.PKCS8
    paths.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, form))


def _of_another_kind(paths: ListenerPaths) -> None:
    _write(paths, dsa.generate_private_key(2048))


def _other_curve(paths: ListenerPaths) -> None:
    _write(paths, ec.generate_private_key(ec.SECP256K1()))


def _short(paths: ListenerPaths) -> None:
    _write(paths, rsa.generate_private_key(65_537, 1024))


def _write(paths: ListenerPaths, key: Any) -> None:
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))


def _a_link(paths: ListenerPaths) -> None:
    paths.key.rename(paths.key.with_name("elsewhere"))
    paths.key.symlink_to(paths.key.with_name("elsewhere"))


def _another(paths: ListenerPaths) -> None:
    _write(paths, ec.generate_private_key(ec.SECP256R1()))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda paths: paths.key.chmod(0o640), "has mode 640"),
        (lambda paths: paths.key.chmod(0o604), "has mode 604"),
        (_a_link, "is a symbolic link"),
        (lambda paths: paths.key.unlink(), "cannot be read: No such file"),
        (_rewritten(b"x"), "holds no private key"),
        (_locked, "a key with a passphrase"),
        (_of_another_kind, "a key that TLS has no use for"),
        (_short, "a key of 1024 bits"),
        (_other_curve, "a key of the curve secp256k1"),
        (_another, "is not the key of"),
        (lambda paths: paths.certificate.write_text("x"), "holds no certificate"),
        (lambda paths: paths.certificate.chmod(0o666), "has mode 666"),
        (lambda paths: paths.certificate.unlink(), "cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(
    tmp_path: Path, spoil: Callable[[ListenerPaths], object], said: str
) -> None:
    """One line, with what to do; nothing of what a key holds."""
    paths = put(tmp_path, signed("barn", "barn.example.org"))
    spoil(paths)
    [told, *_] = troubles(paths)
    assert said in told
    assert str(tmp_path) in told
    assert "; " in told
    assert "BEGIN" not in told


def test_a_key_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns the file can exchange it."""
    paths = put(tmp_path, signed("barn", "barn.example.org"))
    monkeypatch.setattr("os.geteuid", lambda: paths.key.stat().st_uid + 1)
    assert "belongs to user" in "\n".join(troubles(paths))


def test_a_certificate_counts_within_its_life_only(tmp_path: Path) -> None:
    """Neither before nor after."""
    early = put(tmp_path / "a", signed("barn", "barn", begins=NOW + DAY))
    over = put(tmp_path / "b", signed("barn", "barn", begins=NOW - 9 * DAY, ends=NOW - DAY))
    assert "is not valid before" in troubles(early)[0]
    assert "has expired at" in troubles(over)[0]


def test_a_chain_that_does_not_lead_up_is_refused(tmp_path: Path) -> None:
    """In the wrong order no client believes it; which two do not fit is told."""
    root = signed("root")
    above = signed("above", by=root)
    mine = signed("barn", "barn.example.org", by=above)
    first, second = troubles(put(tmp_path, mine, root, above))
    assert "certificate 2 has not issued certificate 1" in first
    assert "certificate 3 has not issued certificate 2" in second


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    """Expired, and a key that others can read."""
    paths = put(tmp_path, signed("barn", "b", begins=NOW - 9 * DAY, ends=NOW - DAY))
    paths.key.chmod(0o644)
    assert [part in line for part, line in zip(("mode", "expired"), troubles(paths), strict=True)]


def test_a_certificate_without_names_has_none(tmp_path: Path) -> None:
    """Then `herdbook check` warns."""
    assert load_listener(put(tmp_path, signed("barn")), NOW).hosts == ()


def test_both_in_one_file_are_found(tmp_path: Path) -> None:
    """Some keep certificate and key together; then that file is the key's and as secret."""
    mine: Signed = signed("barn", "barn.example.org")
    paths = put(tmp_path, mine)
    paths.key.write_bytes(paths.key.read_bytes() + pem(mine))
    found = load_listener(ListenerPaths(paths.key, paths.key), NOW)
    assert found.chain == (mine.certificate,)
