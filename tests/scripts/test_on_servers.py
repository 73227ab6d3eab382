"""The stories on real servers: at every step each database has what the node in memory has.

A story's nodes are databases of one server. In memory a story is told in every order; here every
order of two nodes, and of more nodes some, since one order takes a server half a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.server import PrivateServer
from tests.scripts.classes import catalogue_for, values_of
from tests.scripts.paired import OnServer
from tests.scripts.stored import StoredNode
from tests.scripts.story import Block, parse, stories
from tests.scripts.tables import Declared
from tests.scripts.telling import Teller
from tests.scripts.test_scripts import STORIES

ORDERS = 2
"""Of three and more nodes, each in both ways; always the same ones."""

MAYBE = "journal, in some orders"


class Databases:
    """A database for each node of a story, removed at the end."""

    def __init__(self, server: PrivateServer, blocks: list[Block], held: ExitStack) -> None:
        self._server = server
        self._blocks = blocks
        self._held = held

    def __call__(self, origin: int) -> StoredNode:
        """The next node."""
        name = f"story_{origin}"
        self._server.drop_database(name)
        self._server.create_database(name)
        self._held.callback(self._server.drop_database, name)
        declared = declared_in(self._blocks)
        catalogue = catalogue_for(declared.shapes, declared.columns, values_of(self._blocks))
        node = StoredNode(self._server.url(name), origin, catalogue)
        self._held.callback(node.close)
        return node


def declared_in(blocks: list[Block]) -> Declared:
    """The tables of a story."""
    declared = Declared()
    for words in (command.split() for block in blocks for command in block.commands):
        if words[0] in ("table", "reference", "unique", "group"):
            getattr(declared, words[0])(*words[1:])
    return declared


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """What is undone after a story."""
    with ExitStack() as stack:
        yield stack


@pytest.mark.slow
@pytest.mark.parametrize("path", stories(STORIES), ids=lambda path: path.stem)
def test_a_server_does_what_a_node_in_memory_does(
    path: Path, server: PrivateServer, held: ExitStack
) -> None:
    """Rows with every version, deltas, the journal, what is held, refusals; after every step.

    In the end stands what the file of the story says; of the lines that only some orders put into
    a journal, those of these orders.
    """
    blocks = parse(path.read_text())
    teller = Teller(OnServer(Databases(server, blocks, held), ORDERS))
    for block in blocks:
        printed = [line.replace(MAYBE, "journal") for line in teller.tell(block)]
        surely = {line for line in block.expected if not line.startswith(MAYBE)}
        allowed = {line.replace(MAYBE, "journal") for line in block.expected}
        assert surely <= set(printed) <= allowed, "\n".join(block.commands)
