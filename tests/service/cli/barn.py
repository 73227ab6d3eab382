"""A project in which all is well, for one thing of it to be broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from records.catalogue import load_catalogue
from schema.migrator import Migrator
from service.access.tokens import Token
from service.database_url import DatabaseUrl
from service.privileges.needs import SERVING, migrating
from service.server import PrivateServer
from service.token_file import change_tokens
from tests.live.node import migrate
from tests.service.access.tokens import token
from tests.service.cli.accounts import SECRET, as_root, url_of
from tests.service.identity.papers import herd, node_files
from tests.service.store.tools import ask, raw_connection

RECORDS = "tests.live.pasture"
USER = "barn"
NOW = datetime.now(UTC)

_FILE = """\
[node]
name = "barn"
records = "{records}"
migrations = "migrations"
[database]
url = "{url}"
[herd]
listen = "tcp:8653:interface=127.0.0.1"
siblings = ["tcp:192.0.2.7:8653"]
certificate = "papers/node.crt"
key = "papers/node.key"
ca = "papers/ca.crt"
[access]
required = true
"""


@dataclass
class Barn:
    """The project's folder, and its database on a server of the tests."""

    folder: Path
    server: PrivateServer
    database: str
    undo: list[Callable[[], object]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The configuration."""
        return self.folder / "herdbook.toml"

    @property
    def papers(self) -> Path:
        """The folder of the node's certificate and key."""
        return self.folder / "papers"

    @property
    def url(self) -> str:
        """The database's, with the account and its password."""
        return url_of(self.server, self.database, USER)

    @property
    def revision(self) -> str:
        """The project's only revision."""
        [file] = self.folder.glob("migrations/*.py")
        return file.name.partition("_")[0]

    def put(self, former: str, latter: str) -> None:
        """Put something in the place of what stands once in the file."""
        text = self.file.read_text(encoding="utf-8")
        assert text.count(former) == 1, former
        self.file.write_text(text.replace(former, latter), encoding="utf-8")

    def add(self, text: str) -> None:
        """Add to the end of the file."""
        self.file.write_text(f"{self.file.read_text(encoding='utf-8')}{text}\n", encoding="utf-8")

    def on_server(self, change: str, back: str) -> None:
        """Change something of the server or of an account, and back at the end."""
        self.undo.append(lambda: as_root(self.server, back))
        as_root(self.server, change)

    def in_database(self, change: str, back: str) -> None:
        """Change something in the database, and back at the end."""
        self.undo.append(lambda: self._ask(back))
        self._ask(change)

    def lose_trigger(self, table: str) -> None:
        """Drop one of a table's triggers; all are made anew at the end."""
        migrator = Migrator(
            DatabaseUrl.parse(self.url).as_sqlalchemy(),
            load_catalogue(RECORDS),
            self.folder / "migrations",
        )
        self.undo.append(migrator.recapture)
        name = self._ask(f"SHOW TRIGGERS LIKE '{table}'")[0][0]
        self._ask(f"DROP TRIGGER `{name}`")

    def mend(self) -> None:
        """Undo what was done to the server and the database."""
        for undo in reversed(self.undo):
            undo()

    def _ask(self, statement: str) -> list[Any]:
        with raw_connection(self.server.url(self.database)) as connection:
            return ask(connection, statement)


@contextmanager
def migrated(server: PrivateServer, folder: Path, database: str) -> Iterator[None]:
    """A database with an account of its own, whose revisions are in a folder; gone at the end."""
    server.create_database(database)
    needs = ", ".join(need.privilege for need in (*SERVING, *migrating(server.program.kind)))
    as_root(
        server,
        f"CREATE USER {USER}@localhost IDENTIFIED BY '{SECRET}'",
        f"GRANT {needs} ON `{database}`.* TO {USER}@localhost",
    )
    try:
        migrate(folder, url_of(server, database, USER), RECORDS)
        yield
    finally:
        server.drop_database(database)
        as_root(server, f"DROP USER {USER}@localhost")


def written(folder: Path, migrations: Path, server: PrivateServer, database: str) -> Barn:
    """The project's files in a folder of their own."""
    barn = Barn(folder, server, database)
    shutil.copytree(migrations, folder / "migrations")
    barn.file.write_text(_FILE.format(records=RECORDS, url=barn.url), encoding="utf-8")
    node_files(barn.papers, herd(NOW), "barn", NOW)
    token_of(barn, token(1))
    return barn


def token_of(barn: Barn, one: Token | None) -> None:
    """Let the project have one token, or none."""
    file = barn.folder / "barn.tokens"
    file.unlink(missing_ok=True)
    if one is not None:
        change_tokens(file, lambda book: book.with_token(one))
