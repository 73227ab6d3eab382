"""Somebody takes a revision back under a running node."""

from __future__ import annotations

from pathlib import Path

import pytest

from records.catalogue import load_catalogue
from schema.migrator import Migrator
from service.database_url import DatabaseUrl
from tests.live.node import RECORDS, CallFailed, NodeProcess, migrate, page
from tests.live.test_feed_tail import tail
from tests.live.units import until


def test_a_node_tells_that_its_schema_is_gone_and_that_it_is_back(
    tmp_path: Path, database: str
) -> None:
    """It is not ready and says what to do, and whoever follows its feed goes on afterwards."""
    migrate(tmp_path, database)
    url = DatabaseUrl.parse(database).as_sqlalchemy()
    migrator = Migrator(url, load_catalogue(RECORDS), tmp_path / "migrations")
    with NodeProcess(tmp_path, database, HERDBOOK_CAPTURE_CHECK_SECONDS="0.1") as node:
        node.call("farm.create", {"name": "old"})
        with tail(node.stream, "--from", "start", "--json", "--rows") as follower:
            assert follower.lines(1)[0]["position"] == 1
            migrator.downgrade("-1")
            until(lambda: "not ready: schema" in page(node, "/readyz"))
            told = page(node, "/readyz?verbose")
            assert "[-] schema: the schema is not what this node needs" in told
            assert "was taken back" in told
            assert "run `herdbook schema upgrade`" in told
            with pytest.raises(CallFailed) as failed:
                node.call("farm.list")
            assert failed.value.code == "server.schema"
            migrator.upgrade()
            until(lambda: page(node, "/readyz") == "ok\n")
            made = node.call("farm.create", {"name": "new"})
            shown = follower.lines(1)
            assert (shown[0]["kind"], shown[0]["row"]["name"]) == ("insert", "new")
            assert shown[0]["key"] == {"id": made["id"]}
        assert node.log().count("the schema is not what this node needs") == 1
        assert node.log().count("the schema is what this node needs again") == 1
