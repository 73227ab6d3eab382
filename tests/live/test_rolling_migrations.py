"""Nodes that get a new release one after the other, while all write: nothing is lost or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from service.server import PrivateServer
from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.rolling import (
    Change,
    held_at,
    loaded,
    releases,
    require_promised,
    schema,
    upgrade,
)
from tests.live.units import until
from tests.servers.programs import chosen_kinds

TURNS = 20

HEAD = """
from records import Integer, Record, Reference, Text


class Plant(Record):
    number = Integer(primary=True)
    name = Text(length=40, default="")
"""
TAG = """

class Tag(Record):
    number = Integer(primary=True)
    plant = Reference(Plant)
    text = Text(length=20, default="")
"""


def plant(*fields: str, more: str = "") -> str:
    """The source of a record module."""
    return HEAD + "".join(f"    {field}\n" for field in fields) + more


def text(turn: int) -> str:
    """A text that fits everywhere."""
    return f"text {turn}"


def number(turn: int) -> int:
    """A number that is nobody's default."""
    return turn + 1


def body(up: str, down: str) -> Callable[[str], str]:
    """An editor of revisions: these lines in the place of what was written, each way."""

    def edit(source: str) -> str:
        head, _up, _down = re.split(r"(?m)^def (?:up|down)grade\(\).*$", source)
        return f"{head}def upgrade() -> None:\n    {up}\n\n\ndef downgrade() -> None:\n    {down}\n"

    return edit


def first(up: str) -> Callable[[str], str]:
    """An editor that puts a line before what was written."""
    return lambda source: re.sub(
        r"(?m)^def upgrade\(\).*$", lambda match: f"{match[0]}\n    {up}", source, count=1
    )


