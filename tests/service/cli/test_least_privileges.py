"""Nodes run on accounts that have exactly what `herdbook grant` prints, and each part is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from records.catalogue import load_catalogue
from schema.errors import DatabaseRefused
from schema.migrator import Migrator
from service.database_url import DatabaseUrl
from service.privileges.needs import SERVING, Need, migrating, needed
from service.privileges.statements import Account, Target, create_user, grants
from service.server import PrivateServer
from tests.live.node import NodeProcess, migrate
from tests.live.units import until
from tests.service.cli.accounts import as_root, database_of, url_of
from tests.service.cli.nodes import herdbook
from tests.service.store.tools import ask, raw_connection

RECORDS = "tests.live.pasture"
FIRST, SECOND = "least_1", "least_2"
WHOLE, SERVER, MIGRATOR = "whole", "server", "migrator"

BY_HAND = '''\
"""All that a revision may do to a table."""

import sqlalchemy as sa
from alembic import op

revision = "r9"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade():
    op.rename_column("visit", "note", "remark")
    op.create_index("by_remark", "visit", ["remark"])
    op.create_table("extra", sa.Column("number", sa.Integer(), primary_key=True))
    op.rename_table("extra", "more")
    op.drop_table("more")


def downgrade():
    op.drop_index("by_remark", "visit")
    op.rename_column("visit", "remark", "note")
'''


def give(server: PrivateServer, database: str, user: str, *, serve_only: bool) -> str:
    """Make an account as it is printed, and give its URL."""
    account = Account(user, "localhost")
    needs = needed(server.program.kind, serve_only=serve_only)
    as_root(server, create_user(account), *grants(needs, Target(database), account))
    return url_of(server, database, user)


@pytest.fixture
def databases(logging_server: PrivateServer) -> Iterator[PrivateServer]:
    """Two empty databases."""
    with (
        database_of(logging_server, FIRST, [WHOLE]),
        database_of(logging_server, SECOND, [SERVER, MIGRATOR]),
    ):
        yield logging_server


def settings(name: str, **herd: str) -> dict[str, str]:
    """What a node of a name is configured with."""
    named = {f"HERDBOOK_HERD_{key.upper()}": value for key, value in herd.items()}
    return {"HERDBOOK_NODE_NAME": name, "HERDBOOK_NODE_RECORDS": RECORDS, **named}


def place_of(folder: Path, url: str) -> dict[str, str]:
    """The project in a folder, on a database."""
    return {
        "HERDBOOK_NODE_RECORDS": RECORDS,
        "HERDBOOK_NODE_MIGRATIONS": str(folder / "migrations"),
        "HERDBOOK_DATABASE_URL": url,
    }


def checks(folder: Path, url: str) -> tuple[int, str]:
    """How `herdbook check` ends, and what it says."""
    ran = herdbook("check", **place_of(folder, url))
    return ran.returncode, ran.stdout


@pytest.mark.slow
def test_linked_nodes_serve_with_what_is_printed(tmp_path: Path, databases: PrivateServer) -> None:
    """One whose account migrates as well, and one whose tables another account has made."""
    folders = [tmp_path / "1", tmp_path / "2"]
    first = give(databases, FIRST, WHOLE, serve_only=False)
    second = give(databases, SECOND, SERVER, serve_only=True)
    made_by = [first, give(databases, SECOND, MIGRATOR, serve_only=False)]
    for folder, url in zip(folders, made_by, strict=True):
        folder.mkdir()
        migrate(folder, url, RECORDS)
    socket = f"unix:{tmp_path}/herd.sock"
    with ExitStack() as nodes:
        one = nodes.enter_context(NodeProcess(folders[0], first, **settings("one", listen=socket)))
        two = nodes.enter_context(
            NodeProcess(folders[1], second, **settings("two", siblings=socket))
        )
        one.call("farm.create", {"code": "f1", "name": "hill"})
        one.call("farm.create", {"code": "f2", "name": "dale"})
        until(lambda: two.call("farm.count") == 2)
        two.call("farm.update", {"code": "f1", "name": "mountain"})
        two.call("farm.delete", {"code": "f2"})
        until(lambda: one.call("farm.count") == 1)
        until(lambda: one.call("farm.get", {"code": "f1"})["name"] == "mountain")
        for node in (one, two):
            told = node.call("feed.read", {"records": ["farm"], "wait_seconds": 5})["changes"]
            assert {change["key"]["code"] for change in told} == {"f1", "f2"}
            alarms = json.dumps(node.call("herd.status")["alarms"])
            assert alarms == "[]"
    for folder, url in zip(folders, (first, second), strict=True):
        code, said = checks(folder, url)
        assert (code, "FAILED" in said, "WARNING" in said) == (0, False, False), said
        assert "denied" not in (folder / "node.log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["upgrade", "recapture"])
def test_triggers_follow_a_new_origin_by_the_account_that_migrates(
    tmp_path: Path, databases: PrivateServer, command: str
) -> None:
    """A node that only serves does not start before, and says what to run."""
    serves = give(databases, SECOND, SERVER, serve_only=True)
    migrates = give(databases, SECOND, MIGRATOR, serve_only=False)
    migrate(tmp_path, migrates, RECORDS)
    node = NodeProcess(tmp_path, serves, **settings("two"))
    renewed = "UPDATE herdbook_node SET former = origin, origin = origin ^ 1"
    with raw_connection(databases.url(SECOND)) as connection:
        ask(connection, renewed)
    with pytest.raises(AssertionError, match="run `herdbook schema upgrade` with the account that"):
        node.start()
    node.stop()
    ran = herdbook("schema", command, **place_of(tmp_path, migrates))
    assert (ran.returncode, "new origin" in ran.stderr) == (0, True)
    with node:
        node.call("farm.create", {"code": "f1", "name": "hill"})
    assert checks(tmp_path, serves)[0] == 0


def migrate_all(folder: Path, url: str) -> Migrator:
    """Every kind of change, there and back."""
    migrations = folder / "migrations"
    migrations.mkdir(exist_ok=True)
    migrator = Migrator(DatabaseUrl.parse(url).as_sqlalchemy(), load_catalogue(RECORDS), migrations)
    migrator.upgrade()
    migrator.revision("first tables")
    migrator.upgrade()
    (head,) = (name for name in migrator.status().current if not name.startswith("hb"))
    (migrations / "r9.py").write_text(BY_HAND.format(head=head))
    migrator.upgrade()
    migrator.downgrade("-1")
    (migrations / "r9.py").unlink()
    migrator.recapture()
    return migrator


def without(server: PrivateServer, need: Need) -> str:
    """The URL of an account for an empty database that lacks one privilege."""
    url = give(server, FIRST, WHOLE, serve_only=False)
    scope = f"`{Target(FIRST).pattern}`.*"
    as_root(server, f"REVOKE {need.privilege} ON {scope} FROM {WHOLE}@localhost")
    return url


@pytest.mark.slow
def test_migrations_run_with_what_is_printed_and_with_nothing_less(
    tmp_path: Path, databases: PrivateServer
) -> None:
    """There, back, and capture made anew; a privilege that is not there is named when missed."""
    (tmp_path / "whole").mkdir()
    whole = migrate_all(tmp_path / "whole", give(databases, FIRST, WHOLE, serve_only=False))
    assert (whole.check(), whole.problem()) == ([], None)
    for need in (*SERVING, *migrating(databases.program.kind)):
        folder = tmp_path / need.privilege
        folder.mkdir()
        as_root(databases, f"DROP USER {WHOLE}@localhost", f"DROP DATABASE {FIRST}")
        databases.create_database(FIRST)
        with pytest.raises(DatabaseRefused, match=need.privilege):
            migrate_all(folder, without(databases, need))
