"""Accounts that may not make triggers are told so before anything is changed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from records import Record, Text
from records.catalogue import catalogue_of
from schema.connection import connected
from schema.errors import DatabaseRefused
from schema.migrator import Migrator
from service.database_url import DatabaseUrl
from service.server import PrivateServer, ServerKind
from tests.servers.programs import chosen_kinds, program_of

RIGHTS = "CREATE, ALTER, DROP, INDEX, REFERENCES, SELECT, INSERT, UPDATE, DELETE"


class Plant(Record):
    """Anything."""

    name = Text(length=9)


@pytest.fixture(scope="module", params=chosen_kinds(), ids=str)
def logging_server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    """A server whose binary log is on, and that trusts nobody who makes triggers."""
    kind: ServerKind = request.param
    directory = Path(tempfile.mkdtemp(prefix="herdbook-tests-"))
    options = ["--log-bin=log", "--server-id=1", "--log-bin-trust-function-creators=OFF"]
    with PrivateServer(directory, program_of(kind), options=options) as server:
        server.create_database("plants")
        yield server
    shutil.rmtree(directory, ignore_errors=True)


def as_root(server: PrivateServer, *statements: str) -> None:
    """Run statements as the server's owner."""
    with connected(DatabaseUrl.parse(server.url("plants")).as_sqlalchemy()) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture
def lesser(logging_server: PrivateServer, tmp_path: Path) -> Iterator[Migrator]:
    """A migrator whose account has all rights on its database but TRIGGER, and no SUPER."""
    as_root(
        logging_server,
        "CREATE USER lesser@localhost",
        f"GRANT {RIGHTS} ON plants.* TO lesser@localhost",
    )
    owner = DatabaseUrl.parse(logging_server.url("plants")).as_sqlalchemy()
    catalogue = catalogue_of([Plant])
    whole = Migrator(owner, catalogue, tmp_path / "revisions")
    whole.upgrade()
    assert whole.revision("plants") is not None
    yield Migrator(owner.replace("root@", "lesser@"), catalogue, tmp_path / "revisions")
    as_root(
        logging_server,
        "DROP USER lesser@localhost",
        "SET GLOBAL log_bin_trust_function_creators = 0",
        "DROP DATABASE plants",
        "CREATE DATABASE plants",
    )


def tables(server: PrivateServer) -> set[str]:
    """The tables of the database."""
    with connected(DatabaseUrl.parse(server.url("plants")).as_sqlalchemy()) as connection:
        return set(connection.exec_driver_sql("SHOW TABLES").scalars())


def test_the_binary_log_and_missing_rights_are_told_before_anything_changes(
    logging_server: PrivateServer, lesser: Migrator
) -> None:
    """Each with its remedy; with both remedies taken the migration runs."""
    before = tables(logging_server)
    with pytest.raises(
        DatabaseRefused, match=r"^Nothing was changed\. The server's binary log is on"
    ) as told:
        lesser.upgrade()
    assert "SUPER" in told.value.hint
    assert "log_bin_trust_function_creators = 1" in told.value.hint
    as_root(logging_server, "SET GLOBAL log_bin_trust_function_creators = 1")
    with pytest.raises(DatabaseRefused, match=r"^Nothing was changed\. .*TRIGGER") as told:
        lesser.upgrade()
    assert "TRIGGER privilege" in told.value.hint
    assert tables(logging_server) == before
    assert lesser.status().interrupted is None
    as_root(logging_server, "GRANT TRIGGER ON plants.* TO lesser@localhost")
    assert len(lesser.upgrade()) == 1
    assert (lesser.check(), lesser.problem()) == ([], None)
    assert "herdbook_trial" not in tables(logging_server)


AT_ONCE = """
def upgrade():
    op.rename_column("plant", "name", "title")


def downgrade():
    op.rename_column("plant", "title", "name")
"""
STEP_BY_STEP = """
def upgrade():
    _rename("name", "title")


def downgrade():
    _rename("title", "name")


def _rename(old, new):
    op.rename_column("plant", old, new)
"""


IN_A_CLASS = """
class Names:
    def give(self, old, new):
        op.rename_column("plant", old, new)


names = Names()


def upgrade():
    names.give("name", "title")


def downgrade():
    names.give("title", "name")
"""
IN_A_LIST = """
ways = []
ways.append(lambda: op.rename_column("plant", "name", "title"))
ways += [lambda: op.rename_column("plant", "title", "name")]


def upgrade():
    ways[0]()


def downgrade():
    ways[1]()
"""
DECORATED = """
ways = []


@ways.append
def there():
    op.rename_column("plant", "name", "title")


@ways.append
def back():
    op.rename_column("plant", "title", "name")


def upgrade():
    ways[0]()


def downgrade():
    ways[1]()
"""
WAYS = {
    "at once": AT_ONCE,
    "step by step": STEP_BY_STEP,
    "in a class": IN_A_CLASS,
    "in a list": IN_A_LIST,
    "decorated": DECORATED,
}


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
def test_a_renaming_and_a_way_back_that_make_triggers_are_refused_before_anything_changes(
    logging_server: PrivateServer, lesser: Migrator, tmp_path: Path, ways: str
) -> None:
    """A column would have its new name, and every write to the table would fail."""
    as_root(
        logging_server,
        "SET GLOBAL log_bin_trust_function_creators = 1",
        "GRANT TRIGGER ON plants.* TO lesser@localhost",
    )
    lesser.upgrade()
    (head,) = (name for name in lesser.status().current if not name.startswith("hb"))
    (tmp_path / "revisions" / "r9.py").write_text(
        f'"""By hand."""\n\nfrom alembic import op\n\nrevision = "r9"\ndown_revision = "{head}"\n'
        f"branch_labels = None\ndepends_on = None\n{ways}"
    )
    take, give = "REVOKE TRIGGER ON plants.* FROM", "GRANT TRIGGER ON plants.* TO"
    write = "INSERT INTO plant (id, {}) VALUES (REPEAT('{}', 16), 'x')"
    moves: list[tuple[str, Callable[[], object]]] = [
        ("name", lesser.upgrade),
        ("title", lambda: lesser.downgrade("-1")),
    ]
    for column, move in moves:
        as_root(logging_server, f"{take} lesser@localhost")
        with pytest.raises(DatabaseRefused, match=r"^Nothing was changed\. .*TRIGGER"):
            move()
        assert lesser.status().interrupted is None
        as_root(
            logging_server,
            f"{give} lesser@localhost",
            write.format(column, column[0]),
        )
        move()
    assert lesser.check() == ["The database's schema is behind; it lacks: r9."]
