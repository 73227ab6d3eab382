"""Files of keys: written whole, for their owner alone; read only where nobody else could."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from service.identity.authority import issue, new_key
from service.identity.certificates import certificate_pem, key_pem
from service.identity.credentials import load_credentials
from service.identity.errors import IdentityRefused
from service.identity.files import (
    LARGEST,
    NewFile,
    is_folder,
    is_there,
    make_folder,
    read_private,
    read_public,
    read_trusted,
    replace,
    write_new,
)
from tests.service.identity.papers import DAY, NOW, OTHER_HERD, herd, node_files, written


def names_in(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_a_file_is_written_whole_with_its_mode(tmp_path: Path, private: bool, mode: int) -> None:
    """Whatever the umask is; nothing else is left beside it."""
    former = os.umask(0)
    try:
        write_new(NewFile(tmp_path / "a", b"content", private=private))
    finally:
        os.umask(former)
    assert (tmp_path / "a").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
    assert names_in(tmp_path) == ["a"]


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    """Neither a file nor a link, wherever that leads."""
    (tmp_path / "there").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("there", "link"):
        with pytest.raises(IdentityRefused, match="is there already"):
            write_new(NewFile(tmp_path / name, b"yours", private=True))
    assert (tmp_path / "there").read_bytes() == b"mine"
    assert names_in(tmp_path) == ["link", "there"]


def test_a_certificate_takes_the_place_of_another(tmp_path: Path) -> None:
    """At once: whoever has the former open goes on reading that."""
    (tmp_path / "a").write_bytes(b"former")
    with (tmp_path / "a").open("rb") as reader:
        replace(tmp_path / "a", b"latter")
        assert reader.read() == b"former"
    assert (tmp_path / "a").read_bytes() == b"latter"
    assert names_in(tmp_path) == ["a"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o677])
def test_a_key_that_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    """For reading or for writing, the group or all; it says what to do, and nothing of the key."""
    (tmp_path / "key").write_bytes(b"secret")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(IdentityRefused, match=f"has mode {mode:o}") as caught:
        read_private(tmp_path / "key")
    assert caught.value.hint.startswith(f"chmod 600 {tmp_path}/key")
    assert "secret" not in str(caught.value)


def test_a_key_behind_a_link_is_refused(tmp_path: Path) -> None:
    """Though the file it leads to is as it should be."""
    write_new(NewFile(tmp_path / "key", b"secret", private=True))
    (tmp_path / "link").symlink_to(tmp_path / "key")
    with pytest.raises(IdentityRefused, match="is a symbolic link"):
        read_private(tmp_path / "link")
    assert read_private(tmp_path / "key") == b"secret"


def test_a_key_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns it can read and exchange it."""
    write_new(NewFile(tmp_path / "key", b"secret", private=True))
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(IdentityRefused, match=f"belongs to user {owner}, and this process runs"):
        read_private(tmp_path / "key")


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o620, 0o602])
def test_a_certificate_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever writes it chooses whom the node believes; to read it hurts nobody."""
    (tmp_path / "ca").write_bytes(b"content")
    (tmp_path / "ca").chmod(mode)
    with pytest.raises(IdentityRefused, match=f"has mode {mode:o}: others can write") as caught:
        read_trusted(tmp_path / "ca")
    assert caught.value.hint.startswith(f"chmod go-w {tmp_path}/ca")
    assert read_public(tmp_path / "ca") == b"content"
    (tmp_path / "ca").chmod(0o644)
    assert read_trusted(tmp_path / "ca") == b"content"


@pytest.mark.parametrize(
    ("owner", "process", "is_refused"), [(0, 7, False), (7, 7, False), (8, 7, True), (8, 0, True)]
)
def test_a_certificate_is_the_nodes_or_roots(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: int,
    process: int,
    is_refused: bool,
) -> None:
    """Whoever owns a file can write it, whatever its mode; the same goes for folders."""
    path, found = tmp_path / "ca", os.stat_result((0o100644, 1, 1, 1, owner, 1, 1, 1, 1, 1))
    path.write_bytes(b"content")
    monkeypatch.setattr(os, "geteuid", lambda: process)
    monkeypatch.setattr(os, "fstat", lambda handle: found)
    if is_refused:
        with pytest.raises(IdentityRefused, match=f"belongs to user {owner}, and this process"):
            read_trusted(path)
    else:
        assert read_trusted(path) == b"content"


@pytest.mark.parametrize("name", ["certificate", "ca"])
def test_loose_certificates_are_no_credentials(tmp_path: Path, name: str) -> None:
    """A node goes by both."""
    paths = node_files(tmp_path / "barn", herd(), "barn")
    path = getattr(paths, name)
    path.chmod(0o664)
    with pytest.raises(IdentityRefused, match=f"{path} has mode 664"):
        load_credentials(paths, "barn", NOW)


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """With all that are made above it; one that is there stays, if nobody else can write in it."""
    former = os.umask(0)
    try:
        make_folder(tmp_path / "above" / "new")
    finally:
        os.umask(former)
    for made in (tmp_path / "above", tmp_path / "above" / "new"):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    (tmp_path / "open").mkdir(mode=0o755)
    make_folder(tmp_path / "open")
    (tmp_path / "open").chmod(0o775)
    with pytest.raises(IdentityRefused, match="open has mode 775: others can write there"):
        make_folder(tmp_path / "open")


def test_of_several_files_all_are_made_or_none(tmp_path: Path) -> None:
    """One is there already: those before it are taken back, and it stays."""
    (tmp_path / "there").write_bytes(b"mine")
    files = [NewFile(tmp_path / name, b"yours", private=True) for name in ("a", "there", "z")]
    with pytest.raises(IdentityRefused, match="there is there already"):
        write_new(*files)
    assert names_in(tmp_path) == ["there"]
    assert (tmp_path / "there").read_bytes() == b"mine"


def _refusing(*_arguments: object, **_named: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("call", ["fsync", "link", "fchmod"])
def test_a_disk_that_fails_leaves_nothing_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Neither half a file nor a temporary one with a key in it."""
    monkeypatch.setattr(os, call, _refusing)
    with pytest.raises(IdentityRefused, match=r"cannot be .*: Input/output error"):
        write_new(NewFile(tmp_path / "key", b"secret", private=True))
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("call", ["open", "fdopen"])
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Wherever it fails: what, where and why."""
    write_new(NewFile(tmp_path / "key", b"secret", private=True))
    monkeypatch.setattr(os, call, _refusing)
    for read in (read_private, read_trusted, read_public):
        with pytest.raises(IdentityRefused, match="key cannot be read: Input/output error"):
            read(tmp_path / "key")


@pytest.mark.parametrize("look", [is_there, is_folder, make_folder, read_public, read_private])
def test_a_path_that_is_none_is_told(tmp_path: Path, look: Callable[[Path], object]) -> None:
    """The system refuses to look at it."""
    with pytest.raises(IdentityRefused, match=r"cannot be .*: File name too long"):
        look(tmp_path / ("a" * 300))


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.mkdir(), "is no file"),
        (_pipe, "is no file"),
        (lambda path: None, "cannot be read: No such file"),
        (
            lambda path: write_new(NewFile(path, b"a" * (LARGEST + 1), private=True)),
            "is larger than",
        ),
    ],
    ids=["folder", "pipe", "nothing", "large"],
)
def test_what_is_no_file_of_a_key_is_refused(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    """Without waiting for anybody to write into a pipe."""
    make(tmp_path / "key")
    for read in (read_private, read_public):
        with pytest.raises(IdentityRefused, match=said):
            read(tmp_path / "key")


def test_three_files_that_fit_are_a_nodes_credentials(tmp_path: Path) -> None:
    """And they can be shown without the key."""
    paths = node_files(tmp_path / "barn", herd(), "barn")
    found = load_credentials(paths, "barn", NOW)
    assert found.card.subject.node == "barn"
    assert "key" not in repr(found).lower()
    assert "PRIVATE" not in repr(found)


def test_everything_that_is_wrong_with_the_files_is_told_at_once(tmp_path: Path) -> None:
    """Another's name, another's key, another herd, and expired."""
    paths = node_files(tmp_path / "barn", herd(), "barn")
    other = herd(name=OTHER_HERD)
    strange = written(tmp_path / "other", issue(other, "shed", NOW), other)
    mixed = paths._replace(key=strange.key, ca=strange.ca)
    with pytest.raises(IdentityRefused) as caught:
        load_credentials(mixed, "stable", NOW + 400 * DAY)
    told = "\n".join(one.message for one in caught.value.troubles)
    for said in ("of another herd", "has not signed it", "has expired", "is not the key of"):
        assert said in told
    paths.key.chmod(0o644)
    with pytest.raises(IdentityRefused) as caught:
        load_credentials(paths, "stable", NOW)
    told = "\n".join(one.message for one in caught.value.troubles)
    assert f"{paths.key} has mode 644" in told
    assert f"{paths.certificate} is that of node barn, and this is stable" in told


def test_an_expired_authority_is_told(tmp_path: Path) -> None:
    """Nobody whom it vouched for is believed any more."""
    paths = node_files(tmp_path / "barn", herd(), "barn")
    with pytest.raises(IdentityRefused, match=r"ca\.crt: it has expired"):
        load_credentials(paths, "barn", NOW + 3_700 * DAY)


def _passphrase() -> bytes:
    return new_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"sesame"),
    )


def _another_kind() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"nonsense", "holds no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
        (_passphrase(), "a key with a passphrase"),
        (_another_kind(), "another kind than P-256"),
        (certificate_pem(herd().certificate), "holds no private key"),
    ],
    ids=["nonsense", "broken", "passphrase", "kind", "certificate"],
)
def test_a_file_without_a_key_of_ours_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """It says which file, and never what it holds."""
    paths = node_files(tmp_path / "barn", herd(), "barn")
    paths.key.write_bytes(content)
    with pytest.raises(IdentityRefused, match=said) as caught:
        load_credentials(paths, "barn", NOW)
    assert "BEGIN" not in str(caught.value)
    assert str(paths.key) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"nonsense", "holds no certificate"),
        (key_pem(new_key()), "holds no certificate"),
        (certificate_pem(herd().certificate) * 2, "holds 2 certificates"),
    ],
    ids=["nonsense", "key", "two"],
)
def test_a_file_without_one_certificate_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    """A key in the wrong place is not shown either."""
    paths = node_files(tmp_path / "barn", herd(), "barn")
    for path in (paths.certificate, paths.ca):
        former = path.read_bytes()
        path.write_bytes(content)
        with pytest.raises(IdentityRefused, match=f"{path} {said}") as caught:
            load_credentials(paths, "barn", NOW)
        path.write_bytes(former)
        assert "BEGIN" not in str(caught.value)
