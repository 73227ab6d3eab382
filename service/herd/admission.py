"""Whom a certified link may be with: who the certificate names, and nobody who is retired.

Links without certificates, on one machine, have no such rule: there nobody's name is certain.
"""

from __future__ import annotations

from service.herd.link_actions import Blame
from service.herd.link_greeting import Refused, shown
from service.herd.messages import Hello
from service.herd.retirement import Retired

RETIRED = "sibling.retired"
MISNAMED = "sibling.misnamed"


def refused_at_once(certified: str | None, retired: Retired) -> Refused | None:
    """What stands against the bearer of a certificate before he has said anything."""
    return _retired(certified) if certified is not None and certified in retired.names else None


def refused_at_greeting(
    certified: str | None, retired: Retired, origin: int, name: str
) -> Refused | None:
    """What stands against somebody who says who he is."""
    if certified is None:
        return None
    if name != certified:
        text = f"it calls itself {shown(name)}, and its certificate is that of {certified}"
        return Refused(Blame.THEIRS, MISNAMED, text)
    if origin in retired.origins or certified in retired.names:
        return _retired(certified)
    return None


def refused_hello(certified: str | None, retired: Retired, hello: Hello) -> Refused | None:
    """The same, of a first message."""
    return refused_at_greeting(certified, retired, hello.origin, hello.name)


def _retired(certified: str) -> Refused:
    text = (
        f"{certified} was retired; `herdbook herd readmit`, at the node that says so, takes it back"
    )
    return Refused(Blame.THEIRS, RETIRED, text)
