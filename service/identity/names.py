"""The names that certificates hold: `herdbook://HERD/node/NAME`, and `herdbook://HERD/ca`."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 64
"""As long as a node may be called in its configuration, and as a certificate's common name."""

_HERD = re.compile(r"[0-9a-f]{32}")
_NODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}")
_URI = re.compile(r"herdbook://(?P<herd>[^/]*)/(?P<kind>ca|node/(?P<node>[^/]*))")


class Subject(NamedTuple):
    """Whom a certificate names: a node of a herd, or, without a node, the herd's authority.

    `herd` is 32 hexadecimal digits that were drawn for the herd.
    """

    herd: str
    node: str | None = None

    @property
    def uri(self) -> str:
        """As it stands in a certificate."""
        return f"herdbook://{self.herd}/" + ("ca" if self.node is None else f"node/{self.node}")


def is_node_name(text: str) -> bool:
    """Whether a node may be called so: letters, digits, '.', '-' and '_'."""
    return _NODE.fullmatch(text) is not None


def parse(uri: str) -> Subject | None:
    """Whom a URI names; None where it is none of ours."""
    found = _URI.fullmatch(uri)
    if found is None or not _HERD.fullmatch(found["herd"]):
        return None
    if found["kind"] == "ca":
        return Subject(found["herd"])
    return Subject(found["herd"], found["node"]) if is_node_name(found["node"]) else None
