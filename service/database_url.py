"""The address of a database as a value: parsed once, and never shown with its password.

    mysql://user:password@host:3306/database?unix_socket=/run/mysqld/mysqld.sock&ssl_ca=/etc/ca.pem

Whatever is rendered (`str`, `repr`, `masked`) says `***` for the password; only `revealed` and
`as_sqlalchemy` hold it. Messages about a wrong address never quote a piece that could be part of a
password whose special characters were not percent-encoded.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from records.errors import HerdbookError
from service.access.secret import mask_tokens

SCHEMES = ("mysql", "mariadb")
DEFAULT_PORT = 3306
MASK = "***"
# The longest name MySQL and MariaDB accept for a database.
DATABASE_NAME_LENGTH = 64

_PATH_OPTIONS = ("unix_socket", "ssl_ca", "ssl_cert", "ssl_key")
_SSL_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
OPTIONS = (*_PATH_OPTIONS, "ssl_mode")

_ENCODING = (
    "percent-encode special characters in the user name, password and options:"
    " %40 for @, %2F for /, %3A for :, %23 for #, %3F for ?, %25 for %"
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_ADDRESS_6 = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?")
_SECRET_IN_TEXT = re.compile(r"(://[^:/@\s]*:)[^\s]*@")


class DatabaseUrlError(HerdbookError):
    """The address is wrong; `problems` lists everything that is, a line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class DatabaseUrl:
    """Where a database is and who logs in; options are sorted pairs, so equal means equal."""

    user: str
    database: str
    host: str = "localhost"
    port: int = DEFAULT_PORT
    password: str | None = field(default=None, repr=False)
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """The value of a written address; raises DatabaseUrlError with every problem at once."""
        return _Parser(text).parse()

    def option(self, name: str) -> str | None:
        """What the address says for one of OPTIONS, None when it says nothing."""
        return dict(self.options).get(name)

    @property
    def unix_socket(self) -> str | None:
        """The server's socket file, when it is reached through one."""
        return self.option("unix_socket")

    def masked(self) -> str:
        """The address for people and logs: the password, if there is one, is `***`."""
        return self._text("mysql", None if self.password is None else MASK)

    def revealed(self) -> str:
        """The address with its password, for a program that has to log in with it."""
        return self._text("mysql", _quoted(self.password))

    def as_sqlalchemy(self) -> str:
        """The same address as SQLAlchemy wants it, password and all, always in utf8mb4."""
        url = dataclasses.replace(self, options=(("charset", "utf8mb4"), *self.options))
        return url._text("mysql+mysqldb", _quoted(self.password), readable="")

    def _text(self, scheme: str, password: str | None, readable: str = "/") -> str:
        login = quote(self.user, safe="") + ("" if password is None else f":{password}")
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORT else f":{self.port}"
        pairs = "&".join(f"{name}={quote(value, safe=readable)}" for name, value in self.options)
        query = f"?{pairs}" if pairs else ""
        return f"{scheme}://{login}@{host}{port}/{quote(self.database, safe='')}{query}"

    def __str__(self) -> str:
        return self.masked()


def mask_secrets(text: str) -> str:
    """Any text with the passwords of the addresses in it, and tokens, replaced by `***`."""
    return _SECRET_IN_TEXT.sub(rf"\g<1>{MASK}@", mask_tokens(text))


def _quoted(password: str | None) -> str | None:
    return None if password is None else quote(password, safe="")


