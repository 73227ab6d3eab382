"""Who sends a node what no sibling sends, over a real connection to a whole node.

Links without TLS, so that nothing keeps him from being heard; tests/service/transports has the same
against its parts, and what TLS keeps out (docs/security.md names them).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import zstandard

from service.herd.codec import decode, encode
from service.herd.deltas import Delta
from service.herd.frames import FrameReader, framed
from service.herd.messages import PROTOCOL, Hello, Message, Portion, Refusal
from service.server import PrivateServer
from tests.live.node import NodeProcess, page
from tests.live.units import until
from tests.security.hostile import LITERAL
from tests.security.nodes import node_on
from tests.service.store.tools import read
from tests.service.transports.test_siblings_strangers import CASES

HELLO = Hello(PROTOCOL, 999, 1, "mole", "1", {999: 1})
SECONDS = 60.0


def frame(content: bytes, flags: int) -> bytes:
    """Any content, with a head that fits its length."""
    return struct.pack(">IB", len(content), flags) + content


def greeting(hello: Hello = HELLO) -> bytes:
    """What a sibling says first."""
    return framed(encode(hello))


BOMB = zstandard.ZstdCompressor().compress(b"\x00" * 2**28)
SMUGGLED: dict[str, tuple[bytes, str]] = {
    **CASES,
    "a bomb for a greeting": (frame(BOMB, 1), "wire.size"),
    "a bomb": (greeting() + frame(BOMB, 1), "wire.size"),
    "a window without end": (
        greeting()
        + frame(b"\x28\xb5\x2f\xfd\x80\xf8" + struct.pack("<I", 10) + b"\x01\x00\x00", 1),
        "wire.",
    ),
    "two frames in one": (
        greeting() + frame(zstandard.compress(b"a" * 999) * 2, 1),
        "wire.compression",
    ),
    "a frame within a frame": (greeting() + framed(greeting()), "wire."),
    "a length that is short": (struct.pack(">IB", 3, 0) + encode(HELLO), "wire."),
    "an unknown flag": (greeting() + frame(b"moo", 0x80), "wire.flags"),
}


class Door(NamedTuple):
    """A node, where its siblings connect, and its database."""

    node: NodeProcess
    address: tuple[str, int]
    url: str

    def hear(self, sent: bytes, after: bytes = b"") -> list[Message]:
        """What the node says to who sends this, and that once he is refused, until it hangs up."""
        reader = FrameReader()
        heard: list[Message] = []
        with socket.create_connection(self.address, timeout=SECONDS) as stranger:
            stranger.sendall(sent)
            # It may have hung up on what came before.
            with suppress(ConnectionError):
                while piece := stranger.recv(2**16):
                    reader.feed(piece)
                    heard += map(decode, reader.payloads())
                    if after and isinstance(heard[-1], Refusal):
                        stranger.sendall(after)
        return heard

    def is_well(self) -> None:
        """It serves, and nothing has come into its tables."""
        assert page(self.node, "/readyz") == "ok\n"
        assert self.node.call("farm.count") == 1
        assert [one["name"] for one in self.node.call("node.list")["records"]] == ["barn"]
        assert "Traceback" not in self.node.log()


@pytest.fixture(scope="module")
def door(server: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A node with one record that listens for siblings."""
    settings = {"HERDBOOK_NODE_NAME": "barn", "HERDBOOK_HERD_LISTEN": "tcp:0:interface=127.0.0.1"}
    with node_on(server, tmp_path_factory.mktemp("links"), "links", **settings) as node:
        node.call("farm.create", {"name": "ours"})
        # Before it knows its own origin a node hangs up without a word.
        until(lambda: node.call("herd.status")["origin"] is not None)
        at = urlsplit(node.herd)
        yield Door(node, (str(at.hostname), int(at.port or 0)), server.url("security_links"))


@pytest.mark.parametrize(("sent", "code"), SMUGGLED.values(), ids=SMUGGLED.keys())
def test_a_smuggled_frame_is_refused_with_its_reason(door: Door, sent: bytes, code: str) -> None:
    """And what comes after it, however right, is not read any more."""
    last = greeting() + framed(encode(Portion(1, 0, Delta(999, {}, {999: 1}, (), ()))))
    *_, refusal = door.hear(sent, after=last)
    assert isinstance(refusal, Refusal)
    assert refusal.code.startswith(code)
    door.is_well()


NAMES = [*LITERAL, "x\n2026-01-01 00:00:00,000 ERROR herdbook.node: all is lost", "\x1b[2J"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_sql_and_no_line_of_the_log(door: Door, name: str) -> None:
    """Whoever greets so may be linked; the name is a name, and stays on its line."""
    origin = 1_000 + len(name)
    later = Hello(PROTOCOL + 1, origin, 1, name, "1", {origin: 1})
    *_, refusal = door.hear(greeting(later))
    assert isinstance(refusal, Refusal)
    with socket.create_connection(door.address, timeout=SECONDS) as stranger:
        stranger.sendall(greeting(later._replace(protocol=PROTOCOL)))
        stranger.recv(1)
        door.node.call("herd.status")
    door.is_well()
    assert not any(line.endswith("node: all is lost") for line in door.node.log().splitlines())
    assert "\x1b" not in door.node.log()
    kept = {row for (row,) in read(door.url, "SELECT name FROM herdbook_sibling")}
    assert kept <= {*NAMES, "mole"}
