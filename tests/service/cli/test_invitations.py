"""`herdbook node invite`, `invitations`, `withdraw`: who may come in, as it is kept and shown."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.cli import invitations
from service.cli.herd_ca import read_authority
from service.identity.certificates import read_certificate
from service.identity.errors import IdentityRefused
from service.identity.joining.gate import answer
from service.identity.joining.invitations import InvitationRefused, Phase
from service.identity.joining.kept import NAME, change_kept, read_kept
from service.identity.joining.messages import LARGEST, Welcome, write_line
from service.identity.joining.token import authority_digest, read_token
from tests.service.cli.conftest import Ran
from tests.service.identity.joining.guests import HOUR, Newcomer, invitation, token_for
from tests.service.identity.papers import NOW, herd

Herdbook = Callable[..., Ran]
SIBLING = "tcp:shed.example.org:8653"
INVITE = ("node", "invite", "barn", "--ca", "authority", "--sibling", SIBLING)


@pytest.fixture
def authority(herdbook: Herdbook, tmp_path: Path) -> Path:
    """The folder of an authority."""
    assert herdbook("herd", "ca", "init", "authority").code == 0
    return tmp_path / "authority"


def test_an_invitation_prints_the_token_and_keeps_no_secret(
    herdbook: Herdbook, authority: Path
) -> None:
    """The token is all of stdout, and knows the herd's authority; the file has its digest."""
    ran = herdbook(*INVITE)
    assert ran.code == 0
    token = read_token(ran.out)
    certificate = read_certificate((authority / "ca.crt").read_bytes(), "")
    assert token.authority == authority_digest(certificate)
    [kept] = read_kept(authority)
    assert (kept.name, kept.digest, kept.ends) == ("barn", token.digest, token.ends)
    assert (kept.phase, kept.siblings, kept.days) == (Phase.MADE, (SIBLING,), 365)
    assert token.secret.hex() not in (authority / NAME).read_text()
    assert ran.out.strip() not in ran.err
    assert abs(token.ends - datetime.now(UTC) - 24 * HOUR) < HOUR


