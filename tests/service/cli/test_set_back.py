"""Real nodes whose data directory was put back, copied or is new: nothing is lost or repeated."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from service.database_url import DatabaseUrl
from tests.service.cli.nodes import caller, herdbook, new_country
from tests.service.store.tools import read

SECONDS = 300
"""Pruning takes more than a minute to begin; a copy is thought gone after a minute and a half."""

FORTY_DAYS = 40 * 86_400 * 1_000_000


class Pasture:
    """Nodes with data directories of their own, each linked to the first one's socket."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program
        self._told: dict[str, dict[str, Any]] = {}

    def place(self, name: str) -> Path:
        """Where a node keeps everything."""
        return self._folder / name

    def start(self, name: str) -> None:
        """Let a node run."""
        started = herdbook(
            *("up", "--dir", str(self.place(name)), "--port", "0", "--detach", "--json"),
            HERDBOOK_SERVER=self._program,
            HERDBOOK_NODE_NAME=name,
            HERDBOOK_HERD_LISTEN=f"unix:{self._folder}/{name}.s",
            HERDBOOK_HERD_SIBLINGS="" if name == "other" else f"unix:{self._folder}/other.s",
        )
        assert started.returncode == 0, started.stderr
        self._told[name] = json.loads(started.stdout)

    def stop(self, name: str) -> None:
        """Stop a node and its server."""
        herdbook("down", "--dir", str(self.place(name)))

    def stop_all(self) -> None:
        """At the end."""
        for name in self._told:
            self.stop(name)

    def add(self, name: str, *codes: str) -> None:
        """Somebody writes at a node."""
        for code in codes:
            caller(self._told[name]).call("country.create", new_country(code))

    def remove(self, name: str, code: str) -> None:
        """Somebody deletes at a node."""
        self.sql(name, f"DELETE FROM country WHERE code = '{code}'")

    def sql(self, name: str, statement: str) -> list[Any]:
        """What a query finds."""
        url = DatabaseUrl.parse(self._told[name]["database"])
        return read(str(url), statement)

    def countries(self, name: str) -> list[Any]:
        """All rows with their lives and versions."""
        return self.sql(
            name, "SELECT code, id, herdbook_life, herdbook_stamp FROM country ORDER BY code"
        )

    def origin(self, name: str) -> int:
        """The origin of a node."""
        origin: int = self.sql(name, "SELECT origin FROM herdbook_node")[0][0]
        return origin

    def status(self, name: str) -> CompletedProcess[str]:
        """How a node and its siblings stand."""
        return herdbook("herd", "status", "--url", self._told[name]["rpc"])

    def alarm(self, name: str) -> str:
        """Wait until somebody has to look at a node; what it says then."""
        self.until(lambda: self.status(name).returncode == 3)
        return self.status(name).stdout

    def agree(self, *names: str, count: int) -> None:
        """Wait until nodes have the same, and so many rows."""
        self.until(
            lambda: (
                len({str(self.countries(name)) for name in names}) == 1
                and len(self.countries(names[0])) == count
            )
        )

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait for something, but not for ever."""
        end = time.monotonic() + SECONDS
        while not happened():
            assert time.monotonic() < end, "it does not happen"
            time.sleep(0.1)


@pytest.fixture
def pasture(tmp_path: Path, server_program: str) -> Iterator[Pasture]:
    """No node yet; all are stopped after the test."""
    pasture = Pasture(tmp_path, server_program)
    yield pasture
    pasture.stop_all()


def test_a_data_directory_that_was_put_back_is_brought_up_to_date(pasture: Pasture) -> None:
    """What came after the backup comes from the sibling; what was written since stays."""
    pasture.start("other")
    pasture.start("one")
    pasture.add("one", "Q1", "Q2")
    pasture.agree("one", "other", count=2)
    pasture.until(lambda: pasture.sql("one", "SELECT * FROM herdbook_sibling") != [])
    pasture.stop("one")
    shutil.copytree(pasture.place("one"), pasture.place("backup"), symlinks=True)
    pasture.start("one")
    pasture.add("one", "Q3", "Q4")
    pasture.remove("one", "Q1")
    pasture.agree("one", "other", count=3)
    former = pasture.origin("one")
    pasture.stop("one")
    pasture.stop("other")
    shutil.rmtree(pasture.place("one"))
    pasture.place("backup").rename(pasture.place("one"))
    pasture.start("one")
    pasture.add("one", "Q5")
    pasture.start("other")
    pasture.agree("one", "other", count=4)
    assert [row[0] for row in pasture.countries("one")] == ["Q2", "Q3", "Q4", "Q5"]
    assert pasture.origin("one") != former
    pasture.until(lambda: pasture.sql("one", "SELECT former FROM herdbook_node") == [(None,)])
    pasture.add("one", "Q6")
    pasture.agree("one", "other", count=5)


def test_a_copied_node_goes_on_under_an_origin_of_its_own(pasture: Pasture) -> None:
    """They meet only by way of a third, which says what they are until somebody decides."""
    pasture.start("other")
    pasture.start("one")
    pasture.add("one", "Q1")
    pasture.agree("one", "other", count=1)
    pasture.until(lambda: pasture.sql("one", "SELECT * FROM herdbook_sibling") != [])
    pasture.stop("one")
    shutil.copytree(pasture.place("one"), pasture.place("copy"), symlinks=True)
    pasture.start("one")
    pasture.start("copy")
    pasture.add("copy", "Q7")
    told = pasture.alarm("other")
    assert "ALARM origin.cloned: two running nodes show one origin" in told
    assert ": copy and one. " in told
    assert "herdbook herd new-origin --dir … --yes" in told
    refused = herdbook("herd", "new-origin", "--dir", str(pasture.place("copy")), "--json")
    assert refused.returncode == 4
    renewed = herdbook("herd", "new-origin", "--dir", str(pasture.place("copy")), "--json", "--yes")
    assert renewed.returncode == 0, renewed.stderr
    assert json.loads(renewed.stdout)["origin"] == pasture.origin("copy")
    pasture.add("one", "Q2")
    pasture.agree("one", "other", "copy", count=3)
    assert pasture.status("other").returncode == 0


def test_a_node_that_met_its_copy_goes_on_without_being_started_again(pasture: Pasture) -> None:
    """Both stop; when the copy has an origin of its own, both go on."""
    pasture.start("other")
    pasture.add("other", "Q1")
    pasture.stop("other")
    shutil.copytree(pasture.place("other"), pasture.place("copy"), symlinks=True)
    pasture.start("other")
    pasture.start("copy")
    for name in ("other", "copy"):
        assert "herdbook herd new-origin --dir … --yes" in pasture.alarm(name)
    pasture.add("other", "Q2")
    pasture.add("copy", "Q3")
    renewed = herdbook("herd", "new-origin", "--dir", str(pasture.place("copy")), "--yes")
    assert renewed.returncode == 0, renewed.stderr
    pasture.agree("other", "copy", count=3)
    assert [pasture.status(name).returncode for name in ("other", "copy")] == [0, 0]


@contextmanager
def writing(pasture: Pasture, name: str) -> Iterator[list[int]]:
    """Somebody writes at a node all the time; how often, so far."""
    over, written = threading.Event(), [0]

    def write() -> None:
        while not over.is_set():
            pasture.sql(name, f"UPDATE country SET population = {written[0]} WHERE code = 'Q2'")
            written[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        over.set()
        thread.join()
    assert written[0] > 0


def test_an_empty_node_joins_while_others_write_though_the_changelog_was_pruned(
    pasture: Pasture,
) -> None:
    """It gets the rows of which no entry is left, and everything that is written meanwhile."""
    pasture.start("other")
    pasture.add("other", "Q1", "Q2", "Q3")
    pasture.remove("other", "Q3")
    pasture.until(lambda: pasture.sql("other", "SELECT * FROM herdbook_inbox") == [])
    pasture.sql("other", f"UPDATE herdbook_changelog SET sealed_at = sealed_at - {FORTY_DAYS}")
    pasture.add("other", "Q4")
    pasture.until(lambda: pasture.sql("other", "SELECT * FROM herdbook_pruned") != [])
    with writing(pasture, "other"):
        pasture.start("one")
        pasture.until(lambda: len(pasture.countries("one")) == 3)
    pasture.agree("one", "other", count=3)
    # The first position is that of the record which the other node keeps of itself.
    assert pasture.sql("one", "SELECT `position` FROM herdbook_pruned") == [(5,)]
    pasture.add("one", "Q5")
    pasture.agree("one", "other", count=4)
