"""Links over TLS on real sockets: who belongs to the herd is linked, for as long as he does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.herd.retirement import NOBODY, Retired
from service.identity.authority import renew
from service.identity.certificates import certificate_pem, read_certificate
from service.identity.credentials import Paths
from service.identity.files import replace
from service.transports.siblings.terms import LinkLimits
from tests.service.identity.papers import DAY, OTHER_HERD, node_files
from tests.service.identity.papers import herd as new_herd
from tests.service.transports.reactor_thread import in_reactor
from tests.service.transports.secured import TODAY, SecuredHerd, until


@pytest.fixture
def herd(running_reactor: None, tmp_path: Path) -> Iterator[SecuredHerd]:
    """No nodes yet; all are stopped after the test."""
    herd = SecuredHerd(tmp_path)
    yield herd
    herd.stop()


def test_three_nodes_of_a_herd_agree(herd: SecuredHerd) -> None:
    """Each tells the certificate by which it knows the others."""
    first = herd.node("barn")
    herd.node("shed", herd.node("stable", first), first)
    until(lambda: [herd.rows(name) for name in herd.rooms] == [3, 3, 3])
    [linked] = [one for one in herd.siblings("shed") if one.name == "barn"]
    assert linked.fingerprint == herd.security["barn"].card.fingerprint
    assert herd.state("barn").alarms == ()


def test_large_parts_come_whole_over_tls(herd: SecuredHerd) -> None:
    """Megabytes, both ways at once."""

    def fill(name: str, base: int) -> None:
        store = herd.stores[name]
        for key in range(base, base + 600):
            text = f"{key} " + "".join(f"{key * n % 7919:x}" for n in range(400))
            store.insert("country", key, name=text)

    address = herd.node("barn")
    in_reactor(fill, "barn", 1_000)
    herd.node("shed", address)
    in_reactor(fill, "shed", 10_000)
    until(lambda: [herd.rows(name) for name in herd.rooms] == [1_202, 1_202])
    assert len(herd.siblings("barn")) == 1


def test_why_a_link_is_refused_reaches_the_other_side(herd: SecuredHerd) -> None:
    """Over TLS too, though the connection is closed at once after it is told."""
    address = herd.node("barn")
    herd.node("shed", address, calls_itself="stable")
    until(lambda: "sibling.misnamed" in "".join(herd.reasons("shed")))
    until(lambda: "sibling.misnamed" in "".join(herd.reasons("barn")))
    assert "calls itself stable" in "".join(herd.reasons("shed"))


def test_a_certificate_of_another_node_is_of_no_use(herd: SecuredHerd) -> None:
    """Who calls himself otherwise than his certificate is not linked, whoever dialled."""
    address = herd.node("barn")
    impostor = herd.node("shed", address, calls_itself="stable")
    until(lambda: herd.reasons("shed") != [])
    herd.node("stable", impostor)
    until(lambda: herd.reasons("stable") != [])
    assert "its certificate is that of shed" in herd.reasons("stable")[0]
    assert [herd.rows(name) for name in herd.rooms] == [1, 1, 1]


def test_a_retired_sibling_is_refused_at_once(herd: SecuredHerd) -> None:
    """Its link ends, and every other that it makes, until it is taken back."""
    herd.node("shed", herd.node("barn"))
    until(lambda: herd.rows("barn") == herd.rows("shed") == 2)
    herd.stores["barn"].retired = Retired(frozenset(), frozenset({"shed"}))
    until(lambda: herd.siblings("barn") == ())
    until(lambda: "sibling.retired" in "".join(herd.reasons("shed")))
    in_reactor(lambda: herd.stores["shed"].insert("country", 70, name="late"))
    until(lambda: "sibling.retired" in "".join(herd.reasons("barn")))
    assert herd.rows("barn") == 2
    herd.stores["barn"].retired = NOBODY
    in_reactor(lambda: herd.rooms["barn"]._own.ask())
    until(lambda: herd.rows("barn") == 3)


def renew_at(herd: SecuredHerd, name: str, days: int) -> None:
    """A new certificate takes the place of a node's."""
    path = herd.folder / name / "node.crt"
    former = read_certificate(path.read_bytes(), "")
    replace(path, certificate_pem(renew(herd.authority, former, TODAY, days)))


def test_an_exchanged_certificate_counts_without_a_restart(
    herd: SecuredHerd, caplog: pytest.LogCaptureFixture
) -> None:
    """From the next connection on; the log says which."""
    caplog.set_level(logging.INFO, "herdbook.herd")
    herd.node("shed", herd.node("barn"))
    until(lambda: herd.siblings("shed"))
    former = herd.fingerprint("barn")
    renew_at(herd, "barn", 100)
    until(lambda: herd.fingerprint("barn") != former)
    latter = herd.fingerprint("barn")
    assert f"a new certificate counts, until {TODAY + 100 * DAY:%Y-%m-%d}" in caplog.text
    assert latter in caplog.text
    assert herd.fingerprints("shed") == [former]
    for connection in tuple(herd.rooms["barn"]._open.values()):
        in_reactor(connection.cut_off)
    until(lambda: herd.fingerprints("shed") == [latter])


