"""Ports for what has to be told its port before it is started, or has to come back on the same one.

The kernel gives ports from 32768 on to whoever asks for any, also between the look and the use.
Below that nobody comes by chance; each process looks from a place of its own on.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import islice

_FIRST, _BEYOND = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, and that this process has not been given before."""
    ports = list(islice((port for port in _untried if _is_free(port)), count))
    assert len(ports) == count, "every port that tests may use was given out"
    return ports


def _from_own_place() -> Iterator[int]:
    own = os.getpid() * 1_009 % (_BEYOND - _FIRST)
    yield from range(_FIRST + own, _BEYOND)
    yield from range(_FIRST, _FIRST + own)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_untried = _from_own_place()
