"""`herdbook delta`: changes go from one database to another in a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.server import PrivateServer
from tests.service.cli.conftest import Ran
from tests.service.store.herd.herds import Member
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.herd.test_applying import family
from tests.service.store.herd.test_snapshots import prune, rows
from tests.service.store.tools import read

Herdbook = Callable[..., Ran]
RECORDS = "tests.service.store.herd.ranch"


@pytest.fixture
def pair(server: PrivateServer, database: str) -> Iterator[tuple[Member, Member]]:
    """Two nodes with the ranch's tables."""
    name = DatabaseUrl.parse(database).database + "_far"
    server.create_database(name)
    for url in (database, server.url(name)):
        create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
        read(url, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    yield Member(database), Member(server.url(name))
    server.drop_database(name)


@pytest.mark.parametrize("pruned", [False, True])
def test_a_file_brings_another_node_what_it_lacks(
    herdbook: Herdbook, pair: tuple[Member, Member], tmp_path: Path, pruned: bool
) -> None:
    """All of it at first, then what is new; twice is as good as once."""
    one, far = pair
    family(one)
    one.seal()
    assert bool(prune(one)) if pruned else True
    file = str(tmp_path / "some.delta")
    told = herdbook(
        "delta", "export", file, "--database", one.url, "--records", RECORDS, "--json"
    ).document()
    assert told["snapshot"] is pruned
    for _time in range(2):
        done = herdbook(
            "delta", "import", file, "--database", far.url, "--records", RECORDS, "--json"
        ).document()
        assert done["vector"] == told["covers"]
        far.seal()
    assert rows(far) == rows(one)
    one.sql("INSERT INTO ranch (number) VALUES (70)")
    one.seal()
    above = json.dumps(
        herdbook(
            "delta", "vector", "--database", far.url, "--records", RECORDS, "--json"
        ).document()
    )
    news = herdbook(
        "delta",
        "export",
        file,
        "--above",
        above,
        "--database",
        one.url,
        "--records",
        RECORDS,
        "--json",
    ).document()
    assert (news["rows"], news["entries"]) == (1, 1)
    herdbook("delta", "import", file, "--database", far.url, "--records", RECORDS, "--json")
    assert rows(far) == rows(one)


def test_a_file_that_skips_something_or_is_none_is_refused(
    herdbook: Herdbook, pair: tuple[Member, Member], tmp_path: Path
) -> None:
    """With what to do; nothing is applied."""
    one, far = pair
    family(one)
    one.seal()
    file = tmp_path / "some.delta"
    above = json.dumps({str(one.origin()): 2})
    herdbook(
        "delta",
        "export",
        str(file),
        "--above",
        above,
        "--database",
        one.url,
        "--records",
        RECORDS,
        "--json",
    )
    refused = herdbook(
        "delta", "import", str(file), "--database", far.url, "--records", RECORDS, "--json"
    )
    assert (refused.code, refused.error()["code"]) == (4, "delta.refused")
    ours = herdbook(
        "delta", "import", str(file), "--database", one.url, "--records", RECORDS, "--json"
    )
    assert (ours.code, ours.error()["code"]) == (4, "delta.ours")
    file.write_bytes(file.read_bytes()[:-9])
    cut = herdbook(
        "delta", "import", str(file), "--database", far.url, "--records", RECORDS, "--json"
    )
    assert cut.code == 1
    assert far.rows("SELECT COUNT(*) FROM ranch") == [(0,)]
    usage = herdbook(
        "delta", "export", str(file), "--above", "[1]", "--database", one.url, "--records", RECORDS
    )
    assert usage.code == 2
