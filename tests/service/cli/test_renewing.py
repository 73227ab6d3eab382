"""`herdbook node renew`: a node gets another certificate at a gate that is open for that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.cli import renewing
from service.identity.credentials import load_credentials
from service.identity.joining.place import paths_in
from tests.service.cli.gates import Gate, Herdbook


@pytest.fixture
def gate(tmp_path: Path, herdbook: Herdbook) -> Iterator[Gate]:
    """A gate that is not open yet."""
    made = Gate(tmp_path / "authority", herdbook)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def test_a_node_renews_its_certificate_at_a_gate_that_is_open_for_that(
    gate: Gate, herdbook: Herdbook, tmp_path: Path
) -> None:
    """As often as it asks; the key stays. Where the gate is not, the file stays as it was."""
    token = gate.invite("barn", "--days", "30")
    gate.open("--renew", "90")
    assert herdbook("join", gate.address, token, "--no-start", "--dir", "barn").code == 0
    paths = paths_in(tmp_path / "barn")
    key, first = paths.key.read_bytes(), paths.certificate.read_bytes()
    words = ("node", "renew", gate.address, str(paths.certificate), "--json")
    ran = herdbook(*words, "--when-due")
    assert (ran.code, ran.document()["renewed"]) == (0, False)
    assert paths.certificate.read_bytes() == first
    ran = herdbook(*words)
    assert (ran.code, ran.document()["renewed"]) == (0, True), ran.err
    found = load_credentials(paths, "barn", datetime.now(UTC))
    assert found.card.fingerprint == ran.document()["fingerprint"]
    assert found.card.life.ends - datetime.now(UTC) > timedelta(days=89)
    assert paths.key.read_bytes() == key
    later = datetime.now(UTC) + timedelta(days=80)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(renewing, "_now", lambda: later)
        ran = herdbook(*words, "--when-due")
    assert "gate's certificate counts" in ran.err
    second = paths.certificate.read_bytes()
    gate.kill()
    gate.invite("mill")
    gate.open()
    ran = herdbook("node", "renew", gate.address, str(paths.certificate), "--json")
    assert (ran.code, ran.error()["code"]) == (1, "renewal.closed")
    assert paths.certificate.read_bytes() == second != first


def test_a_certificate_is_renewed_by_the_gate_of_its_herd_only(
    gate: Gate, herdbook: Herdbook, tmp_path: Path
) -> None:
    """Nothing is shown to another one; nor is anything asked without the key."""
    assert herdbook("herd", "ca", "issue", "barn", "--ca", str(gate.folder)).code == 0
    mine = gate.folder / "nodes/barn/node.crt"
    strange = Gate(tmp_path / "strange", herdbook)
    strange.open("--renew", "90")
    try:
        ran = herdbook("node", "renew", strange.address, str(mine))
        assert (ran.code, "not of the herd" in ran.err) == (1, True)
    finally:
        strange.kill()
    mine.with_name("node.key").unlink()
    ran = herdbook("node", "renew", "tcp://127.0.0.1:1", str(mine))
    assert (ran.code, "node.key" in ran.err) == (1, True)
