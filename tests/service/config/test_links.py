"""Links between machines need TLS, and TLS needs three files; without it they stay here."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.config import Configuration, ConfigurationError, load_configuration
from service.config.advertised import advertised_url
from service.config.endpoints import check_any_endpoint
from service.config.problems import ValueWrong
from service.config.siblings import check_any_sibling
from service.herd.link_urls import endpoint_in

FILES = {"certificate": "node.crt", "key": "node.key", "ca": "ca.crt"}
WIDE = {"listen": "tcp:8653:interface=0.0.0.0", "siblings": "tcp:192.0.2.7:8653"}


def loaded(folder: Path, **herd: str) -> Configuration:
    """A configuration whose herd is as given."""
    lines = [f'{key} = "{value}"' for key, value in herd.items() if key != "siblings"]
    if "siblings" in herd:
        lines.append(f"siblings = {herd['siblings'].split()}")
    (folder / "herdbook.toml").write_text(
        '[node]\nrecords = "farm.records"\n[database]\nurl = "mysql://me@db/farm"\n[herd]\n'
        + "\n".join(lines)
    )
    return load_configuration(folder / "herdbook.toml", {})


def mistakes(folder: Path, **herd: str) -> list[str]:
    """What is wrong with it, a line each."""
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, **herd)
    return [f"{one.where} {one.message}: {one.advice}" for one in caught.value.problems]


@pytest.mark.parametrize("key", ["listen", "siblings"])
def test_beyond_this_machine_nothing_is_linked_without_tls(tmp_path: Path, key: str) -> None:
    """Refused, with what to do about it."""
    [told] = mistakes(tmp_path, **{key: WIDE[key]})
    assert f"[herd] {key}" in told
    assert "is not the loopback" in told
    assert "TLS" in told


def test_with_tls_links_may_lead_anywhere(tmp_path: Path) -> None:
    """The files are found beside the configuration."""
    herd = loaded(tmp_path, **WIDE, **FILES).herd
    assert (herd.listen, herd.siblings) == (WIDE["listen"], (WIDE["siblings"],))
    assert (herd.certificate, herd.key) == (tmp_path / "node.crt", tmp_path / "node.key")


@pytest.mark.parametrize("missing", FILES)
def test_two_of_the_three_files_are_of_no_use(tmp_path: Path, missing: str) -> None:
    """One mistake, though addresses beyond this machine stand there too; the third is named."""
    files = {key: name for key, name in FILES.items() if key != missing}
    [told] = mistakes(tmp_path, **WIDE, **files)
    assert f"herd.{missing} is missing: name all three" in told


def test_tls_for_links_opens_no_other_listener(tmp_path: Path) -> None:
    """Calls and probes stay on this machine."""
    with pytest.raises(ConfigurationError, match="is not the loopback"):
        load_configuration(
            None,
            {
                "HERDBOOK_NODE_RECORDS": "farm.records",
                "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
                "HERDBOOK_LISTEN_RPC": "tcp:8650:interface=0.0.0.0",
                **{f"HERDBOOK_HERD_{key.upper()}": name for key, name in FILES.items()},
            },
        )


@pytest.mark.parametrize(
    "address",
    [
        "tcp:barn.example.org:8653",
        "tcp:barn:8653:timeout=5",
        "tcp:192.0.2.7:8653",
        r"tcp:2001\:db8\:\:1:8653",
        "unix:/run/herd.sock",
    ],
)
def test_a_sibling_may_be_anywhere_with_tls(address: str) -> None:
    """By address or by name, since it is not the name that is believed."""
    assert check_any_sibling(address) == address


@pytest.mark.parametrize(
    "address",
    ["tcp:0.0.0.0:1", r"tcp:\:\::1", "tcp:1.2.3:1", "tcp:-a:1", "tcp:a b:1", "tcp:a/b:1", "tcp::1"],
)
def test_what_leads_nowhere_is_refused_with_tls_too(address: str) -> None:
    """Neither an address nor a name."""
    with pytest.raises(ValueWrong, match="neither an IP address nor the name of a host"):
        check_any_sibling(address)


@pytest.mark.parametrize("endpoint", ["tcp:8653", "tcp:8653:interface=barn", "tls:8653"])
def test_where_it_listens_is_said_with_tls_too(endpoint: str) -> None:
    """Nobody opens all interfaces by leaving something out."""
    with pytest.raises(ValueWrong):
        check_any_endpoint(endpoint)


def strict(folder: Path, *more: str) -> Configuration:
    """A configuration that requires `peers` ranges."""
    lines = ["peers_required = true", *more]
    (folder / "herdbook.toml").write_text(
        '[node]\nrecords = "farm.records"\n[database]\nurl = "mysql://me@db/farm"\n[herd]\n'
        + "\n".join(lines)
    )
    return load_configuration(folder / "herdbook.toml", {})


def test_ranges_of_peers_are_required_with_tls_only(tmp_path: Path) -> None:
    """Without it they would be told to count, and would not."""
    files = [f'{key} = "{name}"' for key, name in FILES.items()]
    assert strict(tmp_path, *files).herd.peers_required is True
    with pytest.raises(ConfigurationError) as caught:
        strict(tmp_path)
    [problem] = caught.value.problems
    assert "[herd] peers_required" in problem.where
    assert "without it `peers` ranges count for nothing" in problem.message


@pytest.mark.parametrize(
    ("advertised", "url"),
    [
        ("tcp:barn.example.org:8653", "herdbook+tcp://barn.example.org:8653"),
        ("tcp:192.0.2.7:1", "herdbook+tcp://192.0.2.7:1"),
        (r"tcp:2001\\:db8\\:\\:7:8653", "herdbook+tcp://[2001:db8::7]:8653"),
    ],
)
def test_where_a_node_is_reached_is_a_url_in_its_record(
    tmp_path: Path, advertised: str, url: str
) -> None:
    """By which others dial just that."""
    herd = loaded(tmp_path, **WIDE, **FILES, advertise=advertised).herd
    assert advertised_url(herd.advertise) == url
    assert endpoint_in([url]) == herd.advertise


@pytest.mark.parametrize(
    ("advertised", "told"),
    [
        ("unix:/run/barn.sock", "not of use to other nodes"),
        ("tcp:host=barn:port=1", "not of use to other nodes"),
        ("tcp:barn:1:timeout=3", "not of use to other nodes"),
        ("tcp:0.0.0.0:8653", "neither an IP address nor the name"),
        ("barn:8653", "no links of kind"),
    ],
)
def test_what_others_could_not_dial_is_not_advertised(
    tmp_path: Path, advertised: str, told: str
) -> None:
    """It says what to write."""
    assert told in "".join(mistakes(tmp_path, **WIDE, **FILES, advertise=advertised))


def test_a_node_advertises_only_what_it_listens_on(tmp_path: Path) -> None:
    """Nor, without TLS, what leads away from this machine."""
    siblings = {"siblings": WIDE["siblings"]}
    [told] = mistakes(tmp_path, **siblings, **FILES, advertise="tcp:192.0.2.7:1")
    assert "does not listen for siblings" in told
    [told] = mistakes(tmp_path, listen="tcp:1:interface=127.0.0.1", advertise="tcp:192.0.2.7:2")
    assert "is not the loopback" in told
