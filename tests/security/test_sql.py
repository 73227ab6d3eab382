"""SQL in every text that a caller can send: it arrives as it is, or it is refused in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from service.cli.main import run
from service.server import PrivateServer
from tests.live.lines import LineClient
from tests.live.node import CallFailed, NodeProcess, page
from tests.security.hostile import LITERAL, PROBES, REFUSABLE, attacks
from tests.security.methods import METHODS
from tests.security.nodes import node_on
from tests.service.store.tools import ask, raw_connection, read

CANARY = "a bird that nobody may see"
_TELLTALE = re.compile(
    r"SQL syntax|SQLSTATE|\b1064\b|MySQLdb|OperationalError|ProgrammingError|Traceback|"
    r"storm\.|server\.internal|near '",
)
_UNCHANGED = (
    "SELECT * FROM canary",
    "SELECT table_name, column_name, column_type FROM information_schema.columns "
    "WHERE table_schema = DATABASE() ORDER BY 1, 2",
    "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
    "ORDER BY 1",
    "SELECT user, host FROM mysql.user ORDER BY 1, 2",
    "SELECT name, origin FROM herdbook_herd_node ORDER BY 1",
    "SELECT COUNT(*) FROM farm WHERE name = 'untouched'",
    "SELECT COUNT(*) FROM cow WHERE name = 'untouched'",
)
STREAM_ONLY = {"feed.subscribe", "feed.unsubscribe", "session.login"}


class Target(NamedTuple):
    """A node, and what its database holds that no call may touch."""

    node: NodeProcess
    url: str

    def state(self) -> list[Any]:
        """What has to stay as it is."""
        with raw_connection(self.url) as connection:
            return [ask(connection, statement) for statement in _UNCHANGED]


@pytest.fixture(scope="module")
def target(server: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A node that lets everybody do everything."""
    settings = {"HERDBOOK_NODE_NAME": "barn", "HERDBOOK_HERD_LISTEN": "tcp:0:interface=127.0.0.1"}
    with node_on(server, tmp_path_factory.mktemp("sql"), "sql", **settings) as node:
        url = server.url("security_sql")
        with raw_connection(url) as connection:
            ask(connection, "CREATE TABLE canary (secret VARCHAR(60))")
            ask(connection, f"INSERT INTO canary VALUES ('{CANARY}')")
        farm = node.call("farm.create", {"name": "untouched"})
        node.call("cow.create", {"farm_id": farm["id"], "name": "untouched", "tag": 1})
        yield Target(node, url)


