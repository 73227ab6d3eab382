"""Where a node takes links, as one of the `urls` of its record: `herdbook+tcp://HOST:PORT`."""

from __future__ import annotations

import re
from collections.abc import Sequence

SCHEME = "herdbook+tcp://"

_URL = re.compile(r"herdbook\+tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):([0-9]{1,5})/?")
_MOST_PORT = 65_535


def endpoint_in(urls: object) -> str | None:
    """Where to dial a node: Twisted's string for the first such URL; None where there is none.

    Records are written by anybody in the herd, so whatever else stands there is passed over.
    """
    listed = urls if isinstance(urls, list) else []
    found = (_endpoint(each) for each in listed if isinstance(each, str))
    return next((each for each in found if each is not None), None)


def with_link(urls: object, url: str) -> Sequence[object]:
    """The URLs of a node with the one where it takes links, in place of others like it."""
    listed = urls if isinstance(urls, list) else []
    kept = [each for each in listed if not (isinstance(each, str) and each.startswith(SCHEME))]
    return [*kept, url]


def link_url(host: str, port: str) -> str:
    """The URL of a host, or of an address, and a port."""
    return f"{SCHEME}[{host}]:{port}" if ":" in host else f"{SCHEME}{host}:{port}"


def _endpoint(url: str) -> str | None:
    match = _URL.fullmatch(url)
    if match is None or not 0 < int(match[2]) <= _MOST_PORT:
        return None
    host = match[1].strip("[]").replace(":", r"\:")
    return f"tcp:{host}:{match[2]}"
