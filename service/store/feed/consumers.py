"""For whom the changelog is kept: each consumer needs what stands after its position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from records.errors import Failure
from schema.capture.triggers import NOW
from service.errors import FeedRefused, PositionBeyondHead, beyond_head
from service.methods.feed_port import Consumer, Ends
from service.store.feed.entries import ends_of
from service.store.transaction import Transaction

_COLUMNS = "`name`, `position`, `registered_at`, `seen_at`"


def register(tx: Transaction, name: str, position: int | None) -> Consumer:
    """Keep what stands after a position for a consumer; one that is there stays where it is.

    The lock keeps the horizon where it is until the consumer is there to hold it.
    """
    known = _find(tx, name)
    if known is not None:
        return known
    tx.rows("SELECT 1 FROM `herdbook_sealer` WHERE `only` = 1 LOCK IN SHARE MODE")
    ends = ends_of(tx)
    begin = ends.head if position is None else position
    _refuse_any(_misplaced(begin, ends, lowest=ends.horizon), ends)
    tx.execute(
        f"INSERT INTO `herdbook_consumer` ({_COLUMNS}) VALUES (?, ?, {NOW}, {NOW}) "
        "ON DUPLICATE KEY UPDATE `name` = `name`",
        (name, begin),
    )
    return _required(tx, name)


def acknowledge(tx: Transaction, name: str, position: int) -> Consumer:
    """A consumer needs nothing up to a position any more; it never goes back."""
    ends = ends_of(tx)
    known = tx.execute(
        "UPDATE `herdbook_consumer` SET `position` = GREATEST(`position`, ?), "
        f"`seen_at` = {NOW} WHERE `name` = ?",
        (position, name),
    )
    _refuse_any([*_misplaced(position, ends), *(() if known else (_unknown(name),))], ends)
    return _required(tx, name)


def listed(tx: Transaction) -> tuple[list[Consumer], Ends]:
    """All consumers by name, and how far the changelog reaches."""
    found = tx.rows(f"SELECT {_COLUMNS} FROM `herdbook_consumer` ORDER BY `name`")
    return [_consumer(raw) for raw in found], ends_of(tx)


def forget(tx: Transaction, name: str) -> None:
    """Keep nothing for a consumer any more."""
    if not tx.execute("DELETE FROM `herdbook_consumer` WHERE `name` = ?", (name,)):
        raise FeedRefused([_unknown(name)])


def _find(tx: Transaction, name: str) -> Consumer | None:
    found = tx.rows(f"SELECT {_COLUMNS} FROM `herdbook_consumer` WHERE `name` = ?", (name,))
    return _consumer(found[0]) if found else None


def _required(tx: Transaction, name: str) -> Consumer:
    """A consumer that was there a moment ago."""
    found = _find(tx, name)
    if found is None:
        raise FeedRefused([_unknown(name)])
    return found


def _misplaced(position: int, ends: Ends, lowest: int = 0) -> Iterator[Failure]:
    """What is wrong with a position."""
    if position > ends.head:
        yield beyond_head(position, ends.head)
    if position < lowest:
        message = f"what follows {position} is no longer kept, up to {ends.horizon}"
        yield Failure("position.below_horizon", message, "/position")


def _refuse_any(failures: Iterable[Failure], ends: Ends) -> None:
    """Raise what there is; whatever was written is undone then."""
    found = list(failures)
    if any(failure.code == "position.beyond_head" for failure in found):
        raise PositionBeyondHead(found, ends.head)
    if found:
        raise FeedRefused(found)


def _unknown(name: str) -> Failure:
    return Failure("consumer.unknown", f"there is no consumer {name}", "/consumer")


def _consumer(raw: Sequence[Any]) -> Consumer:
    name, position, registered_at, seen_at = raw
    return Consumer(name, int(position), int(registered_at), int(seen_at))
