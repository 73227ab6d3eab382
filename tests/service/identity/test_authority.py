"""What a herd's authority vouches for, and what is believed."""

from __future__ import annotations

from datetime import datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from service.identity.authority import issue, new_authority, renew
from service.identity.certificates import card_of
from service.identity.errors import IdentityRefused
from service.identity.life import CLOCKS_DIFFER, Life, Standing, life_from
from service.identity.names import Subject, is_node_name, parse
from service.identity.verifying import belongs, verify_authority, verify_node
from tests.service.identity.papers import DAY, HERD, NOW, OTHER_HERD, forged, herd, self_signed


def test_a_nodes_certificate_names_the_node_and_its_herd() -> None:
    """What was issued is verified by the authority's certificate alone."""
    authority = herd()
    made = issue(authority, "barn-1", NOW)
    card = verify_node(made.certificate, authority.certificate, NOW)
    assert card.subject == Subject(HERD, "barn-1")
    assert card.subject.uri == f"herdbook://{HERD}/node/barn-1"
    assert card.life == Life(NOW - CLOCKS_DIFFER, NOW + 365 * DAY)
    assert len(card.fingerprint) == 32 * 3 - 1
    assert belongs(made.key, made.certificate)
    assert verify_authority(authority.certificate, NOW).subject == Subject(HERD)


def test_a_renewed_certificate_is_another_one_for_the_same_key() -> None:
    """Also where the former is expired; the key is not needed for it."""
    authority = herd()
    made = issue(authority, "barn", NOW)
    later = NOW + 400 * DAY
    renewed = renew(authority, made.certificate, later)
    card = verify_node(renewed, authority.certificate, later)
    assert card.subject == Subject(HERD, "barn")
    assert card.life.ends == later + 365 * DAY
    assert card.fingerprint != card_of(made.certificate, "").fingerprint
    assert belongs(made.key, renewed)


def test_nothing_counts_longer_than_the_authority() -> None:
    """A node's certificate ends with it, and an expired authority issues none."""
    authority = new_authority(HERD, NOW, days=10)
    made = issue(authority, "barn", NOW, days=365)
    assert card_of(made.certificate, "").life.ends == NOW + 10 * DAY
    with pytest.raises(IdentityRefused, match="the herd's authority: it has expired"):
        issue(authority, "barn", NOW + 11 * DAY)


@pytest.mark.parametrize("name", ["", "a b", "../x", "-a", "ä", "a" * 65, "a/b", "a\n"])
def test_no_certificate_is_issued_for_what_no_node_can_be_called(name: str) -> None:
    """The name would mean something else in the URI, or in a path."""
    assert not is_node_name(name)
    with pytest.raises(IdentityRefused, match="is no name for a node"):
        issue(herd(), name, NOW)


@pytest.mark.parametrize(
    "uri",
    [
        f"https://{HERD}/node/barn",
        f"herdbook://{HERD}/node/barn/more",
        f"herdbook://{HERD}/node/",
        f"herdbook://{HERD}/node/a%20b",
        f"herdbook://{HERD.upper()}/node/barn",
        "herdbook://short/node/barn",
        f"herdbook://{HERD}/ca/more",
        f"herdbook://{HERD}/node/barn\n",
    ],
)
def test_a_uri_that_is_not_exactly_ours_names_nobody(uri: str) -> None:
    """Nothing is read into it."""
    assert parse(uri) is None


def test_what_speaks_against_a_certificate_is_told_all_at_once() -> None:
    """Another herd's, and expired as well."""
    other = herd(name=OTHER_HERD)
    made = issue(other, "barn", NOW)
    with pytest.raises(IdentityRefused) as caught:
        verify_node(made.certificate, herd().certificate, NOW + 400 * DAY)
    told = [one.message for one in caught.value.troubles]
    assert told == [
        f"it is of another herd, {OTHER_HERD}, not of {HERD}",
        "this herd's authority has not signed it",
        "it has expired at 2027-11-30 12:00:00 UTC",
    ]
    assert all(one.hint for one in caught.value.troubles)


@pytest.mark.parametrize(
    ("moment", "said"), [(NOW - DAY, "not valid before"), (NOW + 366 * DAY, "has expired")]
)
def test_a_certificate_counts_only_in_its_life(moment: datetime, said: str) -> None:
    """Neither before nor after it."""
    authority = herd(NOW - 2 * DAY)
    made = issue(authority, "barn", NOW)
    with pytest.raises(IdentityRefused, match=said):
        verify_node(made.certificate, authority.certificate, moment)


