"""How commands show a token to a node, and that it is seen nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import click
import pytest

from service.cli.main import COMMANDS
from tests.service.access.tokens import secret
from tests.service.cli.conftest import Ran, TinyServer, reply
from tests.service.cli.tiny_stream import Peer, TinyStream

Herdbook = Callable[..., Ran]
TOKEN = secret(1)


def shown_to(tiny_server: TinyServer) -> list[str | None]:
    """What a node is shown, call by call."""
    shown: list[str | None] = []

    def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        shown.append(handler.headers.get("Authorization"))
        body = {"jsonrpc": "2.0", "id": request["id"], "result": {"held": [], "next": None}}
        reply(handler, json.dumps(body).encode())

    tiny_server.respond = respond
    return shown


@pytest.mark.parametrize("words", [("call", "held.list"), ("held", "list")])
def test_a_token_comes_from_a_file_or_else_from_the_environment(
    herdbook: Herdbook,
    tiny_server: TinyServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    """Without either none is shown; white space around it is none of it."""
    shown = shown_to(tiny_server)
    (tmp_path / "loader.token").write_text(f"{TOKEN}\n")
    assert herdbook(*words, "--url", tiny_server.url).code == 0
    monkeypatch.setenv("HERDBOOK_TOKEN", f" {secret(2)}\n")
    assert herdbook(*words, "--url", tiny_server.url).code == 0
    assert herdbook(*words, "--url", tiny_server.url, "--token-file", "loader.token").code == 0
    monkeypatch.setenv("HERDBOOK_TOKEN_FILE", "loader.token")
    refused = herdbook(*words, "--url", tiny_server.url)
    assert "leave one of HERDBOOK_TOKEN and HERDBOOK_TOKEN_FILE out" in refused.err
    monkeypatch.setenv("HERDBOOK_TOKEN", "")
    assert herdbook(*words, "--url", tiny_server.url).code == 0
    assert shown == [None, f"Bearer {secret(2)}", f"Bearer {TOKEN}", f"Bearer {TOKEN}"]


@pytest.mark.parametrize("content", ["", f"{TOKEN}\n{TOKEN}", f"{TOKEN}\r\nX-More: 1", "hb_é"])
def test_what_can_be_no_token_is_not_sent_and_not_quoted(
    herdbook: Herdbook, tiny_server: TinyServer, tmp_path: Path, content: str
) -> None:
    """It may be one with something else around it."""
    (tmp_path / "loader.token").write_text(content)
    words = ("call", "held.list", "--url", tiny_server.url, "--token-file", "loader.token")
    ran = herdbook(*words, "--json")
    assert (ran.code, ran.error()["code"]) == (1, "call.token")
    assert TOKEN not in ran.err
    assert tiny_server.requests == []
    assert herdbook(*words[:-1], "none.token", "--json").error()["code"] == "call.token"


@pytest.mark.parametrize(
    "words",
    [
        ("call", "held.list", "--url", "http://192.0.2.1/"),
        ("held", "list", "--url", "http://barn.example.org:8650/"),
        ("feed", "consumers", "--url", "tcp://192.0.2.1:8652"),
    ],
)
def test_a_token_does_not_leave_the_machine_for_all_to_read(
    herdbook: Herdbook, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Nothing is connected to."""
    monkeypatch.setenv("HERDBOOK_TOKEN", TOKEN)
    ran = herdbook(*words, "--json")
    assert (ran.code, ran.error()["code"]) == (1, "call.in_the_clear")


def test_a_stream_is_shown_the_token_before_anything_is_asked(
    herdbook: Herdbook, tiny_stream: TinyStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first call of the connection."""
    monkeypatch.setenv("HERDBOOK_TOKEN", TOKEN)

    def act(peer: Peer) -> None:
        peer.say(id=peer.asked()["id"], result={"name": "app", "role": "read", "until": None})
        peer.say(id=peer.asked()["id"], result={"consumers": [], "head": 0, "horizon": 0})

    tiny_stream.start(act)
    ran = herdbook("feed", "consumers", "--url", tiny_stream.url)
    assert ran.code == 0, ran.err
    first, second = tiny_stream.requests
    assert (first["method"], first["params"]) == ("session.login", {"token": TOKEN})
    assert second["method"] == "feed.consumers"


def test_who_does_not_get_in_is_told_why_and_what_to_do(
    herdbook: Herdbook, tiny_server: TinyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the node's own code; a 401 of anybody else is told as such."""
    error = {
        "code": 1501,
        "message": "this token is not known here",
        "data": {"code": "access.unknown", "hint": "Make one.", "retryable": False, "trace": "t"},
    }

    def refuse(body: bytes) -> Callable[[dict[str, Any], BaseHTTPRequestHandler], None]:
        return lambda _request, handler: reply(handler, body, 401)

    monkeypatch.setenv("HERDBOOK_TOKEN", TOKEN)
    node_says = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    tiny_server.respond = refuse(node_says)
    ran = herdbook("call", "held.list", "--url", tiny_server.url, "--json")
    assert (ran.code, ran.error()["code"]) == (1, "access.unknown")
    assert "HERDBOOK_TOKEN" in ran.error()["hint"]
    assert ran.error()["message"] == f"{tiny_server.url}: this token is not known here"
    # Of two nodes, that one is named.
    ran = herdbook("verify", tiny_server.url, "http://127.0.0.1:1/", "--json")
    assert f"{tiny_server.url}: this token is not known here" in ran.error()["message"]
    for body in (b"go away", b"{}", b'{"jsonrpc": "2.0", "id": null, "error": {"code": 1}}'):
        tiny_server.respond = refuse(body)
        ran = herdbook("call", "held.list", "--url", tiny_server.url, "--json")
        assert (ran.code, ran.error()["code"]) == (1, "call.http")
    assert TOKEN not in ran.err


def _commands(command: click.Command) -> list[click.Command]:
    inner = command.commands.values() if isinstance(command, click.Group) else []
    return [command, *(each for one in inner for each in _commands(one))]


def test_no_command_takes_a_token_among_its_words() -> None:
    """They can be read in the list of processes; whoever asks a node has --token-file."""
    commands = [each for lazy in COMMANDS.values() for each in _commands(lazy.load())]
    options = {
        (command.name, word)
        for command in commands
        for parameter in command.params
        for word in parameter.opts
    }
    assert not [name for name, word in options if word == "--token"]
    asking = {name for name, word in options if word == "--url"} | {"verify", "graph"}
    assert asking == {name for name, word in options if word == "--token-file"}


def test_a_token_in_any_error_is_masked(herdbook: Herdbook) -> None:
    """Whoever writes it where it does not belong does not see it again."""
    for words in (("call", TOKEN, "--token", TOKEN), (TOKEN,), ("token", "revoke", TOKEN)):
        ran = herdbook(*words)
        assert ran.code != 0
        assert TOKEN not in ran.err + ran.out