CHANGES = [
    Change(
        "nullable",
        plant(),
        plant("height = Integer(bits=32, allow_none=True)"),
        {"plant": {"name": text}},
        {"plant": {"name": text, "height": number}},
        holds=True,
    ),
    Change(
        "default",
        plant(),
        plant("height = Integer(bits=32, default=7)"),
        {"plant": {"name": text}},
        {"plant": {"name": text, "height": number}},
        holds=True,
    ),
    Change(
        "dropped",
        plant("note = Text(length=40, default='')"),
        plant(),
        {"plant": {"name": text, "note": text}},
        {"plant": {"name": text}},
        refused=frozenset({"server.schema", "1054"}),
    ),
    Change(
        "renamed",
        plant("planted = Integer(bits=32, default=7)"),
        plant("sown = Integer(bits=32, default=7)"),
        {"plant": {"name": text, "planted": number}},
        {"plant": {"name": text, "sown": number}},
        edit=body(
            'op.rename_column("plant", "planted", "sown")',
            'op.rename_column("plant", "sown", "planted")',
        ),
        renamed={"planted": "sown"},
        refused=frozenset({"server.schema", "1054"}),
    ),
    Change(
        "tightened",
        plant("height = Integer(bits=32, allow_none=True)", "note = Text(length=40, default='')"),
        plant("height = Integer(bits=32, default=7)", "note = Text(length=20, default='')"),
        {"plant": {"name": text, "height": number, "note": text}},
        {"plant": {"name": text, "height": number, "note": text}},
        edit=first('op.execute("UPDATE plant SET height = 7 WHERE height IS NULL")'),
    ),
    Change(
        "class",
        plant(),
        plant(more=TAG),
        {"plant": {"name": text}},
        {"plant": {"name": text}, "tag": {"text": text}},
        holds=True,
    ),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for record modules, on the path here and in the nodes."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def mixed(servers: Servers, count: int, first: int = 0) -> list[PrivateServer]:
    """A server for each node, of both kinds where both are tested."""
    kinds = chosen_kinds()
    return [servers.get(kinds[(first + number) % len(kinds)]) for number in range(count)]


@pytest.mark.parametrize(
    "turn",
    [
        # Much like one with a default.
        pytest.param(turn, id=each.name, marks=[pytest.mark.slow] * (each.name == "nullable"))
        for turn, each in enumerate(CHANGES)
    ],
)
def test_nodes_are_upgraded_one_after_the_other_while_both_write(
    tmp_path: Path, project: Path, servers: Servers, turn: int
) -> None:
    """What both write meanwhile is everywhere in the end.

    Writes are refused at a node only while it is upgraded: since it is away for a moment, or where
    the change takes away what they name.
    """
    change, chosen = CHANGES[turn], mixed(servers, 2, turn)
    old, new = releases(project, chosen[0], change)
    with LiveHerd(tmp_path, chosen, [(1, 0)], old) as herd, loaded(herd, change) as loads:
        loads[0].go_on(TURNS)
        for node, load in enumerate(loads):
            with load.upgrading():
                upgrade(herd, node, new)
            for each in loads:
                each.go_on(TURNS)
            if node == 0 and change.holds:
                until(lambda: held_at(herd, 1) > 0)
        for load in loads:
            load.stop()
        herd.agree()
        require_promised(herd, loads)
        assert ["delta.refused" in node.log() for node in herd.nodes] == [False, False]
        for load in loads:
            assert load.refusals.keys() <= change.refused | {"away", "server.unavailable"}


def change_named(name: str) -> Change:
    """One of the changes above."""
    return next(each for each in CHANGES if each.name == name)


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_an_upgrade_beside_a_running_node_writes_what_waited_and_counts_what_is_left(
    tmp_path: Path, project: Path, servers: Servers, as_json: bool
) -> None:
    """Also if it is run again with nothing to migrate: the run before may have been killed."""
    chosen = mixed(servers, 2)
    old, new = releases(project, chosen[0], change_named("class"))
    flags = ["--json"] if as_json else []
    with LiveHerd(tmp_path, chosen, [(1, 0)], old) as herd:
        herd.rows(1, "ALTER TABLE plant ADD CONSTRAINT short CHECK (CHAR_LENGTH(name) < 9)")
        upgrade(herd, 0, new)
        for row, name in enumerate(["a", "b", "far too long"]):
            herd.nodes[0].call("plant.create", {"number": row, "name": name})
            herd.nodes[0].call("tag.create", {"number": row, "plant_number": row})
        until(lambda: held_at(herd, 1) == 4)
        ran = schema(herd, 1, new, "upgrade", *flags)
        assert ran.returncode == 0
        if as_json:
            told = json.loads(ran.stdout)
            assert (len(told["revisions"]), told["written"], told["held"]) == (1, 2, 2)
            assert ran.stderr == ""
        else:
            assert ran.stdout.startswith("upgraded to ")
            assert ran.stderr.splitlines() == [
                "rows that siblings had written before and that are written now: 2",
                "rows that are still held: 2; see `herdbook held list`",
            ]
        assert herd.rows(1, "SELECT number FROM tag ORDER BY number") == [(0,), (1,)]
        herd.rows(1, "ALTER TABLE plant DROP CONSTRAINT short")
        again = json.loads(schema(herd, 1, new, "upgrade", "--json").stdout)
        assert again == {"revisions": [], "written": 2, "held": 0}
        herd.nodes[1].call("plant.create", {"number": 7, "name": "still served"})
        herd.replace_node(1, new)
        herd.agree()


def test_a_parent_that_an_older_node_deletes_lives_again_for_a_child_it_does_not_know(
    tmp_path: Path, project: Path, servers: Servers
) -> None:
    """The older node holds the child, and gets the parent back."""
    chosen = mixed(servers, 2)
    old, new = releases(project, chosen[0], change_named("class"))
    with LiveHerd(tmp_path, chosen, [(1, 0)], old) as herd:
        upgrade(herd, 0, new)
        herd.nodes[0].call("plant.create", {"number": 1, "name": "kept"})
        herd.nodes[0].call("tag.create", {"number": 1, "plant_number": 1})
        until(lambda: held_at(herd, 1) == 1)
        herd.nodes[1].call("plant.delete", {"number": 1})
        until(lambda: herd.rows(1, "SELECT name FROM plant") == [("kept",)])
        assert herd.journal()["revived"] == 1
        assert upgrade(herd, 1, new)["written"] == 1
        herd.agree()
        assert herd.rows(1, "SELECT plant_number FROM tag") == [(1,)]


def test_a_value_that_no_longer_fits_is_held_until_it_is_changed_where_it_was_written(
    tmp_path: Path, project: Path, servers: Servers
) -> None:
    """The row keeps its old value meanwhile; the older node's upgrade is refused until then."""
    chosen = mixed(servers, 2)
    old, new = releases(project, chosen[0], change_named("tightened"))
    with LiveHerd(tmp_path, chosen, [(1, 0)], old) as herd:
        for row in (1, 2):
            herd.nodes[1].call("plant.create", {"number": row, "height": 5, "note": "short"})
        herd.agree()
        upgrade(herd, 0, new)
        herd.nodes[1].call("plant.update", {"number": 1, "height": None})
        herd.nodes[1].call("plant.update", {"number": 2, "note": "n" * 30})
        until(lambda: held_at(herd, 0) == 2)
        found = "SELECT number, height, note FROM plant ORDER BY number"
        assert herd.rows(0, found) == [(1, 5, "short"), (2, 5, "short")]
        refused = schema(herd, 1, new, "upgrade")
        assert refused.returncode == 1
        herd.rows(1, "UPDATE plant SET note = 'fits' WHERE number = 2")
        upgrade(herd, 1, new)
        herd.agree()
        assert herd.rows(0, found) == [(1, 7, "short"), (2, 5, "fits")]


def have_heights(herd: LiveHerd, at: int, of: int) -> bool:
    """Whether a node has values of the new field that another node's writers wrote."""
    first = 1_000 * (2 * of + 1)
    found = herd.rows(
        at,
        "SELECT COUNT(*) FROM plant "
        f"WHERE height <> 7 AND number BETWEEN {first} AND {first + 1_999}",
    )
    return bool(found[0][0])


@pytest.mark.slow
def test_a_node_between_two_newer_ones_passes_on_what_it_cannot_write(
    tmp_path: Path, project: Path, servers: Servers
) -> None:
    """In a line of three the middle one is upgraded last, while all write."""
    change, chosen = change_named("default"), mixed(servers, 3)
    old, new = releases(project, chosen[0], change)
    with LiveHerd(tmp_path, chosen, [(0, 1), (2, 1)], old) as herd, loaded(herd, change) as loads:
        for node in (0, 2, 1):
            with loads[node].upgrading():
                upgrade(herd, node, new)
            for each in loads:
                each.go_on(TURNS)
            if node == 2:
                until(lambda: have_heights(herd, 0, of=2) and have_heights(herd, 2, of=0))
                assert held_at(herd, 1) > 0
        for load in loads:
            load.stop()
        herd.agree()
        require_promised(herd, loads)
