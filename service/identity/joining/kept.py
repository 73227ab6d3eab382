"""The file of a herd's invitations, in the folder of its authority: changed by one at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from service.identity.errors import refused
from service.identity.files import is_there, read_trusted, replace, turn
from service.identity.joining.invitations import MOST, Invitations
from service.identity.joining.written import read_invitations, write_invitations

NAME = "invitations"

LARGEST = MOST * 8_192
"""Bytes. An invitation with its certificate has about 1,500; more where it names many siblings."""

_Told = TypeVar("_Told")


def read_kept(folder: Path) -> Invitations:
    """The invitations of the authority in a folder, none where there is no file.

    IdentityRefused where that cannot be read, is none, or where others could have written it.
    """
    path = folder / NAME
    if not is_there(path):
        return Invitations()
    return read_invitations(read_trusted(path, LARGEST), str(path))


def change_kept(folder: Path, change: Callable[[Invitations], tuple[Invitations, _Told]]) -> _Told:
    """Keep other invitations, through a crash, and give what `change` has to tell of it.

    Several at once take turns. What `change` raises is raised; then all stays, as it does where it
    gives back the very invitations that it was given. IdentityRefused where the file would be
    larger than what is read again.
    """
    with turn(folder):
        before = read_kept(folder)
        after, told = change(before)
        if after is not before:
            replace(folder / NAME, _written(after, folder))
    return told


def _written(invitations: Invitations, folder: Path) -> bytes:
    content = write_invitations(invitations)
    if len(content) > LARGEST:
        hint = "name fewer siblings and ranges, or begin a new file: move it away"
        raise refused(f"{folder / NAME} would be larger than {LARGEST} bytes", hint)
    return content