def test_a_certificate_that_signed_itself_is_refused() -> None:
    """Though it names the herd as its issuer."""
    with pytest.raises(IdentityRefused, match="authority has not signed it"):
        verify_node(self_signed("barn").certificate, herd().certificate, NOW)


def test_an_authority_of_the_same_name_is_another_one() -> None:
    """Names say nothing; the signature has to be by the key of this herd."""
    made = issue(herd(), "barn", NOW)
    with pytest.raises(IdentityRefused, match="authority has not signed it"):
        verify_node(made.certificate, herd().certificate, NOW)


def test_the_authority_is_no_node() -> None:
    """Its own certificate opens no link."""
    authority = herd()
    with pytest.raises(IdentityRefused, match="not of a node"):
        verify_node(authority.certificate, authority.certificate, NOW)


def test_a_node_is_no_authority() -> None:
    """A node's certificate in the place of the herd's is refused, whoever made a mistake."""
    made = issue(herd(), "barn", NOW)
    with pytest.raises(IdentityRefused, match="that of node barn, not of a herd's authority"):
        verify_authority(made.certificate, NOW)


@pytest.mark.parametrize(
    "uris",
    [
        [],
        [f"herdbook://{HERD}/node/a", f"herdbook://{HERD}/node/b"],
        [f"https://{HERD}/node/a"],
    ],
)
def test_a_certificate_with_no_name_or_several_names_nobody(uris: list[str]) -> None:
    """Which of them would count is not guessed, even where the authority itself has signed."""
    authority = herd()
    made = forged(uris, NOW, authority)
    with pytest.raises(IdentityRefused, match="names neither node nor herd"):
        verify_node(made, authority.certificate, NOW)


BOTH = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize(
    ("is_ca", "purposes"),
    [
        (False, []),
        (False, [ExtendedKeyUsageOID.CLIENT_AUTH]),
        (False, [ExtendedKeyUsageOID.SERVER_AUTH]),
        (False, [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),
        (True, BOTH),
    ],
    ids=["none", "client", "server", "any", "authority"],
)
def test_a_certificate_for_something_else_is_refused(
    is_ca: bool, purposes: list[x509.ObjectIdentifier]
) -> None:
    """The authority's key has signed it, but it may vouch for others, or is not for links."""
    authority = herd()
    uri = Subject(HERD, "barn").uri
    good = forged([uri], NOW, authority, purposes=BOTH)
    assert verify_node(good, authority.certificate, NOW).subject.node == "barn"
    other = forged([uri], NOW, authority, ca=is_ca, purposes=purposes)
    with pytest.raises(IdentityRefused, match="not meant for links"):
        verify_node(other, authority.certificate, NOW)


def test_only_what_the_authority_has_signed_is_renewed() -> None:
    """Somebody brings a certificate that he has made himself."""
    with pytest.raises(IdentityRefused, match="authority has not signed it"):
        renew(herd(), self_signed("barn").certificate, NOW)


@pytest.mark.parametrize(
    ("days", "standing"),
    [
        (-1, Standing.EARLY),
        (0, Standing.GOOD),
        (199, Standing.GOOD),
        (200, Standing.DUE),
        (300, Standing.DUE),
        (301, Standing.OVER),
    ],
)
def test_a_certificate_is_to_be_renewed_at_two_thirds_of_its_life(
    days: int, standing: Standing
) -> None:
    """Of three hundred days a hundred are left for it."""
    assert Life(NOW, NOW + 300 * DAY).standing(NOW + days * DAY) is standing


def test_a_life_is_in_whole_seconds() -> None:
    """As certificates have it: what is written is what is read."""
    life = life_from(NOW.replace(microsecond=999_999), 1)
    assert (life.begins.microsecond, life.ends.microsecond) == (0, 0)


def test_keys_are_new_each_time() -> None:
    """Two nodes of one name have nothing in common."""
    authority = herd()
    made: list[x509.Certificate] = [issue(authority, "barn", NOW).certificate for _ in range(2)]
    assert made[0].public_key() != made[1].public_key()
    assert made[0].serial_number != made[1].serial_number