def test_a_link_ends_when_one_of_the_two_goes_over_to_another_herd(herd: SecuredHerd) -> None:
    """It was made by certificates that no longer say anything there."""
    herd.node("shed", herd.node("barn"))
    until(lambda: herd.siblings("barn") and herd.siblings("shed"))
    other = new_herd(TODAY, OTHER_HERD)
    new = node_files(herd.folder / "other", other, "barn", TODAY)
    for name in ("node.key", "ca.crt", "node.crt"):
        (new.key.parent / name).replace(herd.folder / "barn" / name)
    until(lambda: herd.siblings("barn") == herd.siblings("shed") == ())
    in_reactor(herd.rooms["shed"]._diallers.start)
    until(lambda: "not this herd's authority" in "".join(herd.reasons("shed")))


def test_files_that_cannot_be_used_leave_the_former_ones_counting(
    herd: SecuredHerd, caplog: pytest.LogCaptureFixture
) -> None:
    """An alarm says what is wrong with them, without a word of the key; it ends with it."""
    address = herd.node("barn")
    key = herd.folder / "barn" / "node.key"
    secret = key.read_text()
    key.chmod(0o644)
    key.write_text(secret + "\n")
    until(lambda: herd.state("barn").alarms != ())
    [alarm] = herd.state("barn").alarms
    assert alarm.code == "certificate.unreadable"
    assert "has mode 644" in alarm.text
    herd.node("shed", address)
    until(lambda: herd.rows("shed") == 2)
    key.chmod(0o600)
    key.write_text(secret)
    until(lambda: herd.state("barn").alarms == ())
    for line in secret.splitlines()[1:-1]:
        assert line not in caplog.text


def test_a_link_ends_with_the_certificate_it_was_made_by(herd: SecuredHerd) -> None:
    """Who does not renew is linked no more; who does is linked again by himself."""
    herd.node("shed", herd.node("barn"))
    until(lambda: herd.siblings("shed"))
    herd.now = TODAY + 300 * DAY
    until(lambda: [one.code for one in herd.state("shed").warnings] == ["certificate.due"])
    assert (herd.siblings("shed") != (), herd.state("shed").alarms) == (True, ())
    herd.now = TODAY + 350 * DAY
    until(lambda: [one.code for one in herd.state("shed").alarms] == ["certificate.ending"])
    herd.now = TODAY + 366 * DAY
    until(lambda: herd.siblings("barn") == herd.siblings("shed") == ())
    assert [one.code for one in herd.state("shed").alarms] == ["certificate.expired"]
    for name in herd.rooms:
        renew_at(herd, name, 1_000)
    until(lambda: herd.state("barn").alarms == herd.state("shed").alarms == ())
    in_reactor(herd.rooms["shed"]._diallers.start)
    until(lambda: herd.siblings("barn") and herd.siblings("shed"))
    assert herd.rows("barn") == 2


def test_nobody_is_linked_by_an_authority_that_has_expired(herd: SecuredHerd) -> None:
    """It is said so, and not that somebody else has signed."""
    herd.authority = new_herd(TODAY - 3_700 * DAY)
    herd.now = TODAY - 60 * DAY
    papers = [
        node_files(herd.folder / name, herd.authority, name, herd.now) for name in ("barn", "shed")
    ]
    herd.node("shed", herd.node("barn", paths=papers[0]), paths=papers[1])
    until(lambda: "this herd's authority has expired" in "".join(herd.reasons("shed")))
    assert (herd.rows("barn"), herd.rows("shed")) == (1, 1)


def test_who_is_too_many_is_not_let_in(herd: SecuredHerd) -> None:
    """Where no connection may be made any more there is none over TLS either."""
    address = herd.node("barn", limits=LinkLimits(links=0))
    herd.node("shed", address)
    until(lambda: "tls.no_handshake" in "".join(herd.reasons("shed")))
    assert (herd.rows("barn"), herd.state("barn").siblings) == (1, ())


def test_a_stopped_node_leaves_no_connection(herd: SecuredHerd) -> None:
    """The other side is told, and looks for it."""
    herd.node("shed", herd.node("barn"))
    until(lambda: herd.siblings("shed"))
    barn = herd.rooms.pop("barn")
    in_reactor(barn.stop)
    until(lambda: herd.siblings("shed") == ())
    assert barn._open == {}


def test_paths_of_another_node_are_refused_at_the_start(herd: SecuredHerd) -> None:
    """Before anything listens."""
    from service.identity.errors import IdentityRefused

    paths: Paths = node_files(herd.folder / "other", herd.authority, "other", TODAY)
    with pytest.raises(IdentityRefused, match="is that of node other, and this is barn"):
        herd.node("barn", paths=paths)
    assert herd.rooms == {}
