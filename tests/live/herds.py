"""Several nodes that are siblings, each a process on a database of its own, and wires between them.

    with LiveHerd(folder, servers, links=[(1, 0), (2, 0)]) as herd:
        herd.nodes[0].call(...)
        herd.wires[2, 0].cut()
        herd.agree()

A link is (who dials, who listens).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import MySQLdb

from records.catalogue import Catalogue, load_catalogue
from records.states import RowState
from schema.migrator import Migrator
from service.cli.demonstration.wire import Wire
from service.database_url import DatabaseUrl
from service.herd.shapes import Place
from service.server import PrivateServer
from service.store.herd.described import describe
from service.store.herd.every_row import every_row
from service.store.herd.rows import standings
from service.store.transaction import Transaction
from tests.live.node import NodeProcess, migrate, page
from tests.servers.ports import free_ports
from tests.service.store.tools import ask, in_transaction, raw_connection, read

RECORDS = "tests.live.pasture"
CATALOGUE = load_catalogue(RECORDS)
SECONDS = 120.0
ROOT = Path(__file__).parents[2]

Link = tuple[int, int]
Counts = tuple[tuple[object, ...], ...]

_ORPHANS = (
    "SELECT COUNT(*) FROM `{0}` AS c LEFT JOIN `{1}` AS p ON {2} WHERE p.`{3}` IS NULL AND {4}"
)
_DUPLICATES = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM `{0}` WHERE {1} GROUP BY {2} HAVING COUNT(*) > 1) AS d"
)


@dataclass(frozen=True)
class Release:
    """A module of record classes, which is beside the folder of its revisions.

    Without such a folder each node writes its own.
    """

    records: str = RECORDS
    migrations: Path | None = None

    def settings(self) -> dict[str, str]:
        """What a node is configured with."""
        named = {"HERDBOOK_NODE_RECORDS": self.records}
        if self.migrations is not None:
            named["HERDBOOK_NODE_MIGRATIONS"] = str(self.migrations)
            named["PYTHONPATH"] = f"{ROOT}:{self.migrations.parent}"
        return named


@dataclass
class Site:
    """What stays of a node when its process ends."""

    name: str
    folder: Path
    server: PrivateServer
    database: str
    port: int
    user: str = "root"
    siblings: tuple[str, ...] = ()
    release: Release = Release()
    papers: Mapping[str, str] = field(default_factory=dict)

    def own(self) -> str:
        """The URL by which the node itself connects."""
        return self.database.replace("root@", f"{self.user}@")

    def settings(self) -> dict[str, str]:
        """What it is configured with."""
        return {
            "HERDBOOK_NODE_NAME": self.name,
            **self.release.settings(),
            "HERDBOOK_DATABASE_LOCK_WAIT_SECONDS": "1",
            "HERDBOOK_HERD_LISTEN": f"tcp:{self.port}:interface=127.0.0.1",
            "HERDBOOK_HERD_SIBLINGS": " ".join(self.siblings),
            **self.papers,
        }


class LiveHerd:
    """The nodes by number, for the time of a `with` block.

    `papers` are what a node of a name is configured with for its links.
    """

    def __init__(
        self,
        folder: Path,
        servers: Sequence[PrivateServer],
        links: Iterable[Link],
        release: Release | None = None,
        papers: Callable[[str], Mapping[str, str]] = lambda _name: {},
    ) -> None:
        self._held = ExitStack()
        ports = free_ports(len(servers))
        self.sites = [
            Site(f"node{number}", folder / f"node{number}", server, "", ports[number])
            for number, server in enumerate(servers)
        ]
        for site in self.sites:
            site.release = release or Release()
            site.papers = papers(site.name)
        self.wires: dict[Link, Wire] = {
            (dials, listens): Wire(("127.0.0.1", ports[listens])) for dials, listens in links
        }
        self.nodes: list[NodeProcess] = []

    def __enter__(self) -> Self:
        """Migrate, and start all."""
        try:
            for wire in self.wires.values():
                self._held.enter_context(wire)
            for number, site in enumerate(self.sites):
                site.siblings = tuple(
                    wire.address for (dials, _), wire in self.wires.items() if dials == number
                )
                self._prepare(site)
            together(*(node.start for node in self.nodes))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop all, and say what they have said: pytest shows it where a test has failed."""
        together(*(node.stop for node in self.nodes))
        self._held.close()
        for site, node in zip(self.sites, self.nodes, strict=False):
            print(f"--- {site.name}\n{node.log()[-6_000:]}")

    def kill_node(self, number: int) -> None:
        """End a node's process at once."""
        os.kill(self.nodes[number].pid, signal.SIGKILL)

    def start_node(self, number: int) -> None:
        """Start a node again that was killed."""
        self.nodes[number].stop()
        self.nodes[number].start()

    def replace_node(self, number: int, release: Release) -> None:
        """Stop a node in good order, and start it with another release."""
        site = self.sites[number]
        site.release = release
        self.nodes[number].stop()
        self.nodes[number] = NodeProcess(site.folder, site.own(), **site.settings())
        self.nodes[number].start()

    def wires_of(self, number: int) -> list[Wire]:
        """The wires that end at a node."""
        return [wire for link, wire in self.wires.items() if number in link]

    @contextmanager
    def cut_off(self, number: int) -> Iterator[None]:
        """A node is alone for the time of a block."""
        for wire in self.wires_of(number):
            wire.cut()
        try:
            yield
        finally:
            for wire in self.wires_of(number):
                wire.heal()

    def agree(self, seconds: float = SECONDS) -> None:
        """Wait until all have the same; then every row, live or dead, is the same everywhere."""
        deadline = time.monotonic() + seconds
        while len({self._standing(site) for site in self.sites}) != 1:
            assert time.monotonic() < deadline, "\n".join(map(self._told, self.sites))
            time.sleep(0.1)
        first, *others = [states_at(site.database) for site in self.sites]
        for site, other in zip(self.sites[1:], others, strict=True):
            assert_same(first, other, site.name)
        for site in self.sites:
            assert broken_in(site.database, load_catalogue(site.release.records)) == ()

    def journal(self) -> Counter[str]:
        """How often each rule was noted, at all nodes together."""
        return Counter(
            rule
            for number in range(len(self.sites))
            for (rule,) in self.rows(number, "SELECT rule FROM herdbook_journal")
        )

    def readiness(self, number: int) -> str:
        """What a node says of its own state, a line for each part."""
        return page(self.nodes[number], "/readyz?verbose")

    def rows(self, number: int, statement: str) -> list[Any]:
        """What a query finds at a node."""
        return read(self.sites[number].database, statement)

    def _prepare(self, site: Site) -> None:
        site.folder.mkdir()
        name = f"herd_{os.getpid()}_{site.port}"
        site.server.create_database(name)
        self._held.callback(_drop, site.server, name)
        site.database = site.server.url(name)
        records, migrations = site.release.records, site.release.migrations
        if migrations is None:
            migrate(site.folder, site.database, records)
        else:
            url = DatabaseUrl.parse(site.database).as_sqlalchemy()
            Migrator(url, load_catalogue(records), migrations).upgrade()
        self.nodes.append(NodeProcess(site.folder, site.own(), **site.settings()))

    def _standing(self, site: Site) -> object:
        """The vector of a node; something of its own while it has work to do."""
        try:
            vector, unsealed, held = standing_at(site.database)
        except MySQLdb.Error:
            return site.name
        return (site.name, unsealed, held) if unsealed or held else vector

    def _told(self, site: Site) -> str:
        try:
            return f"{site.name}: {standing_at(site.database)}"
        except MySQLdb.Error as error:
            return f"{site.name}: {error}"


