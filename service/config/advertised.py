"""Where others find a node that takes links: an endpoint string, and a URL in its record."""

from __future__ import annotations

from service.config.endpoints import split
from service.config.problems import ValueWrong
from service.config.siblings import check_any_sibling
from service.herd.link_urls import link_url

ADVICE = "write tcp:HOST:PORT, as it leads here from the other nodes"


def check_advertised(text: str) -> str:
    """The endpoint string itself, or ValueWrong where others could not dial it as it stands."""
    parts = split(check_any_sibling(text))
    if parts.kind != "tcp" or parts.named:
        raise ValueWrong(f"{text!r}: this is not of use to other nodes", ADVICE)
    return text


def advertised_url(text: str) -> str:
    """The URL for such a string; it is one of the `urls` of a node's record."""
    host, port = split(text).positional
    return link_url(host, port)
