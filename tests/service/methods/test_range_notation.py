"""Blocks that are written badly: what the methods about ranges tell of them, of both families."""

from __future__ import annotations

import pytest

from tests.service.methods.test_family import ROW, family

NOTATION = [
    ("10.0.0.1/8", "range.host_bits", "10.0.0.1/8 has host bits set; the block is 10.0.0.0/8"),
    ("2001:db8::1/32", "range.host_bits", "has host bits set; the block is 2001:db8::/32"),
    ("10.0.0.0/255.0.0.0", "range.netmask", "write 10.0.0.0/8"),
    ("2001:db8::/ffff:ffff::", "range.netmask", "write 2001:db8::/32"),
    ("10.0.0.0/0.255.255.255", "range.hostmask", "write 10.0.0.0/8"),
    ("2001:db8::/::ffff", "range.hostmask", "write 2001:db8::/112"),
    ("10.0.0.0/255.0.255.0", "range.prefix", "is no number of bits"),
    ("10.0.0.0/33", "range.prefix", "no longer than 32; write 10.0.0.0/32"),
    ("2001:db8::/129", "range.prefix", "no longer than 128; write 2001:db8::/128"),
    ("10.0.0.0/08", "range.prefix", "zeros before the prefix length; write 10.0.0.0/8"),
    ("10.0.0.0", "range.prefix", "write 10.0.0.0/32 for this one address"),
    ("2001:db8::", "range.prefix", "write 2001:db8::/128 for this one address"),
    ("10.0.0.0/-1", "range.prefix", "is no number of bits"),
    ("10/8", "range.abbreviated", "10/8 is abbreviated; write 10.0.0.0/8"),
    ("2001:db8/32", "range.notation", "is no IPv4 or IPv6 address"),
    ("010.0.0.0/8", "range.octal", "write 8.0.0.0/8 or 10.0.0.0/8"),
    ("0x0a.0.0.0/8", "range.hexadecimal", "write 10.0.0.0/8"),
    ("0x0a000000/8", "range.hexadecimal", "write 10.0.0.0/8"),
    ("10.0.0.256/32", "range.octet", "256 is not between 0 and 255"),
    ("fe80::%eth0/64", "range.zone", "write fe80::/64"),
    ("::ffff:10.0.0.0/104", "range.mapped", "is IPv4 in IPv6; write 10.0.0.0/8"),
    ("::10.0.0.0/104", "range.mapped", "is IPv4 in IPv6; write 10.0.0.0/8"),
    ("", "range.empty", "nothing is written here"),
    (" ", "range.empty", "nothing is written here"),
    (" 10.0.0.0/8", "range.blanks", "has blanks in it; write 10.0.0.0/8"),
    ("2001:db8:: /32", "range.blanks", "has blanks in it; write 2001:db8::/32"),
    ("[2001:db8::]/32", "range.notation", "write 2001:db8::/32"),
    ("10.0.0.0/8/8", "range.notation", "has more than one slash"),
    ("10.0.*.*", "range.span", "write 10.0.0.0/16"),
    ("10.0.0.0-10.0.0.255", "range.span", "write 10.0.0.0/24"),
    ("10.0.0.0/\N{ARABIC-INDIC DIGIT EIGHT}", "range.prefix", "is no number of bits"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "code", "said"), NOTATION, ids=[n[0] for n in NOTATION])
def test_what_is_not_written_in_one_way_is_told_what_to_write(
    written: str, code: str, said: str
) -> None:
    """As a new range, as the pool to give out of, and as one to split; the store is not asked."""
    api, store = family()
    for method, name, asked in (
        ("range.add", "cidr", {"purpose": "pool"}),
        ("range.allocate", "from", {"purpose": "serves", "length": 28}),
        ("range.free", "pool", {}),
        ("range.split", "range", {"length": 28}),
    ):
        (failure,) = api.refused(method, {name: written, **asked}).failures
        assert (failure.pointer, failure.code) == (f"/{name}", code)
        assert said in failure.message
    assert store.asked == ()


@pytest.mark.parametrize(
    ("everything", "version", "example"),
    [("0.0.0.0/0", 4, "10.0.0.0/8"), ("::/0", 6, "2001:db8::/32")],
)
def test_every_address_there_is_is_not_taken_by_a_slip(
    everything: str, version: int, example: str
) -> None:
    """But for what a node serves; the message has an example of the family."""
    api, store = family(ROW)
    for purpose in ("pool", "peers", "admin"):
        asked = {"cidr": everything, "purpose": purpose}
        (failure,) = api.refused("range.add", asked).failures
        assert failure.code == "range.everything"
        said = f"{everything} is every IPv{version} address; as {purpose} it has to be asked for "
        assert failure.message == (
            f"{said}explicitly (everything = true, or --everything); "
            f"if not, name a smaller block, such as {example}"
        )
    assert store.asked == ()
    api, served = family(ROW)
    api.call("range.add", {"cidr": everything, "purpose": "serves"})
    assert served.asked[0] == "add"
