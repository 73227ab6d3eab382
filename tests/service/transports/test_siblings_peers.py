"""From where siblings come, on real sockets: the right certificate at a wrong address is no use."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.identity.credentials import Paths
from tests.service.herd.blocks import networks
from tests.service.identity.papers import node_files
from tests.service.transports.reactor_thread import in_reactor
from tests.service.transports.secured import (
    TODAY,
    SecuredHerd,
    client_context,
    greeting,
    heard,
    until,
)

ELSEWHERE, HERE = networks(["10.9.0.0/16", "fd00::/8"]), networks(["10.9.0.0/16", "127.0.0.0/8"])
WRONG = "sibling.wrong_address"


@pytest.fixture
def herd(running_reactor: None, tmp_path: Path) -> Iterator[SecuredHerd]:
    """No nodes yet; all are stopped after the test."""
    herd = SecuredHerd(tmp_path)
    yield herd
    herd.stop()


def stolen(herd: SecuredHerd) -> Paths:
    """The certificate and the key of shed, at somebody else's."""
    return node_files(herd.folder / "stolen", herd.authority, "shed", TODAY)


def test_the_right_certificate_from_a_wrong_address_is_told_that_and_nothing_else(
    herd: SecuredHerd,
) -> None:
    """Neither what the node is called nor which addresses are the right ones."""
    herd.node("barn")
    herd.stores["barn"].peers = {"shed": ELSEWHERE}
    in_reactor(herd.rooms["barn"]._own.ask)
    until(lambda: herd.rooms["barn"]._flood is not None)
    told = heard(herd.port("barn"), client_context(stolen(herd)), greeting("shed"))
    assert WRONG.encode() in told
    assert b"127.0.0.1" in told
    assert b"barn" not in told
    assert b"10.9" not in told
    until(lambda: WRONG in "".join(herd.reasons("barn")))
    [refused] = herd.state("barn").siblings
    assert (refused.name, refused.standing.value) == ("shed", "refused")


def test_who_comes_from_his_ranges_is_linked_until_they_are_taken_away(herd: SecuredHerd) -> None:
    """The link ends with them, and nothing more gets through; it is back when they are."""
    address = herd.node("barn")
    herd.stores["barn"].peers = {"shed": HERE}
    herd.node("shed", address)
    until(lambda: herd.rows("barn") == herd.rows("shed") == 2)
    herd.stores["barn"].peers = {"shed": ELSEWHERE}
    until(lambda: herd.siblings("barn") == ())
    until(lambda: WRONG in "".join(herd.reasons("shed")))
    in_reactor(lambda: herd.stores["shed"].insert("country", 70, name="late"))
    until(lambda: WRONG in "".join(herd.reasons("barn")))
    assert herd.rows("barn") == 2
    herd.stores["barn"].peers = {"shed": HERE}
    until(lambda: herd.rows("barn") == 3)
    until(lambda: herd.reasons("barn") == [])


def test_where_a_sibling_is_dialled_is_no_matter(herd: SecuredHerd) -> None:
    """The ranges tell from where links come; so who is shut out can be dialled."""
    address = herd.node("shed")
    herd.node("barn", address)
    herd.stores["barn"].peers = {"shed": ELSEWHERE}
    in_reactor(herd.rooms["barn"]._own.ask)
    until(lambda: herd.rows("barn") == herd.rows("shed") == 2)
    before = herd.rooms["barn"]._flood
    in_reactor(lambda: herd.stores["shed"].insert("country", 70, name="after"))
    until(lambda: herd.rows("barn") == 3)
    assert herd.rooms["barn"]._flood is before


def test_where_ranges_are_required_who_has_none_is_refused(herd: SecuredHerd) -> None:
    """Whatever his certificate says."""
    address = herd.node("barn", peers_required=True)
    herd.node("shed", address)
    until(lambda: WRONG in "".join(herd.reasons("shed")))
    assert [herd.rows(name) for name in herd.rooms] == [1, 1]
    herd.stores["barn"].peers = {"shed": HERE}
    until(lambda: herd.rows("barn") == 2)


def test_the_log_tells_once_who_comes_from_elsewhere(
    herd: SecuredHerd, caplog: pytest.LogCaptureFixture
) -> None:
    """However often he comes."""
    caplog.set_level(logging.WARNING, "herdbook.herd")
    herd.node("barn", peers_required=True)
    context = client_context(stolen(herd))
    for _ in range(5):
        assert WRONG.encode() in heard(herd.port("barn"), context, greeting("shed"))
    until(lambda: WRONG in "".join(herd.reasons("barn")))
    lines = [each.getMessage() for each in caplog.records if WRONG in each.getMessage()]
    assert len(lines) == 1
    assert "no link with shed: shed came from 127.0.0.1" in lines[0]
