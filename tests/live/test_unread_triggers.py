"""MariaDB has read a table's triggers only in part, and a client calls the node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.database_url import DatabaseUrl
from service.server import PrivateServer, ServerKind
from tests.conftest import Servers
from tests.live.node import CallFailed, NodeProcess, migrate
from tests.servers.programs import chosen_kinds
from tests.service.store.sealing.tools import run
from tests.service.store.unread import leave_unread, make_slow_to_open, refusal

pytestmark = pytest.mark.skipif(
    ServerKind.MARIADB not in chosen_kinds(), reason="only MariaDB does this"
)


@pytest.fixture
def server(servers: Servers) -> PrivateServer:
    """MariaDB."""
    return servers.get(ServerKind.MARIADB)


@pytest.fixture
def account(database: str) -> Iterator[str]:
    """The database for an account without RELOAD."""
    name = DatabaseUrl.parse(database).database
    run(database, "CREATE USER lesser@localhost", f"GRANT ALL ON {name}.* TO lesser@localhost")
    yield database.replace("root@", "lesser@")
    run(database, "DROP USER lesser@localhost")


def test_a_call_is_carried_out(tmp_path: Path, database: str) -> None:
    """The client sees nothing of it; the log tells, and other programs are helped as well."""
    migrate(tmp_path, database)
    with NodeProcess(tmp_path, database) as node:
        farm = node.call("farm.create", {"name": "old"})
        make_slow_to_open(database, "farm")
        leave_unread(database, "farm")
        changed = node.call("farm.update", {"id": farm["id"], "name": "new"})
        assert changed["name"] == "new"
        assert refusal(database, "farm") is None
        assert "FLUSH TABLES was run" in node.log()


def test_a_node_that_may_not_heal_it_says_what_to_do(
    tmp_path: Path, database: str, account: str
) -> None:
    """An error that may be sent again, with the advice and no SQL; reads go on."""
    migrate(tmp_path, database)
    with NodeProcess(tmp_path, account) as node:
        farm = node.call("farm.create", {"name": "old"})
        make_slow_to_open(database, "farm")
        leave_unread(database, "farm")
        change = {"id": farm["id"], "name": "new"}
        with pytest.raises(CallFailed) as failed:
            node.call("farm.update", change)
        assert failed.value.code == "server.unavailable"
        assert failed.value.error["data"]["retryable"] is True
        assert "FLUSH TABLES" in str(failed.value.error)
        assert "herdbook_" not in str(failed.value.error)
        assert [record["name"] for record in node.call("farm.list")["records"]] == ["old"]
        run(database, "FLUSH LOCAL TABLES")
        assert node.call("farm.update", change)["name"] == "new"
