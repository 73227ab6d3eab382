"""The life of invitations: who gets in by them, and who does not."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.identity.joining.invitations import (
    EXPIRED,
    KEPT,
    MOST,
    Invitation,
    InvitationRefused,
    Invitations,
    Phase,
)
from tests.service.identity.joining.guests import HOUR, SIBLINGS
from tests.service.identity.papers import NOW

SECRET, KEYS = b"s" * 32, (b"a" * 32, b"b" * 32, b"c" * 32)
ENDS = NOW + 24 * HOUR


def made(name: str = "barn", secret: bytes = SECRET) -> Invitation:
    """An invitation for a day."""
    return Invitation(name, secret, NOW, ENDS, 365, SIBLINGS)


BOOK = Invitations([made()])


def refusal(code: str) -> AbstractContextManager[object]:
    """The refusal with a code."""
    return pytest.raises(InvitationRefused, check=lambda error: error.code == code)


class Issuing:
    """Counts certificates."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, invitation: Invitation) -> str:
        """One more."""
        self.number += 1
        return f"{invitation.name} {self.number}"


def test_the_first_key_gets_the_certificate_and_gets_it_again() -> None:
    """Also when it was said that all is there: an answer may have been lost."""
    vouch = Issuing()
    book, first = BOOK.asked(SECRET, KEYS[0], NOW + HOUR, vouch)
    assert (first.phase, first.since) == (Phase.BOUND, NOW + HOUR)
    again, second = book.asked(SECRET, KEYS[0], NOW + 2 * HOUR, vouch)
    assert (again, second) == (book, first)
    used, third = again.joined(SECRET, KEYS[0], NOW + 3 * HOUR)
    assert third.phase is Phase.USED
    assert used.asked(SECRET, KEYS[0], NOW + 4 * HOUR, vouch)[1].bond == first.bond
    assert used.joined(SECRET, KEYS[0], NOW + 5 * HOUR) == (used, third)
    assert vouch.number == 1


def test_another_key_is_refused_and_changes_nothing() -> None:
    """Before and after the first has said that it is in."""
    vouch = Issuing()
    book, _bound = BOOK.asked(SECRET, KEYS[0], NOW, vouch)
    used, _used = book.joined(SECRET, KEYS[0], NOW)
    for each in (book, used):
        with refusal("invitation.taken"):
            each.asked(SECRET, KEYS[1], NOW, vouch)
        with refusal("invitation.taken"):
            each.joined(SECRET, KEYS[1], NOW)
    assert vouch.number == 1


def test_a_token_that_nobody_was_given_opens_nothing() -> None:
    """Also the empty one."""
    for secret in (b"", b"x" * 32):
        with refusal("invitation.unknown"):
            BOOK.asked(secret, KEYS[0], NOW, Issuing())


def test_who_has_not_asked_is_not_in() -> None:
    """There is no certificate for it."""
    with refusal("invitation.not_asked"):
        BOOK.joined(SECRET, KEYS[0], NOW)


def test_at_its_end_an_invitation_lets_nobody_in() -> None:
    """Not even who has begun; until then it counts to the last moment."""
    vouch = Issuing()
    book, bound = BOOK.asked(SECRET, KEYS[0], ENDS - HOUR / 3600, vouch)
    assert (bound.standing(ENDS - HOUR), bound.standing(ENDS)) == ("bound", EXPIRED)
    assert (book.are_open(ENDS - HOUR), book.are_open(ENDS)) == (True, False)
    for each in (BOOK, book):
        with refusal("invitation.expired"):
            each.asked(SECRET, KEYS[0], ENDS, vouch)
    with refusal("invitation.expired"):
        book.joined(SECRET, KEYS[0], ENDS)


def test_what_is_withdrawn_lets_nobody_in() -> None:
    """Also who has begun; what was used cannot be withdrawn, and says what to do."""
    vouch = Issuing()
    book, _bound = BOOK.asked(SECRET, KEYS[0], NOW, vouch)
    for each in (BOOK, book):
        after, over = each.withdrawn("barn", NOW + HOUR)
        assert (over.phase, after.are_open(NOW + HOUR)) == (Phase.WITHDRAWN, False)
        assert after.withdrawn("barn", NOW + 2 * HOUR) == (after, over)
        with refusal("invitation.withdrawn"):
            after.asked(SECRET, KEYS[0], NOW, vouch)
    used, _used = book.joined(SECRET, KEYS[0], NOW)
    with pytest.raises(InvitationRefused) as refused:
        used.withdrawn("barn", NOW)
    assert "herd retire barn" in refused.value.hint
    with refusal("invitation.unknown"):
        BOOK.withdrawn("shed", NOW)


