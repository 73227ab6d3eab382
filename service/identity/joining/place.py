"""A newcomer's folder: what is there tells how far it has come, so it goes on after any break.

In this order, and nothing is ever overwritten: a note of the invitation, the key, the authority,
what the caller writes, and last the certificate. Where that is there, the node is in. After that
comes only a mark that the gate has noted it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography import x509

from service.identity.authority import new_key
from service.identity.certificates import PrivateKey, certificate_pem, key_pem, read_key
from service.identity.credentials import Paths
from service.identity.errors import refused
from service.identity.files import (
    NewFile,
    is_there,
    make_folder,
    read_private,
    read_trusted,
    turn,
    write_new,
)
from service.identity.joining.token import JoinToken

FOLDER = "herd"
_NOTE = "invitation"
_NOTED = "noted"


class _Note(msgspec.Struct):
    """Which invitation a folder is for; of the secret it holds the digest."""

    invitation: str
    authority: str


def paths_in(directory: Path) -> Paths:
    """The three files of a node that came in by an invitation."""
    folder = directory / FOLDER
    return Paths(folder / "node.crt", folder / "node.key", folder / "ca.crt")


def is_begun(directory: Path) -> bool:
    """Whether somebody has begun to come in here."""
    return is_there(directory / FOLDER / _NOTE)


def begin(directory: Path, token: JoinToken) -> PrivateKey:
    """The key of whoever comes in by a token, made at the first time.

    Raises IdentityRefused where the folder is not safe, is there for something else, or was begun
    with another token.
    """
    paths, note = paths_in(directory), directory / FOLDER / _NOTE
    make_folder(note.parent)
    with turn(note.parent):
        if not is_there(note):
            for path in paths:
                _require_absent(path)
        settle(note, _note_of(token))
        if not is_there(paths.key):
            _require_absent(paths.certificate)
            write_new(NewFile(paths.key, key_pem(new_key()), private=True))
        return read_key(read_private(paths.key), str(paths.key))


def is_in(directory: Path) -> bool:
    """Whether a folder that was begun has all that its node needs."""
    return is_there(paths_in(directory).certificate)


def keep_authority(directory: Path, authority: x509.Certificate) -> None:
    """Put the authority's certificate in its place; IdentityRefused where another one is there."""
    with turn(directory / FOLDER):
        settle(paths_in(directory).ca, certificate_pem(authority))


def keep_certificate(directory: Path, certificate: x509.Certificate) -> None:
    """Put the node's own certificate in its place, when all else is there."""
    with turn(directory / FOLDER):
        settle(paths_in(directory).certificate, certificate_pem(certificate))


def keep_noted(directory: Path) -> None:
    """Keep that the gate knows that the node is in."""
    with turn(directory / FOLDER):
        settle(directory / FOLDER / _NOTED, b"")


def is_noted(directory: Path) -> bool:
    """Whether the gate is known to know that the node is in."""
    return is_there(directory / FOLDER / _NOTED)


def settle(path: Path, content: bytes) -> None:
    """See to it that a file holds this; IdentityRefused where it holds something else."""
    if not is_there(path):
        write_new(NewFile(path, content, private=False))
    elif read_trusted(path) != content:
        hint = "name another directory, or go on with the token with which this one was begun"
        raise refused(f"{path} is there already, and for something else", hint)


def _note_of(token: JoinToken) -> bytes:
    note = _Note(token.digest.hex(), token.authority.hex())
    return msgspec.json.encode(note) + b"\n"


def _require_absent(path: Path) -> None:
    if is_there(path):
        hint = "name another directory: this one is that of a node already"
        raise refused(f"{path} is there already", hint)
