"""Where a node can be reached: a list of URLs, of any scheme, that all nodes may show."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from records.errors import Failure, pointer

_SUCH = "https://barn.example.org:8650/"


def url_failures(sent: object, index: int) -> Iterator[Failure]:
    """What is wrong with the value of `urls` in a node, at its place; None is right."""
    if sent is None:
        return
    if not isinstance(sent, list) or not all(isinstance(each, str) for each in sent):
        said = f"urls is a list of URLs, such as {_SUCH}"
        yield Failure("value.wrong_type", said, "/urls", index)
        return
    for number, text in enumerate(sent):
        if said := _wrong_with(text):
            yield Failure("node.url", said, pointer("urls", number), index)


def _wrong_with(text: str) -> str:
    """Why a text is no URL for a node; empty where it is one."""
    parts = _parts(text)
    if parts is None:
        return f"{text[:100]!r} is no URL; write one such as {_SUCH}"
    if parts.username is not None or parts.password is not None:
        return "a URL here holds a name or a password, which all nodes would show; write it without"
    return ""


def _parts(text: str) -> SplitResult | None:
    """The parts of a URL with a scheme and a host, None for anything else."""
    if not (text.isascii() and text.isprintable() and " " not in text and "://" in text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme and parts.hostname and port != 0 else None
