"""Whole nodes that listen beyond this machine: over TLS, and to nobody without a token."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.live.node import NodeProcess, migrate, served
from tests.live.test_access import made
from tests.live.units import until
from tests.service.cli.nodes import herdbook
from tests.service.identity.hosts import Signed, authority_file, put, signed

WIDE = "tcp:0:interface=0.0.0.0"


class Host:
    """A machine's name, whose authority some believe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority: Signed = signed("hosts")
        self.renew()
        self.ca = authority_file(folder, self.authority)

    def renew(self) -> None:
        """Another certificate in the place of the former."""
        self.paths = put(self.folder, signed("barn", "127.0.0.1", by=self.authority))

    def settings(self, *wide: str) -> dict[str, str]:
        """A node that shows it; some of its listeners are for everybody."""
        files = {
            "HERDBOOK_LISTEN_CERTIFICATE": str(self.paths.certificate),
            "HERDBOOK_LISTEN_KEY": str(self.paths.key),
            "HERDBOOK_ACCESS_REQUIRED": "true",
        }
        return files | {f"HERDBOOK_LISTEN_{name.upper()}": WIDE for name in wide}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A machine's name."""
    return Host(tmp_path)


def here(url: str) -> str:
    """An address that the host's certificate names."""
    return url.replace("0.0.0.0", "127.0.0.1")


def ran(host: Host, token: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command that believes the host's authority."""
    return herdbook(*words, HERDBOOK_TOKEN=token, HERDBOOK_CA=str(host.ca), **more)


def code_of(command: subprocess.CompletedProcess[str]) -> str:
    """The word of the error with which a command ended."""
    assert command.returncode == 1, command.stdout
    error: Any = json.loads(command.stderr)["error"]
    return str(error["data"]["code"] if "data" in error else error["code"])


@pytest.mark.slow
def test_commands_reach_a_node_over_tls(tmp_path: Path, database: str, host: Host) -> None:
    """Calls, the feed and comparing; with the option or the variable, and with a token."""
    with served(tmp_path, database, **host.settings("rpc", "stream", "admin")) as node:
        rpc, stream, admin = map(here, (node.rpc, node.stream, node.admin))
        assert [urlsplit(one).scheme for one in (rpc, stream, admin)] == ["https", "tls", "https"]
        token = made(tmp_path, "loader", "--role", "write")
        called = ("call", "--json", "--url", rpc, "farm.create", "name=a")
        until(lambda: ran(host, token, *called).returncode == 0)
        option = ("--ca", str(host.ca))
        counted = herdbook(*called[:-2], "farm.count", *option, HERDBOOK_TOKEN=token)
        assert counted.stdout.strip() == "1"
        plain = herdbook("call", "--url", rpc.replace("https://", "http://"), "farm.count")
        assert "begins with https://" in plain.stderr
        followed = ("feed", "tail", "--json", "--url", stream, "--from", "start", "--count", "1")
        tail = ran(host, token, *followed)
        assert json.loads(tail.stdout)["record"] == "farm"
        # That it is one node was told by its answers.
        same = herdbook("verify", rpc, rpc, *option, HERDBOOK_TOKEN=token)
        assert "they have one origin" in same.stderr
        context = ssl.create_default_context(cafile=str(host.ca))
        with urlopen(f"{admin}readyz?verbose", timeout=30, context=context) as probed:
            assert b"[+] listeners: ok" in probed.read()
        assert token not in node.log()


@pytest.mark.slow
def test_a_token_goes_to_nobody_who_is_not_believed(
    tmp_path: Path, database: str, host: Host
) -> None:
    """Neither in the clear nor to another authority's host; and nobody is let in without one."""
    with served(tmp_path, database, **host.settings("rpc", "stream")) as node:
        token = made(tmp_path, "loader", "--role", "write")
        rpc, stream = here(node.rpc), here(node.stream)
        asked = ("call", "--json", "--url", rpc, "farm.count")
        assert code_of(herdbook(*asked, HERDBOOK_TOKEN=token)) == "call.tls"
        followed = ("feed", "consumers", "--json", "--url", stream)
        assert code_of(herdbook(*followed, HERDBOOK_TOKEN=token)) == "call.tls"
        assert code_of(ran(host, "", *asked)) == "access.required"
        far = ("call", "--json", "--url", "http://192.0.2.1:8650/", "farm.count")
        assert code_of(ran(host, token, *far)) == "call.in_the_clear"
        far_stream = ("feed", "consumers", "--json", "--url", "tcp://192.0.2.1:8652")
        assert code_of(ran(host, token, *far_stream)) == "call.in_the_clear"
        wrong = ran(host, token, *asked, "--ca", str(tmp_path / "none.crt"))
        assert code_of(wrong) == "call.ca"
        plain = ("call", "--json", "--url", rpc.replace("https", "http"), "farm.count")
        assert code_of(ran(host, token, *plain)).startswith("call.")


@pytest.mark.slow
def test_a_renewed_certificate_counts_without_a_restart(
    tmp_path: Path, database: str, host: Host
) -> None:
    """Also one of another authority; who believes the former only comes in no more."""
    with served(tmp_path, database, **host.settings("rpc")) as node:
        token = made(tmp_path, "loader", "--role", "write")
        asked = ("call", "--json", "--url", here(node.rpc), "farm.count")
        until(lambda: ran(host, token, *asked).returncode == 0)
        former = host.ca.rename(tmp_path / "former.crt")
        host.authority = signed("other hosts")
        host.ca = authority_file(tmp_path, host.authority)
        host.renew()
        until(lambda: ran(host, token, *asked).returncode == 0)
        assert code_of(herdbook(*asked, "--ca", str(former), HERDBOOK_TOKEN=token)) == "call.tls"
        assert "a new certificate of the listeners counts" in node.log()


def refused(folder: Path, database: str, **settings: str) -> str:
    """What is said of a node that does not start."""
    node = NodeProcess(folder, database, **settings)
    try:
        with pytest.raises(AssertionError, match="did not start") as caught:
            node.start()
    finally:
        node.stop()
    return str(caught.value)


def test_a_node_does_not_listen_wider_without_all_of_it(
    tmp_path: Path, database: str, host: Host
) -> None:
    """No certificate, no tokens, a key that others can read: refused, with what to do."""
    migrate(tmp_path, database)
    whole = host.settings("rpc")
    plain = {key: value for key, value in whole.items() if "CERT" not in key and "KEY" not in key}
    assert "wider needs TLS: add certificate" in refused(tmp_path, database, **plain)
    no_tokens = whole | {"HERDBOOK_ACCESS_REQUIRED": "false"}
    assert "wider needs tokens: add required" in refused(tmp_path, database, **no_tokens)
    host.paths.key.chmod(0o644)
    assert "has mode 644" in refused(tmp_path, database, **whole)
    elsewhere = host.paths.key.rename(tmp_path / "elsewhere.key")
    elsewhere.chmod(0o600)
    host.paths.key.symlink_to(elsewhere)
    log = refused(tmp_path, database, **whole)
    assert "is a symbolic link" in log
    assert "Traceback" not in log
