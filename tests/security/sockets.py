"""The network sockets of a process, as the system tells of them in /proc."""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_LISTENS = "0A"
_KINDS = ("tcp", "tcp6", "udp", "udp6")


class Socket(NamedTuple):
    """A socket that anybody can send to: one that listens for TCP, or any for UDP."""

    kind: str
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int


def open_sockets(pid: int) -> list[Socket]:
    """Those of a process. UDP sockets count that are at a port and connected to nobody."""
    own = set(_inodes(pid))
    return [each for kind in _KINDS for each, inode in _table(pid, kind) if inode in own]


def _inodes(pid: int) -> Iterator[str]:
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        # The handle by which the folder itself is read is gone by then.
        with suppress(FileNotFoundError):
            found = re.fullmatch(r"socket:\[([0-9]+)\]", str(handle.readlink()))
            if found:
                yield found[1]


def _table(pid: int, kind: str) -> Iterator[tuple[Socket, str]]:
    """Each line tells both addresses, the state, and in its tenth column the inode."""
    file = Path(f"/proc/{pid}/net/{kind}")
    for line in file.read_text().splitlines()[1:] if file.exists() else []:
        columns = line.split()
        address, _, port = columns[1].partition(":")
        is_open = columns[3] == _LISTENS if kind.startswith("tcp") else columns[2].endswith(":0000")
        if is_open:
            yield Socket(kind, _address(address), int(port, 16)), columns[9]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """In words of 32 bits, each in the machine's own order."""
    words = (int(text[at : at + 8], 16) for at in range(0, len(text), 8))
    raw = b"".join(struct.pack("=I", word) for word in words)
    return ipaddress.ip_address(raw)