def test_a_name_is_invited_once_at_a_time_and_never_after_it_came_in() -> None:
    """What expired or was withdrawn may be invited again, and the later one is meant then."""
    other = made("barn", b"t" * 32)
    with refusal("invitation.name_taken"):
        BOOK.with_new(other, NOW)
    assert len(BOOK.with_new(other, ENDS)) == 2
    anew = BOOK.withdrawn("barn", NOW)[0].with_new(other, NOW)
    assert [each.phase for each in anew.withdrawn("barn", NOW)[0]] == [Phase.WITHDRAWN] * 2
    assert anew.asked(other.digest, KEYS[0], NOW, Issuing())[1].digest == other.digest
    used = BOOK.asked(SECRET, KEYS[0], NOW, Issuing())[0].joined(SECRET, KEYS[0], NOW)[0]
    with refusal("invitation.name_used"):
        used.with_new(other, ENDS + 2 * KEPT)


def test_a_name_that_has_a_certificate_is_not_invited_before_it_is_withdrawn() -> None:
    """Also long after its end: its gate may not have heard that it came in."""
    book, bound = BOOK.asked(SECRET, KEYS[0], NOW, Issuing())
    other = made("barn", b"t" * 32)
    for moment in (NOW, ENDS, ENDS + 2 * KEPT):
        with pytest.raises(InvitationRefused, match="barn has its certificate") as refused:
            book.with_new(other, moment)
        assert refused.value.code == "invitation.name_bound"
        assert "node withdraw barn" in refused.value.hint
    kept = book.with_new(made("byre", b"4" * 32), ENDS + 2 * KEPT)
    assert ("barn", bound.phase) in [(each.name, each.phase) for each in kept]
    assert len(kept.withdrawn("barn", ENDS)[0].with_new(other, ENDS)) == 3


def test_what_is_long_over_is_forgotten_and_who_came_in_is_not() -> None:
    """Of these the certificate goes, which nobody can ask for any more."""
    book = Invitations([made("barn", b"1" * 32), made("shed", b"2" * 32), made("mill", b"3" * 32)])
    book, _ = book.asked(b"1" * 32, KEYS[0], NOW, Issuing())
    book, _ = book.joined(b"1" * 32, KEYS[0], NOW)
    book, _ = book.withdrawn("shed", NOW)
    assert len(book.with_new(made("byre", b"4" * 32), ENDS + KEPT)) == 4
    later = list(book.with_new(made("byre", b"4" * 32), ENDS + 2 * KEPT))
    assert [each.name for each in later] == ["barn", "byre"]
    assert later[0].bond is not None
    assert later[0].bond == (KEYS[0], "")


def test_what_was_withdrawn_after_somebody_asked_is_not_forgotten() -> None:
    """He has a certificate, and the gate has to know that it does not renew it."""
    book, _ = BOOK.asked(SECRET, KEYS[0], NOW, Issuing())
    book, _ = book.withdrawn("barn", NOW)
    barn, _byre = book.with_new(made("byre", b"4" * 32), ENDS + 2 * KEPT)
    assert (barn.name, barn.phase, barn.bond) == ("barn", Phase.WITHDRAWN, (KEYS[0], ""))


def test_there_are_so_many_invitations_and_no_more() -> None:
    """The file is read and written as a whole."""
    many = Invitations(made(f"n{number}", number.to_bytes(32, "big")) for number in range(MOST))
    with refusal("invitation.too_many"):
        many.with_new(made(), NOW)
    assert len(many.with_new(made(), ENDS + 2 * KEPT)) == 1


ORDER = {Phase.MADE: 0, Phase.BOUND: 1, Phase.USED: 2, Phase.WITHDRAWN: 2}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "joined", "withdraw"]),
        st.sampled_from(KEYS),
        st.integers(-1, 26),
    )
)


@given(STEPS)
def test_whatever_comes_one_key_at_most_gets_in_and_no_phase_is_gone_back_to(
    steps: list[tuple[str, bytes, int]],
) -> None:
    """In any order, with any clock: one certificate, for the key that asked first, in time."""
    book, vouch = BOOK, Issuing()
    given_to: dict[bytes, str] = {}
    for what, key, hours in steps:
        now, [before] = NOW + hours * HOUR, book
        try:
            if what == "ask":
                book, found = book.asked(SECRET, key, now, vouch)
                assert found.bond is not None
                given_to[key] = found.bond.certificate
            elif what == "joined":
                book, found = book.joined(SECRET, key, now)
                assert key in given_to
            else:
                book, found = book.withdrawn("barn", now)
        except InvitationRefused:
            assert list(book) == [before]
            continue
        [after] = book
        assert what == "withdraw" or (now < ENDS and before.phase is not Phase.WITHDRAWN)
        assert after == before or ORDER[after.phase] > ORDER[before.phase]
    assert len(given_to) <= 1
    assert vouch.number == len(set(given_to.values()))
