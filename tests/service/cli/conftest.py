"""What the command line's tests share: run a command line, and a tiny JSON-RPC server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from service.cli.main import run
from service.server import PrivateServer
from tests.servers.programs import chosen_kinds, program_of
from tests.service.cli.accounts import logging_server_of
from tests.service.cli.tiny_stream import TinyStream

Respond = Callable[[dict[str, Any], BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Ran:
    """How a command line ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        """Stdout as one line of JSON."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    def error(self) -> Any:
        """The error that stderr holds as one line of JSON."""
        assert self.err.count("\n") == 1, self.err
        return json.loads(self.err)["error"]


@pytest.fixture
def herdbook(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ran]:
    """Run a command line in an empty folder, as the program would."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> Ran:
        code = run(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return ran


@pytest.fixture(params=chosen_kinds(), ids=str)
def server_program(request: pytest.FixtureRequest) -> str:
    """The path of a server program; a test that takes it runs with each."""
    return str(program_of(request.param).path)


@dataclass
class TinyServer:
    """A JSON-RPC server that does as one test says, and keeps what it was sent."""

    url: str
    respond: Respond
    requests: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)


def reply(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    """Send a body as the answer."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def answer_with(**members: Any) -> Respond:
    """Answer each call with these members of a JSON-RPC response."""

    def respond(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        response = {"jsonrpc": "2.0", "id": request.get("id"), **members}
        reply(handler, json.dumps(response, ensure_ascii=False).encode())

    return respond


@pytest.fixture
def tiny_server() -> Iterator[TinyServer]:
    """The server on a free port; stopped, with whatever still waits in it, at the end."""
    state = TinyServer("", answer_with(result="unset"))

    class Handler(BaseHTTPRequestHandler):
        """Reads one request and lets the test answer."""

        def do_POST(self) -> None:
            """Called by http.server for each request."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.bodies.append(body)
            state.requests.append(json.loads(body))
            state.respond(state.requests[-1], self)

        def log_message(self, *arguments: object) -> None:
            """Keep the tests' stderr for the command."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    state.release.set()
    server.shutdown()
    server.server_close()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def tiny_stream() -> Iterator[TinyStream]:
    """The stream on a free port, stopped at the end."""
    stream = TinyStream()
    yield stream
    stream.stop()
    assert stream.failures == []


@pytest.fixture(scope="session", params=chosen_kinds(), ids=str)
def logging_server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    """A server of each kind whose binary log is on. Leave its settings as they were."""
    with logging_server_of(request.param) as server:
        yield server
