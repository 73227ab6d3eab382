"""What `herdbook join` tells of a node that has its certificate."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from service.cli.advice import option_words
from service.cli.coming_in import SETTINGS
from service.cli.output import Output


def certified(directory: Path, now: datetime) -> dict[str, Any]:
    """What the certificate in a directory says, and where the settings are.

    Raises IdentityRefused where the files are not in order.
    """
    from service.identity.credentials import load_credentials, name_in
    from service.identity.joining.place import paths_in

    paths = paths_in(directory)
    name = name_in(paths.certificate)
    card = load_credentials(paths, name, now).card
    return {
        "name": name,
        "herd": card.subject.herd,
        "fingerprint": card.fingerprint,
        "ends_at": f"{card.life.ends:%Y-%m-%dT%H:%M:%SZ}",
        "settings": str(directory / SETTINGS),
        "directory": str(directory),
    }


def tell_result(document: dict[str, Any], output: Output) -> None:
    """Tell of a node that is not started, and how it is."""
    settings = document["settings"]
    text = (
        f"{document['name']} is of herd {document['herd']}\n"
        f"  settings  {settings}\n"
        f"  start it  {start_again(document)}\n"
        f"  or        herdbook serve --config {settings}, which needs [database] url there"
    )
    output.result(document, text)


def start_again(document: Mapping[str, Any], port: int | None = None) -> str:
    """The command that starts the node, with the port that it was given if any."""
    words = {"--dir": document["directory"], "--config": document["settings"], "--port": port}
    return shlex.join(["herdbook", "up", *option_words(words)])


def tell_joined(document: Mapping[str, Any], output: Output, port: int | None) -> None:
    """Tell of a node that has joined, where it serves, and how it is started another time."""
    text = (
        f"{document['name']} has joined herd {document['herd']}, and serves {document['rpc']}\n"
        f"  stream    {document['stream']}\n"
        f"  admin     {document['admin']}\n"
        f"  database  {document['database']}\n"
        f"  settings  {document['settings']}\n"
        f"  directory {document['directory']} (process {document['pid']})\n"
        f"  later     {start_again(document, port)}"
    )
    output.result(document, text)
