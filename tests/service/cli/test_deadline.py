"""A call whose time runs out."""

from __future__ import annotations

import socket
from contextlib import closing, suppress

import pytest

from service.cli.rpc_client import _Deadline
from service.cli.trust import client_context


def test_what_is_sent_as_the_time_runs_out_is_never_sent_in_the_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another thread ends the connection; up to its end TLS stays on it, for there is a token."""
    here, there = socket.socketpair()
    context = client_context(None)
    secured = context.wrap_socket(here, server_hostname="barn", do_handshake_on_connect=False)
    with closing(there), closing(secured):
        secured.setblocking(False)
        # The moment before the system has ended it.
        monkeypatch.setattr(socket.socket, "shutdown", lambda _socket, _how: None)
        deadline = _Deadline(60)
        deadline.guard(secured)
        deadline._pass()
        with suppress(OSError):
            secured.send(b"Authorization: Bearer hb_secret")
        there.setblocking(False)
        sent = b""
        with suppress(BlockingIOError):
            sent = there.recv(65_536)
    assert b"secret" not in sent
