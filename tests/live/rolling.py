"""A herd whose nodes get a new release one after the other, and writers that go on meanwhile."""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import MySQLdb

from records.catalogue import load_catalogue
from schema.migrator import Migrator
from service.database_url import DatabaseUrl
from service.server import PrivateServer
from tests.live.herds import LiveHerd, Release
from tests.live.node import CallFailed
from tests.live.units import until
from tests.service.cli.nodes import herdbook
from tests.service.store.tools import ask, raw_connection

KEYS = 5
MOST_TURNS = 4_000
_CROWDED = {1205, 1213, 1020}
_BUSY = {"server.busy"}
_AGAIN_SECONDS = 0.02
_BETWEEN_SECONDS = 0.01

Maker = Callable[[int], Any]


class Write(NamedTuple):
    """Values of one row; the row is made where it is not there."""

    table: str
    number: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A change of the record classes, and what is written before and after it.

    `old` and `new` name the fields of each table with what makes a value of them from a number.
    `edit` turns the revision that was written by the command into what is run. `refused` are the
    refusals that writers at a node may meet while it is upgraded.
    """

    name: str
    before: str
    after: str
    old: Mapping[str, Mapping[str, Maker]]
    new: Mapping[str, Mapping[str, Maker]]
    edit: Callable[[str], str] = str
    renamed: Mapping[str, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    holds: bool = False


def releases(folder: Path, server: PrivateServer, change: Change) -> tuple[Release, Release]:
    """Both releases as files: modules in `folder`, which has to be on the path, and revisions."""
    modules = [f"{change.name}_{number}_{abs(hash(folder))}" for number in (1, 2)]
    for module, source in zip(modules, (change.before, change.after), strict=True):
        (folder / f"{module}.py").write_text(source)
    first, second = folder / "revisions1", folder / "revisions2"
    with _scratch(server, modules[0]) as url:
        migrator = Migrator(url, load_catalogue(modules[0]), first)
        migrator.upgrade()
        migrator.revision("first tables")
        migrator.upgrade()
        shutil.copytree(first, second)
        written = Migrator(url, load_catalogue(modules[1]), second).revision(
            change.name, allow_destructive=True
        )
        assert written is not None
        written.path.write_text(change.edit(written.path.read_text()))
    return Release(modules[0], first), Release(modules[1], second)


@contextmanager
def _scratch(server: PrivateServer, name: str) -> Iterator[str]:
    server.create_database(name)
    try:
        yield DatabaseUrl.parse(server.url(name)).as_sqlalchemy()
    finally:
        server.drop_database(name)


def schema(
    herd: LiveHerd, number: int, release: Release, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run `herdbook schema` on a node's database, with a release that the node may not have yet."""
    site = herd.sites[number]
    settings = {**site.settings(), **release.settings(), "HERDBOOK_DATABASE_URL": site.own()}
    return herdbook("schema", *arguments, **settings)