def test_the_list_shows_how_far_each_has_come(
    herdbook: Herdbook, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For people and programs; what has ended says so."""
    assert herdbook("node", "invitations", "--ca", "authority").out == "nobody is invited\n"
    token = json.loads(herdbook(*INVITE, "--hours", "2", "--json").out)["token"]
    ran = herdbook("node", "invitations", "--ca", "authority", "--json")
    [shown] = ran.document()["invitations"]
    assert (shown["name"], shown["state"], shown["key"]) == ("barn", "made", None)
    assert token not in ran.out
    later = datetime.now(UTC) + 3 * HOUR
    monkeypatch.setattr(invitations, "_now", lambda: later)
    ran = herdbook("node", "invitations", "--ca", "authority")
    assert ran.out.splitlines()[1].split()[:2] == ["barn", "expired"]
    assert SIBLING in ran.out


def test_a_name_is_not_invited_twice_until_it_is_withdrawn(
    herdbook: Herdbook, authority: Path
) -> None:
    """The refusal says how; what is kept stays as it was."""
    first = read_token(herdbook(*INVITE).out)
    ran = herdbook(*INVITE, "--json")
    assert (ran.code, ran.error()["code"]) == (1, "invitation.name_taken")
    assert "node withdraw barn" in ran.error()["hint"]
    assert [each.digest for each in read_kept(authority)] == [first.digest]
    assert herdbook("node", "withdraw", "barn", "--ca", "authority").code == 0
    assert herdbook(*INVITE).code == 0
    phases = [each.phase for each in read_kept(authority)]
    assert phases == [Phase.WITHDRAWN, Phase.MADE]


def test_withdrawing_says_where_it_comes_too_late(herdbook: Herdbook, authority: Path) -> None:
    """Who has asked may have a certificate; who is unknown is nobody to withdraw."""
    now = datetime.now(UTC)
    digest = read_token(herdbook(*INVITE).out).digest
    change_kept(authority, lambda book: book.asked(digest, b"k" * 32, now, lambda _: "paper"))
    ran = herdbook("node", "withdraw", "barn", "--ca", "authority")
    assert ran.code == 0
    assert "herd retire barn" in ran.err
    ran = herdbook("node", "withdraw", "shed", "--ca", "authority", "--json")
    assert (ran.code, ran.error()["code"]) == (1, "invitation.unknown")


def test_a_name_with_a_certificate_that_counts_is_not_invited(
    herdbook: Herdbook, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second machine would get one too. It says how on; other names and expired ones may come."""
    assert herdbook("herd", "ca", "issue", "barn", "--ca", "authority", "--days", "3").code == 0
    ran = herdbook(*INVITE, "--json")
    assert (ran.code, ran.error()["code"]) == (1, "invitation.name_issued")
    assert "authority/nodes/barn/node.crt" in ran.error()["message"]
    assert "herd ca renew authority/nodes/barn/node.crt --ca authority" in ran.error()["hint"]
    assert not (authority / NAME).exists()
    assert herdbook("node", "invite", "shed", *INVITE[3:]).code == 0
    later = datetime.now(UTC) + 80 * HOUR
    monkeypatch.setattr(invitations, "_now", lambda: later)
    assert herdbook(*INVITE).code == 0


def test_a_certificate_of_a_former_authority_takes_no_name(
    herdbook: Herdbook, authority: Path
) -> None:
    """No node of this herd believes it; what is no certificate is told instead."""
    assert herdbook("herd", "ca", "init", "former").code == 0
    assert herdbook("herd", "ca", "issue", "barn", "--ca", "former").code == 0
    place = authority / "nodes" / "barn"
    place.mkdir(parents=True)
    (place / "node.crt").write_text("none")
    ran = herdbook(*INVITE)
    assert (ran.code, "nodes/barn/node.crt" in ran.err) == (1, True)
    (place / "node.crt").write_bytes(Path("former/nodes/barn/node.crt").read_bytes())
    assert herdbook(*INVITE).code == 0


def test_what_is_wrong_with_an_invitation_alone_is_told_without_another(
    herdbook: Herdbook, authority: Path
) -> None:
    """A block that is named twice, or in the way of one beside it; nobody is to be withdrawn."""
    ran = herdbook(*INVITE, "--serves", "10.1.0.0/16", "--serves", "10.1.0.0/16")
    assert (ran.code, "10.1.0.0/16 is named twice" in ran.err) == (2, True)
    assert "withdraw" not in ran.err
    both = ("--serves", "10.1.0.0/16", "--pool", "10.1.0.0/16")
    assert herdbook(*INVITE, *both).code == 0
    ran = herdbook(*INVITE, *both, "--json")
    assert ran.error()["code"] == "invitation.name_taken"


def test_advice_names_the_authority_that_was_given(herdbook: Herdbook, authority: Path) -> None:
    """As it can be typed: quoted where its name has spaces."""
    authority.rename(authority.parent / "the authority")
    words = ("--ca", "the authority", "--sibling", SIBLING, "--pool", "10.1.0.0/16", "--json")
    assert herdbook("node", "invite", "barn", *words).code == 0
    place = "--ca 'the authority'"
    hint = herdbook("node", "invite", "barn", *words).error()["hint"]
    assert f"herdbook node withdraw barn {place}" in hint
    hint = herdbook("node", "invite", "shed", *words).error()["hint"]
    assert f"herdbook node withdraw NAME {place}" in hint
    hint = herdbook("node", "withdraw", "shed", *words[:2], "--json").error()["hint"]
    assert f"herdbook node invitations {place}" in hint


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("node", "invite", "a b", *INVITE[3:]), "no name for a node"),
        ((*INVITE[:-1], "http://shed/"), "no links of kind"),
        ((*INVITE, "--sibling", SIBLING), "stands there twice"),
        (INVITE[:-2], "--sibling"),
        ((*INVITE, "--hours", "0"), "--hours"),
        (("node", "invite", "barn", "--ca", "elsewhere", *INVITE[5:]), "elsewhere"),
    ],
)
def test_what_cannot_be_an_invitation_is_refused_before_anything_is_kept(
    herdbook: Herdbook, authority: Path, words: tuple[str, ...], said: str
) -> None:
    """Names, addresses, times, and a folder without an authority."""
    ran = herdbook(*words)
    assert ran.code in (1, 2)
    assert said in ran.err
    assert not (authority / NAME).exists()


