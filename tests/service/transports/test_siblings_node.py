"""Whole nodes with a herd: what the configuration says is what runs, and nothing else."""

from __future__ import annotations

import logging
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError

import pytest
from twisted.internet.defer import Deferred

from records.catalogue import load_catalogue
from service.config import Configuration, load_configuration
from service.identity.authority import Authority
from service.identity.errors import IdentityRefused
from service.node import Addresses, Node
from service.transports.listening import CannotListen
from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.identity.papers import herd as new_herd
from tests.service.identity.papers import node_files
from tests.service.transports.reactor_thread import in_reactor, reactor

SECONDS = 30
ANY_PORT = "tcp:0:interface=127.0.0.1"


def configured(folder: Path, name: str, **herd: str) -> Configuration:
    """A node whose database does not answer; its herd is set by the environment."""
    environment = {f"HERDBOOK_HERD_{key.upper()}": value for key, value in herd.items()}
    return load_configuration(
        None,
        {
            "HERDBOOK_NODE_RECORDS": "farm.records",
            "HERDBOOK_NODE_NAME": name,
            "HERDBOOK_DATABASE_URL": f"mysql://me@localhost/x?unix_socket={folder}/none",
            "HERDBOOK_LISTEN_RPC": ANY_PORT,
            "HERDBOOK_LISTEN_ADMIN": ANY_PORT,
            "HERDBOOK_LISTEN_STREAM": ANY_PORT,
            **environment,
        },
    )


class Running:
    """A node that runs, and the store of its herd."""

    def __init__(self, configuration: Configuration, store: MemoryHerdStore) -> None:
        def build() -> Node:
            catalogue = load_catalogue("examples.gazetteer.records")
            return Node(configuration, catalogue, reactor, herd_store=store)

        self.node: Node = in_reactor(build)
        self.addresses = cast(Addresses, in_reactor(self._start))

    def _start(self) -> Any:
        return Deferred.fromCoroutine(self.node.start())

    def stop(self) -> None:
        """Stop it."""
        in_reactor(lambda: Deferred.fromCoroutine(self.node.stop()))

    def asked(self, path: str) -> str:
        """A page of its admin listener, whatever the status."""
        try:
            with urllib.request.urlopen(self.addresses.admin + path, timeout=SECONDS) as page:
                return cast(bytes, page.read()).decode()
        except HTTPError as error:
            return error.read().decode()


@pytest.fixture
def run(running_reactor: None, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts nodes; all are stopped after the test, before its folder goes."""
    started: list[Running] = []

    def run(configuration: Configuration, store: MemoryHerdStore) -> Running:
        started.append(Running(configuration, store))
        return started[-1]

    yield run
    for each in started:
        each.stop()


def test_two_nodes_with_a_link_exchange_what_they_have(
    run: Callable[..., Running], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One listens on a socket, the other looks for it; the rest tells of it."""
    caplog.set_level(logging.INFO, "herdbook.herd")
    one, other = MemoryHerdStore(1), MemoryHerdStore(2)
    one.insert("country", 1, name="Germany")
    first = run(configured(tmp_path, "one", listen=f"unix:{tmp_path}/herd.sock"), one)
    assert first.addresses.herd == f"unix:{tmp_path}/herd.sock"
    second = run(configured(tmp_path, "two", siblings=f"unix:{tmp_path}/herd.sock"), other)
    end = time.monotonic() + SECONDS
    while in_reactor(other.rows) != in_reactor(one.rows):
        assert time.monotonic() < end, "the nodes do not agree"
        time.sleep(0.01)
    assert "[+] herd: ok" in second.asked("readyz?verbose")
    assert 'herdbook_links{state="eager"} 1.0' in second.asked("metrics")
    assert "linked with two (origin 102) at a unix socket" in caplog.messages


def test_a_database_that_does_not_answer_is_told_by_readiness(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    """The node runs all the same, and its herd waits."""
    store = MemoryHerdStore(1)
    store.reads_fail = True
    node = run(configured(tmp_path, "one", listen=ANY_PORT), store)
    assert "[-] herd: the database does not say" in node.asked("readyz?verbose")


def test_without_herd_nothing_of_it_runs(run: Callable[..., Running], tmp_path: Path) -> None:
    """No listener, no check, no numbers."""
    node = run(configured(tmp_path, "one"), MemoryHerdStore(1))
    assert node.addresses.herd is None
    assert "herd:" not in node.asked("readyz?verbose")
    assert "herdbook_links" not in node.asked("metrics")


def test_a_listener_that_cannot_be_had_is_named(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    """The key, the address and the reason; nothing stays open."""
    first = run(configured(tmp_path, "one", listen=ANY_PORT), MemoryHerdStore(1))
    assert first.addresses.herd is not None
    port = first.addresses.herd.rpartition(":")[2]
    taken = f"tcp:{port}:interface=127.0.0.1"
    with pytest.raises(CannotListen, match=f"herd.listen = {taken}: .*in use"):
        run(configured(tmp_path, "two", listen=taken), MemoryHerdStore(2))


def secured(folder: Path, name: str, authority: Authority, **herd: str) -> Configuration:
    """A node with a certificate."""
    paths = node_files(folder / name, authority, name, datetime.now(UTC))
    files = {key: str(path) for key, path in paths._asdict().items()}
    return configured(folder, name, **herd, **files)


@pytest.mark.parametrize("listen", [ANY_PORT, "unix:{}/herd.sock"])
def test_nodes_with_certificates_are_linked_as_they_are_configured(
    run: Callable[..., Running], tmp_path: Path, listen: str
) -> None:
    """The same configuration as without, and three files."""
    authority = new_herd(datetime.now(UTC))
    one, other = MemoryHerdStore(1), MemoryHerdStore(2)
    one.insert("country", 1, name="Germany")
    first = run(secured(tmp_path, "one", authority, listen=listen.format(tmp_path)), one)
    assert first.addresses.herd is not None
    address = first.addresses.herd.replace("//", "")
    second = run(secured(tmp_path, "two", authority, siblings=address), other)
    end = time.monotonic() + SECONDS
    while in_reactor(other.rows) != in_reactor(one.rows):
        assert time.monotonic() < end, "the nodes do not agree"
        time.sleep(0.01)
    assert second.node.herd is not None
    [linked] = in_reactor(second.node.herd.state).siblings
    assert linked.fingerprint is not None


def test_a_node_whose_key_others_can_read_does_not_start(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    """Nothing listens; it says what to do."""
    configuration = secured(tmp_path, "one", new_herd(datetime.now(UTC)), listen=ANY_PORT)
    (tmp_path / "one" / "node.key").chmod(0o644)
    with pytest.raises(IdentityRefused, match=r"node\.key has mode 644") as caught:
        run(configuration, MemoryHerdStore(1))
    assert "chmod 600" in caught.value.hint
