"""What is sent arrives whole and in order, in pieces as the client takes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.transports.outbox import PIECE_BYTES, Outbox


class Pipe:
    """A transport that says it is full after so many writes, until the client reads."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.full_after: list[int] = []
        self.outbox = Outbox(self._write)

    def _write(self, data: bytes) -> None:
        self.taken.append(data)
        if self.full_after:
            self.full_after[0] -= 1
            if self.full_after[0] <= 0:
                self.full_after.pop(0)
                self.outbox.pause()


@given(
    st.lists(st.integers(0, 3 * PIECE_BYTES), max_size=8),
    st.lists(st.integers(1, 4), max_size=6),
)
def test_everything_arrives_in_order(sizes: list[int], full_after: list[int]) -> None:
    """Wherever the client stops reading, nothing is lost, doubled or moved."""
    pipe = Pipe()
    pipe.full_after = list(full_after)
    sent = [bytes([number]) * size for number, size in enumerate(sizes)]
    for data in sent:
        pipe.outbox.send(data)
    for _ in full_after:
        pipe.outbox.resume()
    assert b"".join(pipe.taken) == b"".join(sent)
    assert pipe.outbox.is_drained
    assert max(map(len, pipe.taken), default=0) <= PIECE_BYTES


def test_a_full_transport_is_given_nothing() -> None:
    """What is unsent waits here, and is known to wait."""
    pipe = Pipe()
    pipe.full_after = [1]
    pipe.outbox.send(b"one")
    assert not pipe.outbox.is_drained
    pipe.outbox.send(b"two")
    assert pipe.taken == [b"one"]
    pipe.outbox.resume()
    assert pipe.taken == [b"one", b"two"]
    assert pipe.outbox.is_drained


def test_what_is_unsent_goes_with_its_connection() -> None:
    """A lost connection holds no memory."""
    pipe = Pipe()
    pipe.full_after = [1]
    pipe.outbox.send(b"x" * 5 * PIECE_BYTES)
    pipe.outbox.clear()
    pipe.outbox.resume()
    assert len(pipe.taken) == 1
