"""The address of a database: what is accepted, what is refused and why, and what is never shown."""

from __future__ import annotations

import contextlib
import string
from urllib.parse import quote

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st

from service.database_url import (
    OPTIONS,
    DatabaseUrl,
    DatabaseUrlError,
    mask_secrets,
)

FULL = (
    "mariadb://farm%40er:p%40ss%2F%3A@[::1]:3307/herd%20book"
    "?unix_socket=/run/my%20sql.sock&ssl_mode=REQUIRED"
)


def test_every_part_of_an_address_is_read() -> None:
    """User, password, host, port, database and options come out decoded."""
    url = DatabaseUrl.parse(FULL)
    assert (url.user, url.password, url.host) == ("farm@er", "p@ss/:", "::1")
    assert (url.port, url.database) == (3307, "herd book")
    assert url.unix_socket == "/run/my sql.sock"
    assert url.option("ssl_mode") == "REQUIRED"
    assert url.option("ssl_ca") is None


def test_what_is_left_out_has_the_usual_meaning() -> None:
    """No host means localhost, no port means 3306, no password is not an empty one."""
    url = DatabaseUrl.parse("mysql://me@/herd")
    assert (url.host, url.port, url.password) == ("localhost", 3306, None)
    assert DatabaseUrl.parse("mysql://me:@/herd").password == ""


def test_no_rendering_shows_the_password() -> None:
    """Whatever prints an address prints *** in the password's place."""
    url = DatabaseUrl.parse("mysql://me:hush@db/herd")
    for shown in (str(url), repr(url), url.masked(), f"{url}", f"{[url]!r}"):
        assert "hush" not in shown
    assert str(url) == "mysql://me:***@db/herd"
    assert url.revealed() == "mysql://me:hush@db/herd"


def test_sqlalchemy_logs_in_with_the_very_same_values() -> None:
    """SQLAlchemy reads back each part of the address it is given."""
    url = sqlalchemy.make_url(DatabaseUrl.parse(FULL).as_sqlalchemy())
    assert (url.drivername, url.username, url.password) == ("mysql+mysqldb", "farm@er", "p@ss/:")
    assert (url.host, url.port, url.database) == ("::1", 3307, "herd book")
    assert url.query["unix_socket"] == "/run/my sql.sock"
    assert url.query["charset"] == "utf8mb4"


_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
_urls = st.builds(
    DatabaseUrl,
    user=_text.filter(bool),
    password=st.none() | _text,
    host=st.sampled_from(["localhost", "db-1.example", "10.0.0.7", "::1"]),
    port=st.integers(1, 65535),
    database=st.text(string.printable, min_size=1, max_size=20).filter(
        lambda name: "/" not in name
    ),
    options=st.just((("ssl_ca", "/etc/é&=?.pem"), ("unix_socket", "/run/a b"))) | st.just(()),
)


@given(_urls)
def test_an_address_survives_being_written_and_read_again(url: DatabaseUrl) -> None:
    """Any login and password come back unchanged, whatever characters they hold."""
    assert DatabaseUrl.parse(url.revealed()) == url


@given(_urls)
def test_sqlalchemy_agrees_on_any_login(url: DatabaseUrl) -> None:
    """The text for SQLAlchemy means the same login and password to SQLAlchemy."""
    read = sqlalchemy.make_url(url.as_sqlalchemy())
    assert (read.username, read.password, read.database) == (url.user, url.password, url.database)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is no address"),
        ("localhost/herd", "it is no address"),
        ("postgres://me@db/herd", "begin with mysql:// or mariadb://"),
        ("mysql+mysqldb://me@db/herd", "it names a driver"),
        ("mysql://db/herd", "the user is missing"),
        ("mysql://:pw@db/herd", "the user is missing"),
        ("mysql://me@db", "the database is missing"),
        ("mysql://me@db/", "the database is missing"),
        ("mysql://me@db/a/b", "holds a /"),
        ("mysql://me@db/" + "x" * 65, "over 64 characters"),
        ("mysql://me@db:x/herd", "the port is not a number"),
        ("mysql://me@db:0/herd", "the port is not a number"),
        ("mysql://me@db:65536/herd", "the port is not a number"),
        ("mysql://me@db:/herd", "the port is not a number"),
        ("mysql://me@d!b/herd", "the host is neither"),
        ("mysql://me@[::1/herd", "cannot be taken apart"),
        ("mysql://me@db/herd?unix_sock=/a", "did you mean unix_socket?"),
        ("mysql://me@db/herd?zzz=1", f"there are {', '.join(OPTIONS)}"),
        ("mysql://me@db/herd?unix_socket=run", "no absolute path"),
        ("mysql://me@db/herd?unix_socket=/a&unix_socket=/b", "is there twice"),
        ("mysql://me@db/herd?ssl_mode=maybe", "is none of DISABLED"),
        ("mysql://me@db/he rd", "a space or a control character"),
        ("mysql://me@db/herd#x", "percent-encode"),
        ("mysql://me:100%@db/herd", "two hexadecimal digits"),
        ("mysql://me:%ff@db/herd", "not UTF-8"),
        ("mysql://me@db/he%00rd", "NUL"),
    ],
)
def test_a_wrong_address_is_refused_with_the_reason(text: str, message: str) -> None:
    """Each mistake is named in words that say what to write instead."""
    with pytest.raises(DatabaseUrlError) as caught:
        DatabaseUrl.parse(text)
    assert message in str(caught.value)


def test_all_mistakes_in_an_address_are_told_at_once() -> None:
    """A port, a database and an option that are wrong make three problems."""
    with pytest.raises(DatabaseUrlError) as caught:
        DatabaseUrl.parse("mysql://me@db:x/?ssl=1")
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    "sign", ["/", "?", "#", "@", ":", "%", " ", "\n", "[", "]", "&", "=", "\\"]
)
@pytest.mark.parametrize("user", ["me", "me@corp"])
def test_a_password_with_a_raw_special_character_never_leaks(user: str, sign: str) -> None:
    """However a password cuts the address to pieces, no message quotes a piece of it."""
    text = f"mysql://{user}:sesame{sign}hush@db/herd?zzz=1"
    with pytest.raises(DatabaseUrlError) as caught:
        DatabaseUrl.parse(text)
    assert "hush" not in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_passwords_are_masked_inside_any_text() -> None:
    """A message that quotes an address, raw @ and all, loses the password and nothing else."""
    text = "cannot reach mysql://me:hu@sh@db/herd now"
    assert mask_secrets(text) == "cannot reach mysql://me:***@db/herd now"
    assert mask_secrets("see http://127.0.0.1:8650/") == "see http://127.0.0.1:8650/"


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_parsed_or_refused(before: str, after: str) -> None:
    """No text, however odd, brings anything but a value or the error of ours."""
    for text in (before, f"mysql://{before}@{after}", f"mysql://a@b/{quote(before)}?{after}"):
        with contextlib.suppress(DatabaseUrlError):
            assert DatabaseUrl.parse(text).user
