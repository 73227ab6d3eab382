"""`docs/security.md`: its commands run, its configuration loads, and its reasons are those told."""

from __future__ import annotations

import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.cli.main import run
from service.config import Configuration, load_configuration
from service.herd.admission import MISNAMED, RETIRED, WRONG_ADDRESS
from service.identity.listener import ListenerPaths, load_listener
from service.transports.siblings.connection import CROWDED, NO_TLS
from service.transports.siblings.terms import LinkLimits
from service.transports.siblings.tls import DUE, ENDING, EXPIRED, UNREADABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
TLS = (ROOT / "service" / "transports" / "siblings" / "tls.py").read_text()


def blocks(kind: str) -> list[str]:
    """What stands in the page's blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other, in an empty folder; what they show is whose certificates there are."""
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) >= 4
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "herdbook"
        assert run(words) == 0, line
    assert "node barn of herd" in capsys.readouterr().out
    found = sorted(path.name for path in (tmp_path / "authority/nodes/barn").iterdir())
    assert found == ["ca.crt", "node.crt", "node.key"]


def test_the_configuration_of_the_page_loads(tmp_path: Path) -> None:
    """As it stands there, but for the records and the database: that of links, of listeners."""
    links, listeners = (loaded(tmp_path, written) for written in blocks("toml"))
    listen = listeners.listen
    assert listen.files == (tmp_path / "listener.crt", tmp_path / "listener.key")
    assert (listen.rpc, listeners.access.required) == ("tcp:8650:interface=0.0.0.0", True)
    herd = links.herd
    assert herd.certificate == tmp_path / "herd/node.crt"
    assert herd.siblings == ("tcp:shed.example.org:8653",)


def loaded(folder: Path, written: str) -> Configuration:
    """A configuration, with what every node needs besides."""
    (folder / "herdbook.toml").write_text(written)
    environment = {
        "HERDBOOK_NODE_RECORDS": "farm.records",
        "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
    }
    return load_configuration(folder / "herdbook.toml", environment)


def test_the_certificate_of_the_page_can_be_shown(tmp_path: Path) -> None:
    """What its command makes is taken, for the hosts that it names."""
    [block] = blocks("bash")
    making = block[: block.index("HERDBOOK_TOKEN")]
    subprocess.run(["bash", "-ec", making], cwd=tmp_path, check=True, capture_output=True)
    paths = ListenerPaths(tmp_path / "listener.crt", tmp_path / "listener.key")
    assert load_listener(paths, datetime.now(UTC)).hosts == ("localhost", "127.0.0.1")


def coded(text: str) -> set[str]:
    """The codes that begin the lines of tables."""
    return set(re.findall(r"^\| `([a-z._]+)` \|", text, re.MULTILINE))


def test_the_reasons_of_the_page_are_those_that_nodes_tell() -> None:
    """Every code in its table, and every alarm it names."""
    reasons, own = PAGE.split("### Renewing")
    told = {
        MISNAMED,
        RETIRED,
        WRONG_ADDRESS,
        EXPIRED,
        NO_TLS.code,
        *re.findall(r'"(tls\.[a-z]+)"', TLS),
    }
    assert coded(reasons) == told
    assert told.isdisjoint({CROWDED.code})
    assert coded(own) == {DUE, ENDING, EXPIRED, UNREADABLE}


def test_the_limits_of_the_page_are_those_that_count() -> None:
    """Seconds of a handshake and how many there are at once."""
    limits = LinkLimits()
    assert "A handshake may take ten seconds." in PAGE
    assert "there are fifty at most" in PAGE
    assert (limits.handshake_seconds, limits.handshakes, limits.note_seconds) == (10, 50, 5)


def test_every_attack_of_the_page_is_tried() -> None:
    """Each test that it names is there."""
    table = PAGE.partition("## Attacks that are tried")[2]
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 20
    for row in rows:
        assert "test_" in row
        for file, names in re.findall(r"`([a-z_/]+\.py)` ((?:`test_[a-z0-9_]+`(?:, )?)+)", row):
            defined = re.findall(r"^def (test_\w+)", (ROOT / "tests" / file).read_text(), re.M)
            assert set(re.findall(r"`(test_\w+)`", names)) <= set(defined), row
        assert len(re.findall("`test_", row)) >= len(re.findall(r"\.py`", row)) >= 1
