"""A token whose role is too low, for each method, at both doors of a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from service.access.roles import Role, needed_role
from service.access.tokens import Book
from service.access.written import written_book
from service.server import PrivateServer
from tests.live.lines import LineClient
from tests.live.node import CallFailed, NodeProcess
from tests.security.methods import METHODS
from tests.security.nodes import node_on
from tests.service.access.tokens import secret, token

# Told here once more, and not taken from the rule: what is in neither needs the role `admin`.
READING = {
    *("feed.read", "feed.subscribe", "feed.unsubscribe"),
    *("feed.consumers", "feed.register", "feed.acknowledge"),
    *("herd.status", "herd.graph", "herd.tables", "herd.digests", "herd.rows", "herd.states"),
    *("herd.violations", "herd.fetch", "journal.list", "journal.show", "held.list"),
    *("range.locate", "range.free", "range.summary", "range.disputes"),
    *("node.get", "node.list", "node.count", "range.get", "range.list", "range.count"),
    *("schema.describe", "system.listMethods", "system.methodHelp", "system.methodSignature"),
    *(f"{name}.{verb}" for name in ("sample", "farm", "cow") for verb in ("get", "list", "count")),
    *(f"{name}.list_deleted" for name in ("sample", "farm", "cow")),
    "farm.herd.list",
}
WRITING = {
    *(
        f"{name}.{verb}"
        for name in ("sample", "farm", "cow")
        for verb in ("create", "update", "upsert", "delete", "restore")
    ),
    *("farm.herd.add", "farm.herd.remove", "farm.herd.clear"),
    "range.allocate",
}


def needed(method: str) -> str:
    """The role that a method needs."""
    return "read" if method in READING else "write" if method in WRITING else "admin"


SECRETS = {"nobody": "", "read": secret(1), "write": secret(2), "admin": secret(3)}
ROLES = list(SECRETS)


class Doors(NamedTuple):
    """Both doors of a node, and those who stand at the one that stays open, by their roles."""

    node: NodeProcess
    streams: dict[str, LineClient]

    def codes(self, role: str, method: str) -> set[str]:
        """How a call with this role ends at either door: the code of an error, or nothing."""
        calls: list[Callable[[], object]] = [
            lambda: self.node.call(method, token=SECRETS[role]),
            lambda: self.streams[role].call(method),
        ]
        return set(map(_code, calls))


def _code(call: Callable[[], object]) -> str:
    try:
        call()
    except CallFailed as failed:
        return failed.code
    return ""


@pytest.fixture(scope="module")
def doors(server: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A node that requires tokens, one for each role."""
    folder = tmp_path_factory.mktemp("doors")
    tokens = Book(token(number, role) for number, role in enumerate(ROLES) if number)
    (folder / "herdbook.tokens").write_bytes(written_book(tokens))
    required = {"HERDBOOK_ACCESS_REQUIRED": "true"}
    with ExitStack() as held:
        node = held.enter_context(node_on(server, folder, "doors", **required))
        streams = {role: held.enter_context(LineClient(node.stream)) for role in ROLES[1:]}
        for role, client in streams.items():
            client.call("session.login", {"token": SECRETS[role]})
        yield Doors(node, streams)


def test_the_methods_tried_are_all_that_the_node_has(doors: Doors) -> None:
    """And each is known to need something here, or nothing is and it needs the highest role."""
    listed = doors.node.call("system.listMethods", token=SECRETS["read"])
    assert {one if isinstance(one, str) else one["name"] for one in listed} == set(METHODS)
    assert set(METHODS) >= READING | WRITING


@pytest.mark.parametrize("method", sorted(METHODS.keys() - {"session.login"}))
def test_a_role_too_low_is_refused_for_each_method(doors: Doors, method: str) -> None:
    """Before anything is looked at, with the role that is needed; one that is enough is let in."""
    at = ROLES.index(needed(method))
    for role in ROLES[1:at]:
        assert doors.codes(role, method) == {"access.forbidden"}, role
        with pytest.raises(CallFailed) as failed:
            doors.node.call(method, token=SECRETS[role])
        assert failed.value.error["data"]["needs"] == needed(method)
    let_in = doors.codes(ROLES[at], method)
    assert not any(code.startswith(("access.", "server.")) for code in let_in), let_in
    with pytest.raises(CallFailed) as failed:
        doors.node.call(method)
    assert failed.value.code == "access.required"
    with LineClient(doors.node.stream) as stranger, pytest.raises(CallFailed) as failed:
        stranger.call(method)
    assert failed.value.code == "access.required"


def test_a_method_that_nobody_has_thought_of_is_the_operators(doors: Doors) -> None:
    """By its name alone; whether there is one is told to nobody without a token."""
    for name in ("farm.obliterate", "node.retire", "range.shrink", "", "farm.herd.list2"):
        assert needed_role(name) is Role.ADMIN
        with pytest.raises(CallFailed) as failed:
            doors.node.call(name)
        assert failed.value.code == "access.required"
