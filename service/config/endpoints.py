"""Where the node listens: Twisted endpoint strings, kept to this machine.

Law of this module: what does not provably stay on this machine is refused, unless it has TLS:
siblings then show certificates, and applications tokens, which nobody can read along.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from service.config.problems import ValueWrong, did_you_mean

KINDS = ("tcp", "tcp6", "unix")
ADVICE = "write tcp:PORT:interface=127.0.0.1"
_FILES = 'certificate = "FILE" and key = "FILE" under [listen]'
_TOKENS = "required = true under [access]"
WIDER_FOR_CALLS = f"wider needs TLS and tokens: add {_FILES}, and {_TOKENS}"
WIDER_FOR_SIBLINGS = (
    "wider needs TLS: name certificate, key and ca under [herd], as `herdbook herd ca issue` makes "
    "them"
)
_KNOWN = {
    "tcp": ("port", "interface", "backlog"),
    "tcp6": ("port", "interface", "backlog"),
    "unix": ("address", "mode", "backlog", "lockfile"),
}
_SHAPES = {
    "backlog": (r"[1-9][0-9]{0,4}", "a number from 1 to 99999"),
    "mode": (r"[0-7]{3,4}", "an octal mode such as 660"),
    "lockfile": (r"[01]", "0 or 1"),
}


@dataclass(frozen=True)
class Parts:
    """An endpoint string taken apart."""

    kind: str
    positional: tuple[str, ...]
    named: dict[str, str]


def check_endpoint(text: str, wider: str = WIDER_FOR_CALLS) -> str:
    """The endpoint string itself, or ValueWrong when it is malformed or not local.

    `wider` is the advice for whoever wants to listen to more than this machine.
    """
    parts = split(check_any_endpoint(text, wider))
    if parts.kind != "unix":
        _check_loopback(parts, wider)
    return text


def check_call_endpoint(text: str) -> str:
    """As `check_any_endpoint`, with the advice for listeners of applications."""
    return check_any_endpoint(text, WIDER_FOR_CALLS)


def check_any_endpoint(text: str, wider: str = WIDER_FOR_SIBLINGS) -> str:
    """The endpoint string itself, or ValueWrong when it is malformed. It may be for anybody."""
    parts = split(text)
    if parts.kind not in KINDS:
        raise ValueWrong(
            f"there is no listener of kind {parts.kind!r}", _kind_advice(parts.kind, wider)
        )
    known = _KNOWN[parts.kind]
    for name, value in parts.named.items():
        _check_argument(name, value, known)
    if len(parts.positional) > 1:
        advice = f"{ADVICE}; inside an argument, : is written \\:"
        raise ValueWrong("it has more than one argument without a name", advice)
    if parts.positional and known[0] in parts.named:
        raise ValueWrong(f"it has its {known[0]} twice", ADVICE)
    first = parts.positional[0] if parts.positional else parts.named.get(known[0], "")
    if parts.kind == "unix":
        _check_socket(first)
    else:
        _check_port(first)
        _check_interface(parts, wider)
    return text


def wider_for_calls(has_tls: bool, has_tokens: bool) -> str | None:
    """What a listener of applications lacks yet to be wider than this machine; None: nothing."""
    if has_tls and has_tokens:
        return None
    if has_tls:
        return f"wider needs tokens: add {_TOKENS}"
    return f"wider needs TLS: add {_FILES}" if has_tokens else WIDER_FOR_CALLS


def fixed_address(text: str) -> str | None:
    """What two listeners may not share: `host:port` or a socket; None where it is drawn anew."""
    parts = split(text)
    first = [*parts.positional, *(parts.named.get(key, "") for key in ("port", "address"))]
    place = next(filter(None, first), "")
    if parts.kind == "unix":
        return place
    return None if int(place) == 0 else f"port {int(place)}"


def split(text: str) -> Parts:
    """Cut at each `:`, and each argument at its first `=`, where no backslash protects them.

    Placeholders stand for protected characters while the text is cut, so that this reads a string
    exactly as Twisted will.
    """
    protected: list[str] = []

    def protect(match: re.Match[str]) -> str:
        protected.append(match[1])
        return f"\0{len(protected) - 1}\0"

    def restore(piece: str) -> str:
        return re.sub(r"\0([0-9]+)\0", lambda match: protected[int(match[1])], piece)

    if "\0" in text:
        raise ValueWrong("it holds a NUL character", ADVICE)
    kind, *arguments = re.sub(r"\\(.)", protect, text, flags=re.DOTALL).split(":")
    pairs = [piece.partition("=") for piece in arguments]
    named = {restore(name): restore(value) for name, equals, value in pairs if equals}
    return Parts(restore(kind), tuple(restore(p) for p, equals, _ in pairs if not equals), named)


def _kind_advice(kind: str, wider: str) -> str:
    if kind in ("ssl", "tls"):
        return f"{ADVICE}; {wider}"
    return did_you_mean(kind, KINDS, "begin with one of")


def _check_argument(name: str, value: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ValueWrong(
            f"there is no argument {name!r} here", did_you_mean(name, known, "there are")
        )
    shape, meaning = _SHAPES.get(name, (r".*", ""))
    if not re.fullmatch(shape, value):
        raise ValueWrong(f"{name} is wrong", f"give {name} {meaning}")


def _check_socket(path: str) -> None:
    if not path.startswith("/"):
        raise ValueWrong("the socket's path is not absolute", "write unix:/run/herdbook.sock")


def _check_port(text: str) -> None:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        message = f"{text!r} is no port" if text else "the port is missing"
        raise ValueWrong(message, f"{ADVICE} with a port from 1 to 65535 (0: any free one)")


def _check_interface(parts: Parts, wider: str) -> None:
    advice = _interface_advice(parts, wider)
    interface = parts.named.get("interface")
    if not interface:
        raise ValueWrong("without an interface it would listen to the whole network", advice)
    # A name such as localhost is refused as well: what it means is up to whoever resolves it.
    try:
        address = ipaddress.ip_address(interface)
    except ValueError:
        raise ValueWrong(f"the interface {interface!r} is no IP address", advice) from None
    if address.version != (6 if parts.kind == "tcp6" else 4):
        raise ValueWrong(f"{address} does not fit {parts.kind}", advice)


def _check_loopback(parts: Parts, wider: str) -> None:
    address = ipaddress.ip_address(parts.named["interface"])
    if not address.is_loopback:
        advice = _interface_advice(parts, wider)
        raise ValueWrong(f"{address} is not the loopback: strangers could get in", advice)


def _interface_advice(parts: Parts, wider: str) -> str:
    loopback = "::1" if parts.kind == "tcp6" else "127.0.0.1"
    written = loopback.replace(":", "\\:")
    return f"add interface={written}; {wider}"
