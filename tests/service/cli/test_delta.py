"""`herdbook delta`: changes go from one database to another in a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.port import Sibling
from service.server import PrivateServer
from service.store.herd.siblings import note, readmit
from tests.service.cli.conftest import Ran
from tests.service.store.herd.herds import Member
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.herd.test_applying import family
from tests.service.store.herd.test_snapshots import prune, rows
from tests.service.store.tools import in_transaction, read

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
    for is_new in (True, False):
        done = herdbook(
            "delta", "import", file, "--database", far.url, "--records", RECORDS, "--json"
        ).document()
        assert (done["vector"], done["new"]) == (told["covers"], is_new)
        far.seal()
    assert rows(far) == rows(one)
    again = herdbook("delta", "import", file, "--database", far.url, "--records", RECORDS)
    assert again.out == f"nothing was new: {told['rows']} rows in 1 part were here\n"
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


NOWHERE = "mysql://nobody@127.0.0.1:1/nothing"


@pytest.mark.parametrize(
    "words",
    [
        ["delta", "vector"],
        ["delta", "export", "some.delta"],
        ["herd", "retire", "barn", "--yes"],
        ["herd", "readmit", "barn", "--yes"],
        ["herd", "new-origin", "--yes"],
    ],
)
def test_a_database_that_does_not_answer_is_told_to_whoever_typed_the_command(
    herdbook: Herdbook, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """The server's own words, and how another database is named where none was."""
    records = ["--records", RECORDS] if words[0] == "delta" else []
    named = herdbook(*words, *records, "--database", NOWHERE)
    assert named.code == 1
    first, advice = named.err.splitlines()
    told = f"error: {NOWHERE}: the database server cannot be reached (Can't connect to"
    assert first.startswith(told)
    assert advice.endswith("then run the command again.")
    monkeypatch.setenv("HERDBOOK_NODE_RECORDS", RECORDS)
    monkeypatch.setenv("HERDBOOK_DATABASE_URL", NOWHERE)
    ran = herdbook(*words)
    assert ran.err.splitlines()[:2] == [first, advice]
    assert "--dir DIR names that of `herdbook up --dir DIR`" in ran.err
    assert herdbook(*words, "--json").error()["code"] == "server.unavailable"


def test_a_sibling_is_retired_on_one_node_as_often_as_one_likes(
    herdbook: Herdbook, pair: tuple[Member, Member]
) -> None:
    """Each answer says that the others have to be told as well."""
    one, _far = pair
    place = ("--database", one.url)
    unknown = herdbook("herd", "retire", "barn", *place, "--yes")
    assert unknown.err == ("error: no sibling is called barn\nthis node has never met a sibling\n")
    met = [Sibling(origin, "barn", {}) for origin in (7, 8)]
    in_transaction(one.url, CATALOGUE, lambda tx: note(tx, met))
    both = herdbook("herd", "retire", "barn", *place, "--yes")
    assert both.err.splitlines()[0] == "error: 2 siblings are called barn"
    assert "barn (7), barn (8)" in both.err
    assert "no sibling is called shed" in herdbook("herd", "retire", "shed", *place).err
    assert herdbook("herd", "retire", "7", *place).code == 4
    for said in ("is retired here", "was retired here already"):
        done = herdbook("herd", "retire", "7", *place, "--yes")
        assert (done.code, done.out) == (0, f"barn (origin 7) {said}\n")
        assert "on each of them" in done.err
        assert "origin 8 of barn is not retired: until it is, the certificate counts" in done.err
    last = herdbook("herd", "retire", "8", *place, "--yes", "--json")
    assert last.document()["others"] == []
    in_transaction(one.url, CATALOGUE, lambda tx: readmit(tx, 8))
    assert read(one.url, "SELECT origin, state FROM herdbook_sibling ORDER BY origin") == [
        (7, "retired"),
        (8, "active"),
    ]


def test_a_sibling_that_was_retired_is_taken_back(
    herdbook: Herdbook, pair: tuple[Member, Member]
) -> None:
    """Only where it is meant; once more changes nothing."""
    one, _far = pair
    place = ("--database", one.url)
    in_transaction(one.url, CATALOGUE, lambda tx: note(tx, [Sibling(7, "barn", {})]))
    assert herdbook("herd", "retire", "barn", *place, "--yes").code == 0
    state = "SELECT state FROM herdbook_sibling"
    assert herdbook("herd", "readmit", "barn", *place).code == 4
    assert read(one.url, state) == [("retired",)]
    for said in ("is taken back here", "was never retired here"):
        done = herdbook("herd", "readmit", "barn", *place, "--yes")
        assert (done.code, done.out) == (0, f"barn (origin 7) {said}\n")
        assert "until the same is done on each of them" in done.err
        assert read(one.url, state) == [("active",)]
