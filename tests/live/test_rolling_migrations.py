"""Nodes that get a new release one after the other, while all write: nothing is lost or refused."""

from __future__ import annotations

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
    ("change", "turn"), [(each, at) for at, each in enumerate(CHANGES)], ids=lambda e: getattr(e, "name", "")
)
def test_nodes_are_upgraded_one_after_the_other_while_both_write(
    tmp_path: Path, project: Path, servers: Servers, change: Change, turn: int
) -> None:
    """What both write meanwhile is everywhere in the end; writes are refused at a node only while
    it is upgraded, and only where the change takes away what they name.
    """
    chosen = mixed(servers, 2, turn)
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
        for load in loads:
            assert load.refusals.keys() <= change.refused | {"away", "server.unavailable"}
