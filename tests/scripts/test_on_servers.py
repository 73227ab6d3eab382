"""The stories on real servers: at every step each database has what the node in memory has.

A story's nodes are databases of one server. In memory a story is told in every order; here every
order of two nodes, and of more nodes some, since one order takes a server half a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from records.catalogue import Catalogue
from service.server import PrivateServer
from tests.scripts.paired import OnServer
from tests.scripts.stored import StoredNode
from tests.scripts.story import parse, stories
from tests.scripts.telling import Teller
from tests.scripts.test_scripts import STORIES
from tests.scripts.variants import Variants, in_its_names

ORDERS = 2
"""Of three and more nodes, each in both ways; always the same ones."""

MAYBE = "journal, in some orders"


class Databases:
    """A database for each origin, with the tables of all stories; removed at the end."""

    def __init__(self, server: PrivateServer, catalogue: Catalogue, held: ExitStack) -> None:
        self._server = server
        self._catalogue = catalogue
        self._held = held
        self._nodes: dict[int, StoredNode] = {}

    def __call__(self, origin: int) -> StoredNode:
        """The node of this origin."""
        if origin not in self._nodes:
            name = f"story_{origin}"
            self._server.create_database(name)
            self._held.callback(self._server.drop_database, name)
            self._nodes[origin] = StoredNode(self._server.url(name), origin, self._catalogue)
            self._held.callback(self._nodes[origin].close)
        return self._nodes[origin]


@pytest.fixture(scope="module")
def variants() -> Variants:
    """The tables of all stories."""
    variants = Variants()
    for path in stories(STORIES):
        variants.numbered(parse(path.read_text()))
    return variants


@pytest.fixture(scope="module")
def databases(server: PrivateServer, variants: Variants) -> Iterator[Databases]:
    """Those of one server."""
    with ExitStack() as held:
        yield Databases(server, variants.catalogue(), held)


@pytest.mark.slow
@pytest.mark.parametrize("path", stories(STORIES), ids=lambda path: path.stem)
def test_a_server_does_what_a_node_in_memory_does(
    path: Path, databases: Databases, variants: Variants
) -> None:
    """Rows with every version, deltas, the journal, what is held, refusals; after every step.

    In the end stands what the file of the story says; of the lines that only some orders put into
    a journal, those of these orders.
    """
    blocks, names = variants.numbered(parse(path.read_text()))
    teller = Teller(OnServer(databases, ORDERS))
    for block in blocks:
        lines = in_its_names(teller.tell(block), names)
        printed = {line.replace(MAYBE, "journal") for line in lines}
        surely = {line for line in block.expected if not line.startswith(MAYBE)}
        allowed = {line.replace(MAYBE, "journal") for line in block.expected}
        assert surely <= printed <= allowed, "\n".join(block.commands)