class _Parser:
    """Takes one written address apart and collects what is wrong with it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[str] = []

    def parse(self) -> DatabaseUrl:
        """The value, or DatabaseUrlError."""
        login, place, path, query = self._pieces()
        user, colon, password = login.partition(":")
        if not user:
            self.problems.append("the user is missing: write mysql://user@host/database")
        host, port = self._place(place)
        url = DatabaseUrl(
            user=self._decoded(user, "user name"),
            password=self._decoded(password, "password") if colon else None,
            host=host,
            port=port,
            database=self._database(path),
            options=self._options(query),
        )
        if self.problems:
            raise DatabaseUrlError(self.problems)
        return url

    def _pieces(self) -> tuple[str, str, str, str]:
        """Login, host with port, path and query; raises at once where the rest would be guesses."""
        # Checked before anything else: urlsplit drops line breaks and tabs without a word.
        if _UNPRINTABLE.search(self.text):
            raise DatabaseUrlError([f"it holds a space or a control character; {_ENCODING}"])
        scheme, separator, rest = self.text.partition("://")
        if not separator:
            raise DatabaseUrlError(["it is no address: write mysql://user@host/database"])
        if scheme.lower() not in SCHEMES:
            raise DatabaseUrlError([_wrong_scheme(scheme)])
        if _BAD_ESCAPE.search(rest):
            raise DatabaseUrlError([f"a % is not followed by two hexadecimal digits; {_ENCODING}"])
        try:
            parts = urlsplit(f"mysql://{rest}")
        except ValueError:
            raise DatabaseUrlError([f"it cannot be taken apart; {_ENCODING}"]) from None
        if "@" in parts.path + parts.query + parts.fragment or parts.fragment:
            raise DatabaseUrlError([f"a special character stands where it cuts it; {_ENCODING}"])
        login, _, place = parts.netloc.rpartition("@")
        return login, place, parts.path, parts.query

    def _place(self, place: str) -> tuple[str, int]:
        """Host and port, with what stands for them when they are left out."""
        host, port = place, ""
        if place.startswith("["):
            host, _, port = place[1:].partition("]")
        elif ":" in place:
            host, _, port = place.partition(":")
            port = f":{port}"
        shape = _ADDRESS_6 if place.startswith("[") else _HOST_NAME
        if host and not shape.fullmatch(host):
            self.problems.append("the host is neither a name nor an address; IPv6 goes in [ ]")
        return host or "localhost", self._port(port)

    def _port(self, text: str) -> int:
        if not text:
            return DEFAULT_PORT
        digits = text[1:]
        if re.fullmatch(r"[0-9]{1,5}", digits) and 1 <= int(digits) <= 65535:
            return int(digits)
        # Not quoted: it may be the first half of a password with a raw special character.
        self.problems.append("the port is not a number from 1 to 65535")
        return DEFAULT_PORT

    def _database(self, path: str) -> str:
        name = path.removeprefix("/")
        if not name:
            self.problems.append("the database is missing: write mysql://user@host/database")
        elif "/" in name:
            self.problems.append("the database's name holds a /; options come after a ?")
        elif len(self._decoded(name, "database's name")) > DATABASE_NAME_LENGTH:
            self.problems.append(f"the database's name is over {DATABASE_NAME_LENGTH} characters")
        return unquote(name)

    def _options(self, query: str) -> tuple[tuple[str, str], ...]:
        options: dict[str, str] = {}
        for pair in query.split("&") if query else ():
            name, _, value = pair.partition("=")
            if name in options:
                self.problems.append(f"the option {name} is there twice; leave one")
            options[name] = self._decoded(value, f"option {name}")
            self._check_option(name, options[name])
        return tuple(sorted(options.items()))

    def _check_option(self, name: str, value: str) -> None:
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, 1)
            advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(OPTIONS)}"
            self.problems.append(f"there is no option {name!r}; {advice}")
        elif name in _PATH_OPTIONS and not value.startswith("/"):
            self.problems.append(f"the option {name} is no absolute path; begin it with /")
        elif name == "ssl_mode" and value not in _SSL_MODES:
            self.problems.append(f"the option ssl_mode is none of {', '.join(_SSL_MODES)}")

    def _decoded(self, text: str, what: str) -> str:
        try:
            decoded = unquote(text, errors="strict")
        except UnicodeDecodeError:
            self.problems.append(f"the {what} is not UTF-8 once its % escapes are undone")
            return ""
        if "\0" in decoded:
            self.problems.append(f"the {what} holds a NUL character; leave it out")
        return decoded


def _wrong_scheme(scheme: str) -> str:
    """The message for an address that begins with something else."""
    if scheme.lower().startswith(SCHEMES):
        return "it names a driver: begin with plain mysql:// or mariadb://"
    return "it begins with no scheme of ours: begin with mysql:// or mariadb://"
