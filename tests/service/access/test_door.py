"""Who gets in, who may do what, and that a refusal tells nothing of a secret."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.access.door import bearer
from service.access.roles import Role
from service.access.tokens import Book
from service.errors import (
    AccessForbidden,
    AddressRefused,
    ServiceError,
    TokenExpired,
    TokenNeeded,
    TokenUnknown,
)
from service.methods.caller import LONGEST_PRINCIPAL
from tests.service.access.tokens import NOW, Watch, door, secret, token

HERE = ("127.0.0.1", "api:127.0.0.1")


def test_who_shows_no_token_gets_in_only_where_none_is_required() -> None:
    """Then under his address, and for all that there is."""
    with pytest.raises(TokenNeeded):
        door(token(1)).visitor(*HERE).require(Role.READ, "city.list")
    visitor = door(token(1), required=False).visitor(*HERE)
    assert visitor.identified() is None
    assert visitor.require(Role.ADMIN, "held.drop") == "api:127.0.0.1"


@pytest.mark.parametrize("required", [True, False])
def test_a_token_counts_for_its_role_and_those_below(required: bool) -> None:
    """Also where none is required; the refusal says which role is needed."""
    visitor = door(token(1, "write", name="loader"), required=required).visitor(*HERE)
    assert visitor.show(secret(1)).name == "loader"
    for role in (Role.READ, Role.WRITE):
        assert visitor.require(role, "city.list") == "token:loader@127.0.0.1"
    with pytest.raises(AccessForbidden) as caught:
        visitor.require(Role.ADMIN, "held.drop")
    assert caught.value.details == {"needs": "admin"}
    assert caught.value.message == "held.drop needs the role admin, and this token has write"
    assert caught.value.advice == "Use a token with the role admin."


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    "sent", ["", "hb_", secret(2), secret(1)[:-1], secret(1) + "A", secret(1).upper(), "\udcff"]
)
def test_a_refusal_does_not_tell_how_near_a_secret_was(sent: str, required: bool) -> None:
    """One letter off or no token at all: one and the same answer, without what was sent."""
    with pytest.raises(TokenUnknown) as caught:
        door(token(1), required=required).visitor(*HERE).show(sent)
    assert (caught.value.message, caught.value.details) == ("this token is not known here", {})
    assert "app-1" not in caught.value.advice


def test_a_token_counts_until_its_moment_and_not_at_it() -> None:
    """Looked at anew each time, so an open connection ends with it."""
    watch = Watch()
    visitor = door(token(1, until=NOW + timedelta(seconds=1)), watch=watch).visitor(*HERE)
    visitor.show(secret(1))
    watch.now = NOW + timedelta(microseconds=999_999)
    visitor.still_known()
    watch.now = NOW + timedelta(seconds=1)
    for ask in (visitor.still_known, visitor.identified):
        with pytest.raises(TokenExpired):
            ask()


def test_a_token_that_is_revoked_counts_no_more_for_who_showed_it() -> None:
    """And one that was added counts for who was there before."""
    shared = door(token(1))
    visitor = shared.visitor(*HERE)
    visitor.show(secret(1))
    shared.book = Book([token(2)])
    with pytest.raises(TokenUnknown):
        visitor.require(Role.READ, "city.list")
    with pytest.raises(TokenUnknown):
        visitor.still_known()
    assert visitor.show(secret(2)).name == "app-2"


def test_a_wrong_token_takes_nothing_from_who_had_shown_a_right_one() -> None:
    """What was shown before counts on."""
    visitor = door(token(1)).visitor(*HERE)
    visitor.show(secret(1))
    with pytest.raises(TokenUnknown):
        visitor.show(secret(2))
    assert visitor.require(Role.READ, "city.list") == "token:app-1@127.0.0.1"


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::7", True),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("11.0.0.1", False),
        ("2001:db9::1", False),
        ("fe80::1%eth0", False),
        (None, False),
    ],
)
def test_a_token_with_ranges_counts_only_from_there(address: str | None, fits: bool) -> None:
    """On a socket nobody has an address."""
    known = token(1, "read", "10.0.0.0/8", "192.0.2.7", "2001:db8::/32")
    visitor = door(known).visitor(address, "api:there")
    if fits:
        assert visitor.show(secret(1)) == known
        return
    with pytest.raises(AddressRefused):
        visitor.show(secret(1))


def test_what_is_wrong_with_a_token_is_told_only_to_who_has_it() -> None:
    """Its end comes before its ranges; both come after its secret."""
    over = token(1, "read", "10.0.0.0/8", until=NOW - timedelta(days=1))
    with pytest.raises(TokenExpired):
        door(over).visitor(*HERE).show(secret(1))
    with pytest.raises(TokenUnknown):
        door(over).visitor(*HERE).show(secret(2))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("", None),
        ("Basic aGI6aGI=", None),
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Bearer", ""),
        ("Bearer a, Bearer b", "a, Bearer b"),
    ],
)
def test_a_header_holds_a_token_of_one_scheme(header: str | None, found: str | None) -> None:
    """Another scheme's is none of ours; an empty one is one that is not known."""
    assert bearer(header) == found


def test_every_refusal_says_what_to_do_and_has_a_code_of_its_own() -> None:
    """All are codes of access."""
    kinds: list[type[ServiceError]] = [
        *(TokenNeeded, TokenUnknown, TokenExpired, AddressRefused, AccessForbidden)
    ]
    assert len({kind.code for kind in kinds}) == 5
    for kind in kinds:
        assert kind.code.startswith("access.")
        assert kind.hint.endswith(".")
        assert not kind.retryable


def test_over_a_socket_a_token_is_from_there() -> None:
    """The changelog tells where each caller was, with a token and without."""
    visitor = door(token(1)).visitor(None, "api:unix")
    visitor.show(secret(1))
    assert visitor.require(Role.READ, "city.list") == "token:app-1@unix"


def test_the_longest_name_and_address_fit_into_what_the_changelog_keeps() -> None:
    """So that no two tokens, and no two addresses, are cut to the same."""
    address = "2001:0db8:ffff:ffff:ffff:ffff:255.255.255.255"
    visitor = door(token(1, name="x" * 64)).visitor(address, f"api:{address}")
    visitor.show(secret(1))
    assert len(visitor.require(Role.READ, "city.list")) <= LONGEST_PRINCIPAL
