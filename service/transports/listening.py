"""Listeners: opened from their descriptions, and named as clients reach them."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError

from records.errors import HerdbookError


class CannotListen(HerdbookError):
    """A listener's address is taken or not to be had."""


class Listener(NamedTuple):
    """A listener: its key in the configuration, its description, and whether nobody set it."""

    name: str
    endpoint: str
    is_default: bool


async def listen(reactor: Any, listener: Listener, factory: Any) -> Any:
    """Open a listener; Twisted's port. Raises CannotListen."""
    try:
        return await _endpoint(reactor, listener.endpoint).listen(factory)
    except (CannotListenError, OSError) as error:
        reason = getattr(error, "socketError", error)
        raise CannotListen(_cannot_listen(listener, reason)) from error


def shown(address: Any, scheme: str) -> str:
    """The URL of a listener, or its socket."""
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is None:
        return f"unix:{os.fsdecode(address.name)}"
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"http://{place}/" if scheme == "http" else f"{scheme}://{place}"


def _endpoint(reactor: Any, description: str) -> Any:
    """Twisted's endpoint for its description."""
    kind, _, place = description.partition(":")
    if kind == "unix" and ":mode=" not in place:
        # Twisted's own default lets every user of the machine in.
        description = f"{description}:mode=600"
    return serverFromString(reactor, description)  # type: ignore[no-untyped-call]


def _cannot_listen(listener: Listener, reason: object) -> str:
    """What to say of a listener that cannot be opened, and how to have it elsewhere."""
    name, endpoint, is_default = listener
    place = "socket" if endpoint.startswith("unix:") else "port"
    advice = f"Choose another {place}, or stop the program that holds this one."
    if not is_default:
        return f"{name} = {endpoint}: {reason}. {advice}"
    key = name.rpartition(".")[2]
    return (
        f"{name} = {endpoint}, the default, since nothing sets it: {reason}. {advice} Write "
        f'{key} = "tcp:PORT:interface=127.0.0.1" under [listen], or set '
        f"HERDBOOK_LISTEN_{key.upper()}. No listener can be left out; one that nobody needs takes "
        "no port as unix:/PATH/OF/A/SOCKET."
    )
