"""Ranges that a node is to get: how they are written, and what cannot stand together."""

from __future__ import annotations

import pytest

from service.ranges.errors import BlocksRefused, RangeRefused
from service.ranges.wanted import Wanted, read_wanted, refuse_clashes


@pytest.mark.parametrize("text", ["serves=10.1.0.0/16", "pool=2001:db8::/32", "peers=192.0.2.7/32"])
def test_what_is_written_is_read_and_written_alike(text: str) -> None:
    """A purpose and a block."""
    assert str(read_wanted(text)) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("10.1.0.0/16", "range.purpose"),
        ("eats=10.1.0.0/16", "range.purpose"),
        ("serves 10.1.0.0/16", "range.purpose"),
        ("serves=10.1.0.1/16", "range.host_bits"),
        ("serves=", "range.empty"),
        ("pool=10/8", "range.abbreviated"),
        ("peers=0.0.0.0/0", "range.everything"),
    ],
)
def test_what_is_none_is_refused(text: str, code: str) -> None:
    """With the code for programs."""
    with pytest.raises(RangeRefused) as refused:
        read_wanted(text)
    assert refused.value.code == code


def of(*texts: str) -> list[Wanted]:
    """Ranges, read."""
    return list(map(read_wanted, texts))


@pytest.mark.parametrize(
    ("wanted", "others", "there"),
    [
        (["serves=10.1.0.0/16", "serves=10.1.0.0/16"], [], "10.1.0.0/16, served by barn"),
        (["pool=10.0.0.0/8"], ["pool=10.1.0.0/16"], "10.1.0.0/16, pool of shed"),
        (["pool=10.1.2.0/24"], ["pool=10.1.0.0/16"], "10.1.0.0/16, pool of shed"),
        (["serves=10.1.0.0/16"], ["serves=10.1.0.0/16"], "10.1.0.0/16, served by shed"),
        (["serves=10.1.2.0/24"], ["pool=10.1.0.0/16"], "10.1.0.0/16, pool of shed"),
    ],
)
def test_what_is_in_the_way_is_named(wanted: list[str], others: list[str], there: str) -> None:
    """Of the same node, or of another that is invited."""
    with pytest.raises(BlocksRefused, match=there):
        refuse_clashes("barn", of(*wanted), [("shed", each) for each in of(*others)])


def test_what_can_stand_together_is_let_be() -> None:
    """A block within another that is served; one network for peers of both; pools apart."""
    mine = of("serves=10.1.2.0/24", "peers=192.0.2.0/24", "pool=10.3.0.0/16", "serves=10.3.1.0/24")
    theirs = of("serves=10.1.0.0/16", "peers=192.0.2.0/24", "pool=10.4.0.0/16")
    last = of("pool=10.9.0.0/16", "pool=10.9.0.0/16")
    with pytest.raises(BlocksRefused) as refused:
        refuse_clashes("barn", mine + last, [("shed", each) for each in theirs])
    assert list(map(str, refused.value.blocks)) == ["10.9.0.0/16"]