class Load:
    """What is written at one node: over the API and by SQL, each in rows of its own."""

    def __init__(self, herd: LiveHerd, number: int, change: Change) -> None:
        self._herd = herd
        self._number = number
        self._change = change
        self._fields = change.old
        self._upgrading = threading.Event()
        self._stop = threading.Event()
        self.promised: dict[tuple[str, int, str], Any] = {}
        self.refusals: Counter[str] = Counter()
        self.failures: list[BaseException] = []
        self.turns = [0, 0]
        self._threads = [
            threading.Thread(target=self._work, args=(way, write))
            for way, write in enumerate((self._call, self._sql))
        ]

    def start(self) -> None:
        """Begin to write."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, turns: int) -> None:
        """Wait until both have written so often again."""
        goal = [done + turns for done in self.turns]
        until(lambda: bool(self.failures) or all(map(int.__ge__, self.turns, goal)))

    @contextmanager
    def upgrading(self) -> Iterator[None]:
        """For the time of a block writes may be refused; after it the new fields are written."""
        self._upgrading.set()
        yield
        self._fields = self._change.new
        # One more turn each, so that what was refused within is not counted after it.
        self.go_on(2)
        self._upgrading.clear()

    def _work(self, way: int, write: Callable[[Write], None]) -> None:
        first = 1_000 * (2 * self._number + way + 1)
        try:
            for turn in itertools.count():
                if self._stop.wait(_BETWEEN_SECONDS):
                    return
                assert turn < MOST_TURNS, "nobody stopped the writers"
                self._settle(turn, first, write)
                self.turns[way] = turn + 1
        except BaseException as error:
            self.failures.append(error)

    def _settle(self, turn: int, first: int, write: Callable[[Write], None]) -> None:
        """Write until it is acknowledged. Each third turn is for rows that all nodes write."""
        shared = turn % 3 == 2
        while not self._stop.is_set():
            made = self._made(turn, 1 if shared else first)
            try:
                write(made)
            except (CallFailed, MySQLdb.Error, OSError, http.client.HTTPException, ValueError) as e:
                self._refused(e)
                time.sleep(_AGAIN_SECONDS)
                continue
            if not shared:
                for name, value in made.values.items():
                    known = self._change.renamed.get(name, name)
                    self.promised[made.table, made.number, known] = value
            return

    def _made(self, turn: int, first: int) -> Write:
        """What is to be written: a value of one field, of each in turn."""
        fields = [(table, name) for table, named in self._fields.items() for name in named]
        table, name = fields[turn % len(fields)] if turn >= KEYS * 3 else fields[0]
        number = first + turn % KEYS
        values = {name: self._fields[table][name](turn)}
        if table != "plant":
            values["plant_number"] = number
        return Write(table, number, values)

    def _refused(self, error: BaseException) -> None:
        code = _code(error)
        if code in _BUSY or code in map(str, _CROWDED):
            return
        if not self._upgrading.is_set():
            raise error
        self.refusals[code] += 1

    def _call(self, write: Write) -> None:
        node = self._herd.nodes[self._number]
        node.call(f"{write.table}.upsert", {"number": write.number, **write.values})

    def _sql(self, write: Write) -> None:
        values = {"number": write.number, **write.values}
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        changes = ", ".join(f"{name} = VALUES({name})" for name in write.values)
        with raw_connection(self._herd.sites[self._number].database) as connection:
            ask(
                connection,
                f"INSERT INTO {write.table} ({names}) VALUES ({marks}) "
                f"ON DUPLICATE KEY UPDATE {changes}",
                tuple(values.values()),
            )


def _code(error: BaseException) -> str:
    if isinstance(error, CallFailed):
        return error.code
    if isinstance(error, MySQLdb.Error):
        return str(error.args[0])
    return "away"


@contextmanager
def loaded(herd: LiveHerd, change: Change) -> Iterator[Sequence[Load]]:
    """Writers at every node, for the time of a block; what failed there is raised."""
    loads = [Load(herd, number, change) for number in range(len(herd.nodes))]
    for load in loads:
        load.start()
    try:
        yield loads
    finally:
        for load in loads:
            load.stop()
    assert [error for load in loads for error in load.failures] == []


def upgrade(herd: LiveHerd, number: int, release: Release) -> dict[str, Any]:
    """A node gets a new release: its database first, while it runs; what the command told."""
    ran = schema(herd, number, release, "upgrade", "--json")
    assert ran.returncode == 0, ran.stderr
    herd.replace_node(number, release)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def held_at(herd: LiveHerd, number: int) -> int:
    """How many rows a node holds."""
    ((count,),) = herd.rows(number, "SELECT COUNT(*) FROM herdbook_held")
    return int(count)


def require_promised(herd: LiveHerd, loads: Sequence[Load]) -> None:
    """What was acknowledged last stands on every node, where its field is still there."""
    promised = {place: value for load in loads for place, value in load.promised.items()}
    for number in range(len(herd.sites)):
        lost = []
        for (table, row, name), value in promised.items():
            if name in columns_of(herd, number, table):
                found = herd.rows(number, f"SELECT {name} FROM {table} WHERE number = {row}")
                if found != [(value,)]:
                    lost.append((table, row, name, value, found))
        assert lost == [], f"at node {number}"


def columns_of(herd: LiveHerd, number: int, table: str) -> set[str]:
    """The columns of a table at a node, as MySQL and MariaDB tell them."""
    return {
        name
        for (name,) in herd.rows(
            number,
            "SELECT column_name FROM information_schema.columns "
            f"WHERE table_schema = DATABASE() AND table_name = '{table}'",
        )
    }
