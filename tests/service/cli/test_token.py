"""`herdbook token`: shown once, kept as a digest, and never to be seen again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from service.access.secret import digest_of
from service.token_file import read_tokens
from tests.service.cli.conftest import Ran

Herdbook = Callable[..., Ran]
SECRET = re.compile(r"hb_[A-Za-z0-9_-]{43}")


def test_a_token_is_shown_once_alone_on_stdout(herdbook: Herdbook, tmp_path: Path) -> None:
    """So that it can be put into a file; what is kept is its digest."""
    ran = herdbook("token", "add", "loader", "--role", "write")
    assert ran.code == 0
    shown = ran.out.rstrip("\n")
    assert SECRET.fullmatch(shown)
    assert shown not in ran.err
    file = tmp_path / "herdbook.tokens"
    assert shown not in file.read_text()
    [kept] = read_tokens(file)
    assert (kept.name, kept.role.word, kept.digest) == ("loader", "write", digest_of(shown))
    again = herdbook("token", "add", "other", "--role", "read").out
    assert again.rstrip("\n") != shown


def test_a_rate_that_is_no_number_leaves_the_file_as_it_was(
    herdbook: Herdbook, tmp_path: Path
) -> None:
    """No JSON can hold it, and with it none of the tokens could be read any more."""
    herdbook("token", "add", "loader", "--role", "write")
    before = (tmp_path / "herdbook.tokens").read_bytes()
    ran = herdbook("token", "add", "other", "--role", "read", "--rate", "nan")
    assert ran.code != 0
    assert "nan is no rate of a token" in ran.err
    assert (tmp_path / "herdbook.tokens").read_bytes() == before


def test_programs_are_told_all_of_it(herdbook: Herdbook, tmp_path: Path) -> None:
    """With its limits, as JSON on one line."""
    told = herdbook(
        *("token", "add", "dashboard", "--role", "read", "--from", "10.0.0.0/8"),
        *("--from", "2001:db8::/32", "--until", "2999-12-31", "--rate", "2.5", "--json"),
    ).document()
    assert SECRET.fullmatch(told.pop("token"))
    assert told.pop("made").endswith("Z")
    assert told == {
        "name": "dashboard",
        "role": "read",
        "from": ["10.0.0.0/8", "2001:db8::/32"],
        "until": "3000-01-01T00:00:00Z",
        "rate": 2.5,
        "file": str(tmp_path / "herdbook.tokens"),
    }


def test_the_list_shows_everything_but_secrets_and_digests(
    herdbook: Herdbook, tmp_path: Path
) -> None:
    """For people and for programs."""
    assert "no tokens in" in herdbook("token", "list").out
    secret = herdbook("token", "add", "loader", "--role", "write").out.strip()
    herdbook("token", "add", "ops", "--role", "admin", "--from", "192.0.2.7", "--rate", "20")
    plain, document = herdbook("token", "list"), herdbook("token", "list", "--json")
    for part in ("loader", "write", "anywhere", "no end", "ops", "admin", "192.0.2.7/32", "20/s"):
        assert part in plain.out
    listed = {each["name"]: each for each in document.document()["tokens"]}
    assert listed["ops"]["from"] == ["192.0.2.7/32"]
    assert listed["loader"]["expired"] is False
    for text in (plain.out, document.out):
        assert secret not in text
        assert digest_of(secret).hex() not in text


def test_a_revoked_token_is_gone_and_its_name_is_free(herdbook: Herdbook, tmp_path: Path) -> None:
    """A new one of the name has another secret."""
    first = herdbook("token", "add", "loader", "--role", "write").out
    taken = herdbook("token", "add", "loader", "--role", "read", "--json")
    assert (taken.code, taken.error()["code"]) == (1, "token.taken")
    assert herdbook("token", "revoke", "loader", "--json").document()["revoked"] == "loader"
    assert list(read_tokens(tmp_path / "herdbook.tokens")) == []
    unknown = herdbook("token", "revoke", "loader", "--json")
    assert (unknown.code, unknown.error()["code"]) == (1, "token.unknown")
    assert herdbook("token", "add", "loader", "--role", "read").out != first


def test_a_name_that_is_nearly_right_is_told(herdbook: Herdbook) -> None:
    """Revoking the wrong one is easy to avoid."""
    herdbook("token", "add", "loader", "--role", "write")
    assert "did you mean loader?" in herdbook("token", "revoke", "laoder").err


@pytest.mark.parametrize(
    "words",
    [
        ("a b", "--role", "read"),
        ("loader",),
        ("loader", "--role", "root"),
        ("loader", "--role", "read", "--from", "10.0.0.1/8"),
        ("loader", "--role", "read", "--until", "2020-01-01"),
        ("loader", "--role", "read", "--until", "soon"),
        ("loader", "--role", "read", "--dir", "nowhere"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_made(
    herdbook: Herdbook, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """No secret is shown that would not count."""
    ran = herdbook("token", "add", *words)
    assert ran.code in (1, 2)
    assert ran.out == ""
    assert ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("10.0.0.1/8", "10.0.0.1/8 has host bits set; the block is 10.0.0.0/8"),
        ("10/8", "10/8 is abbreviated; write 10.0.0.0/8"),
        ("010.0.0.0/8", "write 8.0.0.0/8 or 10.0.0.0/8"),
        ("10.0.*.*", "10.0.*.* is not written as a block; write 10.0.0.0/16"),
        ("", "nothing is written here"),
        ("::ffff:10.0.0.0/104", "is IPv4 in IPv6; write 10.0.0.0/8"),
    ],
)
def test_a_block_that_is_none_is_told_what_to_write(
    herdbook: Herdbook, tmp_path: Path, block: str, said: str
) -> None:
    """As for ranges."""
    ran = herdbook("token", "add", "loader", "--role", "read", "--from", block)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert "--from" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_each_node_has_a_file_of_its_own(
    herdbook: Herdbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside its configuration, by its name, in its directory, or where it is told."""
    (tmp_path / "farm").mkdir()
    (tmp_path / "farm/barn.toml").write_text('[node]\nname = "barn"\nrecords = "farm.records"\n')
    (tmp_path / "farm/shed.toml").write_text('[access]\ntokens = "keys/shed.json"\n')
    (tmp_path / "farm/keys").mkdir()
    (tmp_path / "data").mkdir()
    places = {
        ("--config", "farm/barn.toml"): "farm/barn.tokens",
        ("--config", "farm/shed.toml"): "farm/keys/shed.json",
        ("--dir", "data"): "data/tokens",
        ("--dir", "data", "--config", "farm/barn.toml"): "data/tokens",
    }
    for at, (options, file) in enumerate(places.items()):
        name = f"app-{at}"
        told = herdbook("token", "add", name, "--role", "read", *options, "--json").document()
        assert told["file"] == str(tmp_path / file)
        assert read_tokens(tmp_path / file).named(name)
    monkeypatch.setenv("HERDBOOK_ACCESS_TOKENS", str(tmp_path / "elsewhere"))
    herdbook("token", "add", "app", "--role", "read", "--dir", "data")
    assert read_tokens(tmp_path / "elsewhere").named("app")


def test_a_file_that_is_no_good_is_told_with_a_code(herdbook: Herdbook, tmp_path: Path) -> None:
    """And stays as it is."""
    (tmp_path / "herdbook.tokens").write_text(json.dumps({"tokens": "all"}))
    for words in (("list",), ("add", "loader", "--role", "read"), ("revoke", "loader")):
        ran = herdbook("token", *words, "--json")
        assert (ran.code, ran.error()["code"]) == (1, "access.tokens_refused")
        assert ran.error()["hint"]
    assert (tmp_path / "herdbook.tokens").read_text() == '{"tokens": "all"}'


def test_advice_repeats_the_directory_that_was_given(herdbook: Herdbook, tmp_path: Path) -> None:
    """Without it the command would be about the tokens of another node."""
    (tmp_path / "a node").mkdir()
    words = ("loader", "--role", "read", "--dir", "a node", "--json")
    assert herdbook("token", "add", *words).code == 0
    hint = herdbook("token", "add", *words).error()["hint"]
    assert "`herdbook token revoke --dir 'a node' loader` first" in hint
    hint = herdbook("token", "revoke", "x", "--dir", "a node", "--json").error()["hint"]
    assert "`herdbook token list --dir 'a node'`" in hint
