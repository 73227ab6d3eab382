"""Two connections between the same two nodes: both ends keep the same one of them."""

from __future__ import annotations

from collections.abc import Iterable

from service.herd.link import Link
from service.herd.link_actions import Action, Blame, Close
from service.herd.link_greeting import Identity
from service.herd.link_stream import Stream


def surplus(us: Identity, newest: Link, links: Iterable[Link]) -> Link | None:
    """The connection to close now that a newest one has been greeted, if there are two.

    A node that was started again has no use for its former connection. Else the one that the lower
    origin dialled stays, and of two such ones the later: the other may be dead without having been
    told so.
    """
    stream = newest.stream
    others = (link for link in links if link is not newest and _same(link.stream, stream))
    other = next(others, None)
    if other is None or other.stream is None or stream is None:
        return None
    if other.stream.peer.run != stream.peer.run:
        return other
    lower = us.origin < stream.peer.origin
    return min((newest, other), key=lambda link: (link.dialled == lower, link.number))


def part(twin: Link, newest: Link) -> list[Action]:
    """Close a link in favour of the newest one.

    Here it is told from another that it was to a former run: an address that was dialled then may
    lead to a copy that runs still, so that it has to be dialled again, to see who is there.
    """
    is_former = _run(twin) != _run(newest)
    text = "there is another link between the two"
    actions = twin.refuse(Blame.NOBODYS, "link.twin", text)
    if not is_former:
        return actions
    text = "the node has greeted since as another run: it was started again"
    return [actions[0], Close(twin.number, Blame.NOBODYS, "link.former", text)]


def _run(link: Link) -> int | None:
    return link.stream.peer.run if link.stream else None


def _same(one: Stream | None, other: Stream | None) -> bool:
    return one is not None and other is not None and one.peer.origin == other.peer.origin
