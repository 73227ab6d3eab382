"""Listeners: opened from their descriptions, and named as clients reach them."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError

from records.errors import HerdbookError
from service.transports.tls_listeners import ListenerTls


class CannotListen(HerdbookError):
    """An address is taken or not to be had; `listener` is its key in the configuration."""

    def __init__(self, message: str, listener: str) -> None:
        super().__init__(message)
        self.listener = listener


class Listener(NamedTuple):
    """A listener: its key in the configuration, its description, and whether nobody set it."""

    name: str
    endpoint: str
    is_default: bool


class Listeners:
    """The listeners of a node that are open. `tls` is what those of applications show, if any."""

    def __init__(self, reactor: Any, tls: ListenerTls | None) -> None:
        self._reactor = reactor
        self._tls = tls
        self._ports: dict[str, Any] = {}

    async def open(self, listener: Listener, factory: Any) -> str:
        """Open one, and tell where it can be reached; raises CannotListen."""
        tls = self._tls if _is_for_tls(listener) else None
        port = await listen(self._reactor, listener, factory if tls is None else tls.over(factory))
        self._ports[listener.name] = port
        is_http = listener.name in ("listen.rpc", "listen.admin")
        return shown(port.getHost(), is_http=is_http, is_secured=tls is not None)

    async def close(self, name: str) -> None:
        """Close the listener of a key, if it is open."""
        port = self._ports.pop(name, None)
        if port is not None:
            await maybeDeferred(port.stopListening)


def _is_for_tls(listener: Listener) -> bool:
    """Siblings bring certificates of their own; whoever opens a socket file is on this machine."""
    return listener.name.startswith("listen.") and not listener.endpoint.startswith("unix:")


async def listen(reactor: Any, listener: Listener, factory: Any) -> Any:
    """Open a listener; Twisted's port. Raises CannotListen."""
    try:
        return await _endpoint(reactor, listener.endpoint).listen(factory)
    except (CannotListenError, OSError) as error:
        reason = getattr(error, "socketError", error)
        raise CannotListen(_cannot_listen(listener, reason), listener.name) from error


def shown(address: Any, *, is_http: bool, is_secured: bool = False) -> str:
    """The URL of a listener, or its socket."""
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is None:
        return f"unix:{os.fsdecode(address.name)}"
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if is_http:
        return f"{'https' if is_secured else 'http'}://{place}/"
    return f"{'tls' if is_secured else 'tcp'}://{place}"


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
