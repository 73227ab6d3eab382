"""A changelog, a connection, and a subscription between them, step by step and without a wire."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from service.methods.feed_port import Change, Ends, Entry, FeedPage
from service.methods.subscriptions import (
    Action,
    Actions,
    AwaitDrain,
    End,
    Expect,
    GiveUp,
    Read,
    Rest,
    Subscription,
    Tell,
    TellOverflow,
)


def change_at(position: int) -> Change:
    """The change at a position."""
    entry = Entry(position, "farm", "farm", "insert", (position,), (), 1, 1, 0, "api:test")
    return Change(entry, None)


def page_of(
    positions: Sequence[int], next_: int, head: int, *, found: bool = True, horizon: int = 0
) -> FeedPage:
    """A page with the changes at these positions."""
    changes = [change_at(position) for position in positions]
    return FeedPage(changes, next_, Ends(head, horizon), next_ == head, found)


class World:
    """A changelog, a connection, and a machine between them; does what the machine says."""

    def __init__(self, after: int = 0, limit: int = 3, largest: int = 100) -> None:
        self.machine = Subscription(after, limit)
        self.written: list[bool] = []
        self.sealed = 0
        self.is_reading_client = True
        self.is_drained = True
        self.asked: Read | None = None
        self.coming: Expect | None = None
        self.rests: list[float] = []
        self.told: list[int] = []
        self.pages: list[FeedPage] = []
        self.overflow: TellOverflow | None = None
        self.ended = False
        self.largest = largest
        self.do(self.machine.begin())

    def do(self, actions: Actions) -> None:
        """Carry out what the machine says, and what it says to that."""
        left: deque[Action] = deque(actions)
        while left:
            match left.popleft():
                case AwaitDrain():
                    if self.is_drained:
                        left.extend(self.machine.drained())
                case Read() | Expect() | GiveUp() as about_pages:
                    self.prepare(about_pages)
                case Tell(page):
                    left.extend(self.tell(page))
                case TellOverflow() as overflow:
                    assert self.overflow is None
                    self.overflow = overflow
                case Rest(seconds):
                    self.rests.append(seconds)
                case End():
                    assert not self.ended
                    self.ended = True
                    self.asked = self.coming = None

    def prepare(self, action: Read | Expect | GiveUp) -> None:
        """A page is to be read, now or with what is sealed next, or is not wanted any more."""
        if isinstance(action, GiveUp):
            assert self.coming is not None
            self.coming = None
            return
        assert (self.asked, self.coming) == (None, None), "two pages at once"
        if isinstance(action, Expect):
            self.coming = action
            return
        assert self.is_drained, "a page was read for a client that does not read"
        self.asked = action

    def tell(self, page: FeedPage) -> Actions:
        """A page is sent, if it finds room in a message."""
        assert not self.ended
        if len(page.changes) > self.largest:
            return self.machine.too_large(len(page.changes))
        self.machine.was_told()
        self.told += [change.entry.position for change in page.changes]
        self.pages.append(page)
        self.is_drained = self.is_reading_client
        return ()

    def page(self) -> None:
        """The page that was asked for is there."""
        if self.asked is not None:
            asked, self.asked = self.asked, None
            self.do(self.machine.page(self.read(asked)))

    def seal(self, *, with_page: bool) -> None:
        """Something is sealed; a page that was expected is read with it and there first, or not."""
        self.sealed = len(self.written)
        if with_page and self.coming is not None:
            coming, self.coming = self.coming, None
            self.do(self.machine.page(self.read(coming)))
        self.do(self.machine.sealed(self.sealed))

    def read(self, asked: Read | Expect) -> FeedPage:
        """The page from a position on."""
        after, limit = asked.after, asked.limit
        assert after <= self.sealed
        wanted = [at for at in range(after + 1, self.sealed + 1) if self.written[at - 1]]
        chosen = wanted[:limit]
        next_ = chosen[-1] if len(wanted) > limit else self.sealed
        return page_of(chosen, next_, self.sealed)

    def happen(self, event: str, wanted: bool) -> None:
        """One thing happens."""
        if event == "write":
            self.written.append(wanted)
        elif event in ("seal", "seal and read"):
            self.seal(with_page=event != "seal")
        elif event == "page":
            self.page()
        elif event == "drain":
            self.is_reading_client = self.is_drained = True
            self.do(self.machine.drained())
        elif event == "stop reading":
            self.is_reading_client = False
        elif event == "fail" and self.asked is not None:
            self.asked = None
            self.do(self.machine.failed("server.unavailable", passing=True))
        elif event == "rested":
            self.do(self.machine.rested())
        elif event == "others send":
            # Answers of other calls fill the connection.
            self.is_drained = self.is_drained and self.is_reading_client
        elif event == "large":
            self.largest = 1 if self.largest > 1 else 100

    def settle(self) -> None:
        """Everything that holds the machine up is over."""
        for _ in range(3 * len(self.written) + 10):
            for event in ("seal", "drain", "rested", "page"):
                self.happen(event, True)

    def expected(self, after: int = 0) -> list[int]:
        """The positions that must have been told."""
        return [at for at in range(after + 1, self.sealed + 1) if self.written[at - 1]]