def test_a_file_that_others_could_write_lets_nobody_be_invited(
    herdbook: Herdbook, authority: Path
) -> None:
    """They could let themselves in."""
    herdbook(*INVITE)
    before = (authority / NAME).read_bytes()
    (authority / NAME).chmod(0o666)
    ran = herdbook("node", "withdraw", "barn", "--ca", "authority")
    assert ran.code == 1
    assert "others can write there" in ran.err
    assert (authority / NAME).read_bytes() == before


def test_changes_at_one_time_take_turns(tmp_path: Path) -> None:
    """None is lost, and the file is no link to somewhere else's secret."""
    token = token_for(herd())

    def add(number: int) -> None:
        new = invitation(f"n{number}", token)._replace(digest=number.to_bytes(32, "big"))
        change_kept(tmp_path, lambda book: (book.with_new(new, NOW), None))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.name for each in read_kept(tmp_path)} == {f"n{number}" for number in range(20)}
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o644
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_change_that_is_refused_leaves_the_file_alone(tmp_path: Path) -> None:
    """As does one that changes nothing."""
    new = invitation("barn", token_for(herd()))
    change_kept(tmp_path, lambda book: (book.with_new(new, NOW), None))
    before = (tmp_path / NAME).stat()
    change_kept(tmp_path, lambda book: (book, None))

    with pytest.raises(InvitationRefused):
        change_kept(tmp_path, lambda book: (book.with_new(new, NOW), None))
    assert (tmp_path / NAME).stat().st_ino == before.st_ino
    assert (tmp_path / NAME).stat().st_mtime_ns == before.st_mtime_ns


def test_an_invitation_that_no_answer_could_hold_is_refused(
    herdbook: Herdbook, authority: Path
) -> None:
    """Its key would be bound, and never get its certificate. A thousand ranges fit."""
    blocks = [f"--pool=2001:db8:{number:x}::/48" for number in range(3_000)]
    ran = herdbook(*INVITE, *blocks, "--json")
    assert (ran.code, ran.error()["code"]) == (1, "invitation.too_large")
    assert "range add" in ran.error()["hint"]
    assert not (authority / NAME).exists()
    token = read_token(herdbook(*INVITE, *blocks[:1_000]).out)
    ask = Newcomer(token.secret).asks
    keys = read_authority(authority)
    found = change_kept(authority, lambda book: (book, answer(ask, book, keys, datetime.now(UTC))))
    assert isinstance(found.reply, Welcome)
    assert len(write_line(found.reply)) <= LARGEST


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    """The file stays as it is, and who is in it can come in."""
    new = invitation("barn", token_for(herd()))
    change_kept(tmp_path, lambda book: (book.with_new(new, NOW), None))
    before = (tmp_path / NAME).read_bytes()
    huge = new._replace(name="shed", digest=b"h" * 32, ranges=("serves=10.0.0.0/8",) * 400_000)
    with pytest.raises(IdentityRefused, match="invitations would be larger than") as refused:
        change_kept(tmp_path, lambda book: (book.with_new(huge, NOW), None))
    assert "move it away" in refused.value.hint
    assert (tmp_path / NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_ranges_of_an_invitation_are_looked_at_when_it_is_made(
    herdbook: Herdbook, authority: Path
) -> None:
    """What is none, or what is in the way, also of another who is invited; the list shows them."""
    blocks = ("--serves", "10.1.0.0/16", "--pool", "10.2.0.0/16", "--pool", "2001:db8::/32")
    assert herdbook(*INVITE, *blocks).code == 0
    [kept] = read_kept(authority)
    ranges = ("serves=10.1.0.0/16", "pool=10.2.0.0/16", "pool=2001:db8::/32")
    assert kept.ranges == ranges
    listed = herdbook("node", "invitations", "--ca", "authority")
    assert " ".join(ranges) in listed.out
    shed = ("node", "invite", "shed", "--ca", "authority", "--sibling", SIBLING, "--json")
    ran = herdbook(*shed, "--serves", "10.1.0.1/16")
    assert (ran.code, "the block is 10.1.0.0/16" in ran.err) == (2, True)
    for words in (("--pool", "10.2.7.0/24"), ("--serves", "10.1.0.0/16")):
        ran = herdbook(*shed, *words)
        assert (ran.code, ran.error()["code"]) == (1, "range.taken")
        assert "barn" in ran.error()["message"]
    assert len(read_kept(authority)) == 1
    assert herdbook("node", "withdraw", "barn", "--ca", "authority").code == 0
    assert herdbook(*shed, "--pool", "10.2.7.0/24").code == 0