def _drop(server: PrivateServer, name: str) -> None:
    if server.running:
        server.drop_database(name)


def together(*tasks: Callable[[], object]) -> None:
    """Do all at once; raises what one of them raised, when all have ended."""
    failures: list[BaseException] = []

    def work(task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def standing_at(url: str) -> tuple[Counts, int, int]:
    """A node's vector, and how much is not sealed, or held."""
    with raw_connection(url, autocommit=False) as connection:
        (origin,) = ask(connection, "SELECT origin FROM herdbook_node")[0]
        vector = dict(ask(connection, "SELECT origin, position FROM herdbook_vector"))
        ((vector[origin],),) = ask(connection, "SELECT written FROM herdbook_sealer")
        ((unsealed,),) = ask(connection, "SELECT COUNT(*) FROM herdbook_inbox")
        ((held,),) = ask(connection, "SELECT COUNT(*) FROM herdbook_held")
    return tuple(sorted(pair for pair in vector.items() if pair[1])), unsealed, held


def states_at(url: str) -> dict[Place, RowState]:
    """Every row, live or dead, with its versions."""
    found: dict[Place, RowState] = {}

    def look(tx: Transaction) -> None:
        described = describe(tx)
        places = {place for _alive, some in every_row(tx, described) for place in some}
        for name, table in described.tables.items():
            keys = [key for at, key in places if at == name]
            for key, standing in standings(tx, table, keys).items():
                found[name, key] = standing.state

    in_transaction(url, CATALOGUE, look)
    return found


def assert_same(one: Mapping[Place, RowState], other: Mapping[Place, RowState], name: str) -> None:
    """Both nodes have the same rows, live and dead, with the same versions."""
    different = [place for place in one.keys() | other.keys() if one.get(place) != other.get(place)]
    shown = [f"{place}:\n  {one.get(place)}\n  {other.get(place)}" for place in different[:5]]
    assert different == [], f"{len(different)} rows differ at {name}\n" + "\n".join(shown)


def broken_in(url: str, catalogue: Catalogue = CATALOGUE) -> tuple[str, ...]:
    """Which constraints do not hold in a database, as it is at one moment."""
    with raw_connection(url, autocommit=False) as connection:
        ask(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        ask(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
        counted = [(what, ask(connection, query)[0][0]) for what, query in _questions(catalogue)]
    return tuple(f"{what}: {number}" for what, number in counted if number)


def _questions(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """For each constraint, how to count what breaks it."""
    for record in catalogue.records.values():
        for reference in record.references.values():
            target = catalogue.records[reference.target]
            pairs = zip(reference.fields, reference.target_fields, strict=True)
            on = " AND ".join(f"c.`{mine}` = p.`{theirs}`" for mine, theirs in pairs)
            named = " AND ".join(f"c.`{mine}` IS NOT NULL" for mine in reference.fields)
            key = target.key[0]
            yield (
                f"orphans of {record.name}.{reference.name}",
                _ORPHANS.format(record.table, target.table, on, key, named),
            )
        for unique in record.uniques:
            named = " AND ".join(f"`{name}` IS NOT NULL" for name in unique.fields)
            names = ", ".join(f"`{name}`" for name in unique.fields)
            yield f"duplicates of {unique.name}", _DUPLICATES.format(record.table, named, names)


class Checker:
    """Looks at every node again and again, for the time of a `with` block."""

    def __init__(self, herd: LiveHerd) -> None:
        self._herd = herd
        self._stop = threading.Event()
        self.looks = 0
        self.broken: list[str] = []
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(0.02):
            for site in self._herd.sites:
                self._look(site)

    def _look(self, site: Site) -> None:
        try:
            found = broken_in(site.database)
        except MySQLdb.Error:
            # Its server may be down just now.
            return
        self.looks += 1
        self.broken += [f"{site.name}: {one}" for one in found]
