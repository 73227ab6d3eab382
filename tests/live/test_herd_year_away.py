"""A node that was away for a year: its siblings have forgotten what died meanwhile.

The year is in the databases: what tells when something happened is moved back. The stamps of rows
stay, since merging only asks which of two is the earlier.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.server import ServerKind
from tests.conftest import Servers
from tests.live.herds import Checker, LiveHerd
from tests.live.units import until
from tests.live.verified import require_verified
from tests.servers.programs import chosen_kinds
from tests.service.cli.nodes import herdbook
from tests.service.store.tools import read

YEAR = 365 * 86_400 * 1_000_000
CIRCLE = [(1, 0), (2, 1), (0, 2)]
HOME = (0, 1)
AWAY = 2
SIBLINGS = "SELECT origin FROM herdbook_sibling"
MOMENTS = (
    "SELECT table_name, column_name FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name LIKE 'herdbook%' AND column_name LIKE '%!_at' "
    "ESCAPE '!'"
)


def families(herd: LiveHerd) -> None:
    """Five farms; of each a cow, and of two of these a visit."""
    for number, code in enumerate("abcde", 1):
        herd.nodes[0].call("farm.create", {"code": code, "name": code})
        herd.nodes[0].call("cow.create", {"number": number, "farm_code": code, "weight": number})
    herd.nodes[0].call("visit.create", {"number": 3, "cow_number": 3})


def written_away(herd: LiveHerd) -> None:
    """What nobody hears of for a year, by API and by plain SQL."""
    call = herd.nodes[AWAY].call
    call("farm.create", {"code": "u", "name": "unsent"})
    call("cow.create", {"number": 20, "farm_code": "u", "weight": 20})
    call("cow.create", {"number": 21, "farm_code": "d", "weight": 21})
    call("cow.update", {"number": 1, "weight": 777})
    call("cow.update", {"number": 2, "weight": 555})
    call("visit.create", {"number": 30, "cow_number": 3})
    read(herd.sites[AWAY].database, "UPDATE farm SET name = 'renamed there' WHERE code = 'a'")
    read(herd.sites[AWAY].database, "DELETE FROM cow WHERE number = 5")
    until(lambda: herd.rows(AWAY, "SELECT * FROM herdbook_inbox") == [])


def written_at_home(herd: LiveHerd) -> None:
    """What is deleted, and forgotten, before the node comes back."""
    call = herd.nodes[0].call
    call("cow.delete", {"number": 2})
    call("visit.delete", {"number": 3})
    call("cow.delete", {"number": 3})
    call("farm.delete", {"code": "d"})
    call("cow.update", {"number": 5, "weight": 999})
    home_agrees(herd)
    read(herd.sites[1].database, "UPDATE farm SET name = 'renamed here' WHERE code = 'a'")
    read(herd.sites[1].database, "DELETE FROM farm WHERE code = 'b'")
    home_agrees(herd)


def home_agrees(herd: LiveHerd) -> None:
    """The two that are there have the same, with positions for all."""
    for table in ("farm", "cow", "visit"):
        rows = f"SELECT *, herdbook_life, herdbook_stamp FROM {table} ORDER BY 1"
        until(lambda rows=rows: herd.rows(0, rows) == herd.rows(1, rows))  # type: ignore[misc]
    for number in HOME:
        until(lambda number=number: herd.rows(number, "SELECT 1 FROM herdbook_inbox") == [])  # type: ignore[misc]


def a_year_passes(herd: LiveHerd) -> None:
    """At home; the node that is away is given up, and all of the past is pruned."""
    for number in HOME:
        herd.nodes[number].stop()
        url = herd.sites[number].database
        name = herd.sites[AWAY].name
        retired = herdbook("herd", "retire", name, "--database", url, "--yes", "--json")
        assert retired.returncode == 0, retired.stderr
        for table, column in read(url, MOMENTS):
            read(url, f"UPDATE `{table}` SET `{column}` = `{column}` - {YEAR}")
    for number in HOME:
        herd.nodes[number].start()
        herd.nodes[number].call("farm.create", {"code": f"n{number}", "name": f"new {number}"})
    for number in HOME:
        until(lambda number=number: pruned(herd, number))  # type: ignore[misc]


def pruned(herd: LiveHerd, number: int) -> bool:
    """Whether no dead row is left, and the node that is away is below the horizon."""
    had = dict(herd.rows(AWAY, "SELECT origin, position FROM herdbook_vector"))
    floors = herd.rows(number, "SELECT origin, position FROM herdbook_pruned")
    dead = herd.rows(number, "SELECT number FROM herdbook_dead_cow")
    return dead == [] and any(at > had.get(origin, 0) for origin, at in floors)


def tables(herd: LiveHerd, number: int) -> dict[str, dict[Any, Any]]:
    """What a node has, by key."""
    return {
        "farm": dict(herd.rows(number, "SELECT code, name FROM farm")),
        "cow": {
            n: rest for n, *rest in herd.rows(number, "SELECT number, farm_code, weight FROM cow")
        },
        "visit": dict(herd.rows(number, "SELECT number, cow_number FROM visit")),
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", chosen_kinds(), ids=str)
def test_who_was_away_for_a_year_loses_nothing_and_brings_nothing_back(
    tmp_path: Path, servers: Servers, kind: ServerKind
) -> None:
    """It gets a snapshot; what it had not sent is sent, and what died elsewhere stays dead.

    A key that was used again meanwhile is the new row. A cow that was deleted at home lives again,
    since a visit that nobody had heard of holds on to it.
    """
    kinds = chosen_kinds()
    mixed = [servers.get(each) for each in (kinds[0], kinds[-1], kind)]
    with LiveHerd(tmp_path, mixed, CIRCLE) as herd, Checker(herd) as checker:
        families(herd)
        herd.agree()
        for number in HOME:
            until(lambda number=number: len(herd.rows(number, SIBLINGS)) == 2)  # type: ignore[misc]
        for wire in herd.wires_of(AWAY):
            wire.cut()
        written_away(herd)
        herd.nodes[AWAY].stop()
        written_at_home(herd)
        a_year_passes(herd)
        herd.nodes[1].call("farm.create", {"code": "b", "name": "the second b"})
        for wire in herd.wires_of(AWAY):
            wire.heal()
        herd.nodes[AWAY].start()
        herd.agree()
        assert herd.rows(AWAY, "SELECT 1 FROM herdbook_pruned") != [], "it got no snapshot"
        assert checker.broken == []
        for number in (*HOME, AWAY):
            assert tables(herd, number) == {
                "farm": {
                    "a": "renamed here", "b": "the second b", "c": "c", "e": "e", "u": "unsent",
                    "n0": "new 0", "n1": "new 1",
                },
                "cow": {1: ["a", 777], 3: ["c", 3], 20: ["u", 20]},
                "visit": {30: 3},
            }  # fmt: skip
        require_verified(herd)
        journal = herd.journal()
        assert journal.keys() >= {"later write", "other life", "revived", "taken along"}
        require_goes_on(herd)


def require_goes_on(herd: LiveHerd) -> None:
    """The node is one of the herd again."""
    for number in (*HOME, AWAY):
        herd.nodes[number].call("farm.create", {"code": f"l{number}", "name": f"last {number}"})
    herd.agree()
    assert {len(tables(herd, number)["farm"]) for number in (*HOME, AWAY)} == {10}
