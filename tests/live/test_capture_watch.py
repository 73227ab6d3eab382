"""Somebody drops a trigger under a running node."""

from __future__ import annotations

from pathlib import Path

from records.catalogue import load_catalogue
from schema.migrator import Migrator
from service.database_url import DatabaseUrl
from tests.live.node import RECORDS, NodeProcess, migrate, page
from tests.live.units import until
from tests.service.store.feeds import run
from tests.service.store.test_capture_watch import trigger


def test_a_node_tells_that_changes_escape_and_that_they_do_no_more(
    tmp_path: Path, database: str
) -> None:
    """It is not ready, names the table and the command, and answers all the same."""
    migrate(tmp_path, database)
    (tmp_path / "herdbook.toml").write_text('[node]\nname = "one"\n')
    with NodeProcess(tmp_path, database, HERDBOOK_CAPTURE_CHECK_SECONDS="0.1") as node:
        until(lambda: "[+] capture: ok" in page(node, "/readyz?verbose"))
        assert "herdbook_capture_missing 0.0" in page(node, "/metrics")
        run(database, f"DROP TRIGGER {trigger(database, 'farm', 'AFTER', 'INSERT')}")
        until(lambda: "not ready: capture" in page(node, "/readyz"))
        told = page(node, "/readyz?verbose")
        assert "[-] capture: changes of these tables are not noted" in told
        # It can be pasted in any folder.
        command = f"herdbook schema recapture --config {tmp_path / 'herdbook.toml'}"
        assert f"farm; run `{command}`" in told
        assert command in node.log()
        assert "herdbook_capture_missing 1.0" in page(node, "/metrics")
        assert node.call("farm.create", {"name": "old"})["name"] == "old"
        url = DatabaseUrl.parse(database).as_sqlalchemy()
        Migrator(url, load_catalogue(RECORDS), tmp_path / "migrations").recapture()
        until(lambda: "[+] capture: ok" in page(node, "/readyz?verbose"))
        assert "herdbook_capture_missing 0.0" in page(node, "/metrics")
        assert node.log().count("changes of these tables are not noted") == 1
        assert node.log().count("all triggers that note changes are there again") == 1
