"""A deletion is undone over JSON-RPC, on a database that was migrated."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.node import CallFailed, served
from tests.service.store.tools import read


def test_a_farm_comes_back_with_its_herd(tmp_path: Path, database: str) -> None:
    """Deleted by a call, listed with who did it, brought back whole; then refused as alive."""
    with served(tmp_path, database) as node:
        farm = node.call("farm.create", {"name": "Heidi"})
        herd = [{"farm_id": farm["id"], "name": str(tag), "tag": tag} for tag in range(5)]
        cows = node.call("cow.create", {"records": herd})
        node.call("cow.delete", {"id": cows[0]["id"]})
        assert node.call("farm.delete", {"id": farm["id"]}) == {"deleted": 1}
        assert node.call("cow.count") == 0
        page = node.call("farm.list_deleted")
        assert [one["record"] for one in page["records"]] == [farm]
        assert page["records"][0]["deleted_by"] == "api:127.0.0.1"
        named = {"where": ["name", "in", ["0", "3"]], "limit": 1}
        first = node.call("cow.list_deleted", named)
        second = node.call("cow.list_deleted", named | {"next": first["next"]})
        assert [part["records"][0]["record"] for part in (first, second)] == [cows[3], cows[0]]
        assert second["next"] is None
        short = node.call("cow.list_deleted", named | {"fields": ["name", "tag"]})
        assert short["records"][0]["record"] == {"name": "3", "tag": 3}
        with pytest.raises(CallFailed) as caught:
            node.call("cow.restore", {"id": cows[1]["id"]})
        assert [each["code"] for each in caught.value.errors] == ["reference.missing"]
        assert "farm.restore brings it back" in caught.value.errors[0]["message"]
        answer = node.call("farm.restore", {"record": farm["id"], "children": True})
        assert answer == {"record": farm, "children": {"cow": 4}}
        found = node.call("cow.list", {"order": "tag"})["records"]
        assert found == cows[1:]
        with pytest.raises(CallFailed) as caught:
            node.call("farm.restore", {"id": farm["id"]})
        assert [each["code"] for each in caught.value.errors] == ["record.alive"]
        changes = node.call("feed.read", {"records": ["farm"], "wait_seconds": 5})["changes"]
        assert [change["kind"] for change in changes] == ["insert", "delete", "insert"]
        assert [change["life"] for change in changes] == [1, 2, 3]
    assert read(database, "SELECT COUNT(*) FROM herdbook_dead_cow") == [(1,)]