def answers(target: Target, method: str, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a node answers to them, over the door that the method is for."""
    if method in STREAM_ONLY:
        with LineClient(target.node.stream) as client:
            return [_answer(client, method, params) for params in calls]
    batch = [
        {"jsonrpc": "2.0", "id": at, "method": method, "params": params}
        for at, params in enumerate(calls)
    ]
    answered: list[dict[str, Any]] = target.node.post(batch)
    return answered


def _answer(client: LineClient, method: str, params: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": client.call(method, params)}
    except CallFailed as failed:
        return {"error": failed.error}


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(m for m in METHODS if METHODS[m].signature.parameters))
def test_sql_in_any_parameter_is_no_sql(target: Target, method: str) -> None:
    """No error of the server's, nothing read that was not asked for, nothing else changed."""
    before = target.state()
    for text in PROBES:
        calls = list(attacks(METHODS[method], text))
        told = answers(target, method, calls)
        assert len(told) == len(calls)
        for call, answer in zip(calls, told, strict=True):
            code = answer.get("error", {}).get("data", {}).get("code", "")
            assert not code.startswith("server."), (call, answer)
            said = json.dumps(answer, ensure_ascii=False).replace(text, "")
            assert CANARY not in said, call
            assert not _TELLTALE.search(said), (call, answer)
    assert target.state() == before
    assert "Traceback" not in target.node.log()
    assert page(target.node, "/readyz") == "ok\n"


KEPT: dict[str, tuple[str, str, str]] = {
    "a text": ("sample", "line", "sample"),
    "a text of fixed length": ("sample", "letters", "sample"),
    "a long text": ("sample", "story", "sample"),
    "a document": ("sample", "document", ""),
    "a unique text": ("farm", "name", "farm"),
    "where a node is": ("node", "site", "herdbook_herd_node"),
    "a note of a range": ("range", "note", "herdbook_herd_range"),
}
"""The record, the field, and the table that can be looked into."""
MAY_BE_REFUSED = {"letters": (*LITERAL, *REFUSABLE)}
"""A field of ten characters takes the short ones."""


@pytest.mark.parametrize("where", KEPT)
def test_a_text_is_kept_as_it_was_sent(target: Target, where: str) -> None:
    """Written, read and looked for; the database holds the same, to the byte."""
    record, field, table = KEPT[where]
    kept = 0
    for text in (*LITERAL, *REFUSABLE):
        try:
            made = written(target.node, record, field, text)
        except CallFailed as failed:
            code = failed.code
        else:
            code = ""
        if code:
            assert code in ("json.invalid", "values.invalid", "params.invalid")
            assert text in MAY_BE_REFUSED.get(field, REFUSABLE)
            continue
        kept += 1
        assert target.node.call(f"{record}.get", {"id": made["id"]})[field] == text
        if table:
            column = f"SELECT {field} FROM {table} WHERE id = %s"
            assert read(target.url, column, [UUID(made["id"]).bytes]) == [(text,)]
            asked = {"where": [field, "=", text]}
            found = target.node.call(f"{record}.list", asked)["records"]
            assert {one[field] for one in found} == {text}
        if record == "range":
            target.node.call("range.release", {"id": made["id"]})
        elif record != "node":
            target.node.call(f"{record}.delete", {"id": made["id"]})
    assert kept >= (10 if field == "letters" else len(LITERAL))


def written(node: NodeProcess, record: str, field: str, text: str) -> dict[str, Any]:
    """A record whose field holds a text."""
    values: dict[str, Any] = {field: text}
    if record == "node":
        [own] = node.call("node.list")["records"]
        return dict(node.call("node.update", {"id": own["id"], **values}))
    if record == "range":
        return dict(node.call("range.add", {"cidr": "10.9.0.0/24", "purpose": "admin", **values}))
    if record == "farm":
        for former in node.call("farm.list", {"where": ["name", "=", text]})["records"]:
            node.call("farm.delete", {"id": former["id"]})
    return dict(node.call(f"{record}.create", values))


def test_what_looks_like_a_condition_is_none(target: Target) -> None:
    """A text that would hold for every row is compared with each as the text that it is.

    Names like that may be there, from the tests before.
    """
    for text in (
        "nobody' OR '1'='1",
        "no' OR 1=1 -- ",
        "no\\' OR 1=1 #",
        "%",
        "_______",
        "untouche%",
    ):
        for record in ("farm", "cow"):
            names = [str(name) for (name,) in read(target.url, f"SELECT name FROM {record}")]
            assert any(not name.startswith(text) for name in names)
            same, begins = names.count(text), sum(name.startswith(text) for name in names)
            for condition, expected in (
                (["=", text], same),
                (["in", [text, text + "'"]], same + names.count(text + "'")),
                (["starts_with", text], begins),
            ):
                counted = target.node.call(f"{record}.count", {"where": ["name", *condition]})
                assert counted == expected, condition


def test_a_name_of_a_sibling_is_no_sql(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    """It is given to commands that go to the database themselves: there is no such sibling."""
    before = target.state()
    for text in LITERAL:
        for command in ("retire", "readmit"):
            assert run(["herd", command, text, "--yes", "--database", target.url]) == 1
            said = capsys.readouterr().err
            assert not _TELLTALE.search(said.replace(text, ""))
    assert target.state() == before
