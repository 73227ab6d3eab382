"""Applications on other machines are listened for with TLS and tokens only; else it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.config import Configuration, ConfigurationError, load_configuration

FILES = {"certificate": "listener.crt", "key": "listener.key"}
WIDE = ["tcp:8650:interface=0.0.0.0", "tcp:8650:interface=192.0.2.7", r"tcp6:8650:interface=\:\:"]
LISTENERS = ["rpc", "stream", "admin"]


def loaded(folder: Path, required: bool, **listen: str) -> Configuration:
    """A configuration whose listeners are as given."""
    lines = [f"{key} = '{value}'" for key, value in listen.items()]
    (folder / "herdbook.toml").write_text(
        '[node]\nrecords = "farm.records"\n[database]\nurl = "mysql://me@db/farm"\n'
        f"[access]\nrequired = {str(required).lower()}\n[listen]\n" + "\n".join(lines)
    )
    return load_configuration(folder / "herdbook.toml", {})


def mistakes(folder: Path, required: bool, **listen: str) -> list[str]:
    """What is wrong with it, a line each."""
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, required, **listen)
    return [f"{one.where} {one.message}: {one.advice}" for one in caught.value.problems]


@pytest.mark.parametrize("name", LISTENERS)
@pytest.mark.parametrize("endpoint", WIDE)
def test_with_tls_and_tokens_it_may_be_wider(tmp_path: Path, name: str, endpoint: str) -> None:
    """Every listener; the files are found beside the configuration."""
    listen = loaded(tmp_path, True, **{name: endpoint.replace("8650", "8700")}, **FILES).listen
    assert getattr(listen, name) == endpoint.replace("8650", "8700")
    assert listen.files == (tmp_path / "listener.crt", tmp_path / "listener.key")


@pytest.mark.parametrize("name", LISTENERS)
def test_what_is_missing_is_said(tmp_path: Path, name: str) -> None:
    """The lines to add, for this listener; what is there already is not asked for."""
    listen = {name: "tcp:8700:interface=0.0.0.0"}
    [both] = mistakes(tmp_path, False, **listen)
    assert f"[listen] {name}" in both
    assert "0.0.0.0 is not the loopback" in both
    assert 'certificate = "FILE" and key = "FILE" under [listen]' in both
    assert "required = true under [access]" in both
    [tls] = mistakes(tmp_path, True, **listen)
    assert "certificate" in tls
    assert "[access]" not in tls
    [tokens] = mistakes(tmp_path, False, **listen, **FILES)
    assert "required = true under [access]" in tokens
    assert "certificate" not in tokens


@pytest.mark.parametrize("missing", FILES)
def test_one_of_the_two_files_is_of_no_use(tmp_path: Path, missing: str) -> None:
    """One mistake, though a listener beyond this machine stands there too."""
    files = {key: name for key, name in FILES.items() if key != missing}
    [told] = mistakes(tmp_path, True, rpc="tcp:8650:interface=0.0.0.0", **files)
    assert f"listen.{missing} is missing: name both" in told


@pytest.mark.parametrize("required", [True, False])
def test_on_this_machine_tls_needs_no_tokens(tmp_path: Path, required: bool) -> None:
    """Whoever wants it has it there as well."""
    assert loaded(tmp_path, required, **FILES).listen.files is not None


def test_out_of_the_box_nothing_leaves_this_machine(tmp_path: Path) -> None:
    """No TLS, no tokens, and every listener on the loopback."""
    configuration = loaded(tmp_path, False)
    listen = configuration.listen
    assert listen.files is None
    for endpoint in (listen.rpc, listen.stream, listen.admin):
        assert endpoint.endswith(":interface=127.0.0.1")
    assert configuration.herd.listen == ""


@pytest.mark.parametrize("endpoint", ["tcp:8650", "tcp:8650:interface=barn", "ssl:8650"])
def test_where_it_listens_is_said_with_tls_too(tmp_path: Path, endpoint: str) -> None:
    """Nobody opens all interfaces by leaving something out."""
    [told] = mistakes(tmp_path, True, rpc=endpoint, **FILES)
    assert "[listen] rpc" in told


def test_the_herds_files_open_no_listener(tmp_path: Path) -> None:
    """They name nodes, and no hosts."""
    with pytest.raises(ConfigurationError, match="is not the loopback"):
        load_configuration(
            None,
            {
                "HERDBOOK_NODE_RECORDS": "farm.records",
                "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
                "HERDBOOK_ACCESS_REQUIRED": "true",
                "HERDBOOK_LISTEN_RPC": "tcp:8650:interface=0.0.0.0",
                **{f"HERDBOOK_HERD_{key.upper()}": key for key in ("certificate", "key", "ca")},
            },
        )
