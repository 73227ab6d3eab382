"""A newcomer's end of the line to the gate: TLS 1.3, one message a line, within time and size."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.cli.output import CommandFailed
from service.identity.joining.messages import LARGEST, read_answer, write_line

if TYPE_CHECKING:
    from service.identity.joining.messages import FromGate, FromNewcomer

SECONDS = 30.0
"""For all that is said on one connection; the gate gives no more."""

_AGAIN = "nothing is lost: run the same command again"


class Line:
    """A connection to whoever answers at an address. `shown` is the certificate it showed, DER."""

    def __init__(self, connection: ssl.SSLSocket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._kept = b""
        self.shown = connection.getpeercert(binary_form=True) or b""

    def say(self, message: FromNewcomer) -> None:
        """Send a message."""
        self._hurry()
        self._connection.sendall(write_line(message))

    def hear(self) -> FromGate:
        """The next message; CommandFailed, IdentityRefused or OSError where none comes."""
        while b"\n" not in self._kept:
            if len(self._kept) > LARGEST:
                raise CommandFailed("what answers there is no gate", _AGAIN, code="join.no_gate")
            self._hurry()
            piece = self._connection.recv(LARGEST)
            if not piece:
                raise CommandFailed("the gate has closed the line", _AGAIN, code="join.broken")
            self._kept += piece
        line, _, self._kept = self._kept.partition(b"\n")
        return read_answer(line)

    def _hurry(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)


@contextmanager
def line_to(url: str) -> Iterator[Line]:
    """A connection to the gate at `tcp://HOST:PORT`; CommandFailed where there is none."""
    host, port = place_of(url)
    deadline = time.monotonic() + SECONDS
    try:
        with (
            socket.create_connection((host, port), SECONDS) as plain,
            _context().wrap_socket(plain) as connection,
        ):
            yield Line(connection, deadline)
    except TimeoutError:
        raise CommandFailed(
            f"{url} takes longer than {SECONDS:.0f} seconds", _AGAIN, code="join.late"
        ) from None
    except ssl.SSLError as error:
        message = f"{url}: TLS 1.3 failed: {error.reason or 'it gives no reason'}"
        raise CommandFailed(message, "name the address of a gate", code="join.tls") from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = f"let the gate be opened: herdbook node gate; {_AGAIN}"
        raise CommandFailed(
            f"{url} cannot be reached: {reason}", hint, code="join.unreachable"
        ) from None


def place_of(url: str) -> tuple[str, int]:
    """Host and port of a gate's address; CommandFailed where it is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme != "tcp" or not host or not port or parts.path not in ("", "/"):
        hint = "write tcp://HOST:PORT, as the gate says it"
        raise CommandFailed(f"{url!r} is no address of a gate", hint, code="join.address")
    return host, port


def _context() -> ssl.SSLContext:
    """Whoever is there may show what he likes: it is verified before anything is said to him."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
