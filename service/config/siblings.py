"""Where siblings are looked for: Twisted client endpoint strings, kept to this machine without TLS.

Law of this module: where links have no TLS, what does not provably stay on this machine is refused,
since they carry everything that is written. With TLS it does not matter where an address leads:
who is there shows a certificate.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from service.config.endpoints import Parts, split
from service.config.problems import ValueWrong, did_you_mean

ADVICE = "write tcp:127.0.0.1:PORT or unix:/PATH/OF/A/SOCKET"
_LOCAL = (
    "links without TLS stay on this machine, and for TLS certificate, key and ca are named under "
    "[herd]"
)
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*\.?")
_THIS_MACHINE = {"127.0.0.1", "::1", "localhost"}
_KNOWN = {"tcp": ("host", "port", "timeout"), "unix": ("path", "timeout")}


def check_sibling(text: str) -> str:
    """The endpoint string itself, or ValueWrong when it is malformed or not local."""
    parts = split(check_any_sibling(text))
    if parts.kind != "unix":
        _check_local(text, _arguments(text, parts)["host"])
    return text


def check_any_sibling(text: str) -> str:
    """The endpoint string itself, or ValueWrong when it is malformed. It may lead anywhere."""
    parts = split(text)
    if parts.kind not in _KNOWN:
        raise ValueWrong(f"{text!r}: there are no links of kind {parts.kind!r}", _kind(text, parts))
    values = _arguments(text, parts)
    if not re.fullmatch(r"[1-9][0-9]{0,3}", values.get("timeout", "30")):
        raise ValueWrong(f"{text!r}: the timeout is wrong", "give seconds from 1 to 9999")
    if parts.kind == "unix":
        if not values.get("path", "").startswith("/"):
            raise ValueWrong(f"{text!r}: the socket's path is not absolute", ADVICE)
    else:
        _check_place(text, values)
    return text


def _kind(text: str, parts: Parts) -> str:
    kind = parts.kind
    if kind in ("ssl", "tls"):
        return f"{ADVICE}; TLS is spoken there with certificate, key and ca under [herd]"
    if _HOST.fullmatch(kind) and parts.positional and parts.positional[0].isdecimal():
        return f"write tcp:{text}"
    return did_you_mean(kind, tuple(_KNOWN), "begin with one of")


def _arguments(text: str, parts: Parts) -> dict[str, str]:
    """The arguments by name; those without one stand in their order."""
    known = _KNOWN[parts.kind]
    for name in parts.named:
        if name not in known:
            raise ValueWrong(
                f"{text!r}: there is no argument {name!r} here",
                did_you_mean(name, known, "there are"),
            )
    without = known[:-1]
    if len(parts.positional) > len(without):
        advice = f"{ADVICE}; inside an argument, : is written \\:"
        raise ValueWrong(f"{text!r}: there are too many arguments without a name", advice)
    given = dict(zip(without, parts.positional, strict=False))
    twice = sorted(given.keys() & parts.named.keys())
    if twice:
        raise ValueWrong(f"{text!r}: it has its {twice[0]} twice", ADVICE)
    return {**given, **parts.named}


def _check_place(text: str, values: dict[str, str]) -> None:
    host, port = values.get("host", ""), values.get("port", "")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65_536:
        message = f"{port!r} is no port" if port else "the port is missing"
        raise ValueWrong(f"{text!r}: {message}", f"{ADVICE}, with a port from 1 to 65535")
    try:
        is_nowhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        # Digits and dots that are no address are no name either.
        is_nowhere = not _HOST.fullmatch(host) or re.fullmatch(r"[0-9.]+", host) is not None
    if is_nowhere:
        message = f"{text!r}: {host!r} is neither an IP address nor the name of a host"
        raise ValueWrong(message, ADVICE)


def _check_local(text: str, host: str) -> None:
    # A name such as localhost is refused as well: what it means is up to whoever resolves it.
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueWrong(f"{text!r}: {host!r} is no IP address", f"{ADVICE}; {_LOCAL}") from None
    if not address.is_loopback:
        message = f"{text!r}: {address} is not the loopback"
        raise ValueWrong(message, f"{ADVICE}; {_LOCAL}")


def no_sibling_twice(siblings: Sequence[str]) -> None:
    """ValueWrong where an address stands twice in the list, however it is written."""
    places = [_place(one) for one in siblings]
    for at, place in enumerate(places):
        if place in places[:at]:
            former, one = siblings[places.index(place)], siblings[at]
            otherwise = "" if former == one else f", as {former!r} before"
            raise ValueWrong(f"{one!r} stands there twice{otherwise}", "name each sibling once")


def is_at(sibling: str, listener: str) -> bool:
    """Whether whoever looks for a sibling there meets this listener of the same machine.

    Both are endpoint strings that were checked.
    """
    kind, *place = _place(sibling)
    own = split(listener)
    first = [*own.positional, *(own.named[key] for key in ("port", "address") if key in own.named)]
    if kind == "unix" or own.kind == "unix":
        return own.kind == kind and place == first
    interface = ipaddress.ip_address(own.named["interface"])
    here = _THIS_MACHINE if interface.is_unspecified else {str(interface)}
    return place[0] in here and int(place[1]) == int(first[0])


def _place(text: str) -> tuple[str, ...]:
    """Where a checked address leads; the same place is always told in the same way."""
    parts = split(text)
    values = _arguments(text, parts)
    if parts.kind == "unix":
        return "unix", values["path"]
    try:
        host = str(ipaddress.ip_address(values["host"]))
    except ValueError:
        host = values["host"].lower().removesuffix(".")
    return "tcp", host, str(int(values["port"]))
