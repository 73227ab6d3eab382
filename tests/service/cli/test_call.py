"""`herdbook call` against a server that behaves, misbehaves, or is not there."""

from __future__ import annotations

import io
import json
import queue
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.service.cli.conftest import Ran, Respond, TinyServer, answer_with, reply

Herdbook = Callable[..., Ran]


@pytest.fixture
def call(herdbook: Herdbook, tiny_server: TinyServer) -> Herdbook:
    """Run `herdbook call` against the tiny server."""
    return lambda *words: herdbook("call", "--url", tiny_server.url, *words)


def test_a_result_comes_out_as_one_line_of_json(call: Herdbook, tiny_server: TinyServer) -> None:
    """The result alone is on stdout, nothing on stderr, exit code 0."""
    tiny_server.respond = answer_with(result={"name": "Zürich", "cities": [1, None]})
    ran = call("country.get", "key=CH", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == '{"name":"Zürich","cities":[1,null]}\n'


def test_parameters_reach_the_server_as_written(call: Herdbook, tiny_server: TinyServer) -> None:
    """Text stays text, JSON stays JSON to the last digit."""
    call("m", "name=12", "limit:=12", "price:=1.10", "where:=[true, null]")
    assert tiny_server.requests[0] == {
        "jsonrpc": "2.0",
        "method": "m",
        "params": {"name": "12", "limit": 12, "price": 1.10, "where": [True, None]},
        "id": 1,
    }
    assert b"1.10" in tiny_server.bodies[0]


def test_parameters_by_position_make_an_array(call: Herdbook, tiny_server: TinyServer) -> None:
    """Without names the parameters go as a list."""
    call("m", "=text", ":=[1]")
    assert tiny_server.requests[0]["params"] == ["text", [1]]


def test_without_arguments_no_params_are_sent(call: Herdbook, tiny_server: TinyServer) -> None:
    """A call without arguments leaves `params` out."""
    call("m")
    assert "params" not in tiny_server.requests[0]


def test_all_parameters_can_come_from_standard_input(
    call: Herdbook, tiny_server: TinyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--params - reads one JSON document."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"a": [1]}\n')))
    assert call("m", "--params", "-").code == 0
    assert tiny_server.requests[0]["params"] == {"a": [1]}


def test_an_id_of_ones_own_is_sent_and_expected(call: Herdbook, tiny_server: TinyServer) -> None:
    """--id goes out as text."""
    assert call("m", "--id", "mine").code == 0
    assert tiny_server.requests[0]["id"] == "mine"


def test_a_notification_prints_nothing(call: Herdbook, tiny_server: TinyServer) -> None:
    """--notify sends no id, and 204 is its success."""
    tiny_server.respond = lambda _request, handler: reply(handler, b"", 204)
    assert call("m", "--notify") == Ran(0, "", "")
    assert "id" not in tiny_server.requests[0]


ERROR = {"code": -32601, "message": "Method not found", "data": {"hint": "list them"}}


def test_a_json_rpc_error_goes_to_stderr(call: Herdbook, tiny_server: TinyServer) -> None:
    """The error object itself on stderr, nothing on stdout, exit code 1."""
    tiny_server.respond = answer_with(error=ERROR)
    ran = call("nothing")
    assert (ran.code, ran.out) == (1, "")
    assert json.loads(ran.err) == ERROR


def test_with_json_a_json_rpc_error_looks_like_every_error(
    call: Herdbook, tiny_server: TinyServer
) -> None:
    """Programs find it under "error", as for any other failure."""
    tiny_server.respond = answer_with(error=ERROR, id=None)
    ran = call("nothing", "--json")
    assert (ran.code, ran.error()) == (1, ERROR)


def refusal(*failures: tuple[str, str]) -> dict[str, Any]:
    """A node's refusal of parameters."""
    told = [{"pointer": place, "code": code, "message": "no"} for place, code in failures]
    return {"code": -32602, "message": "Invalid params", "data": {"errors": told}}


@pytest.mark.parametrize(
    ("word", "place", "code", "said"),
    [
        ("children=true", "/children", "value.wrong_type", "write children:=true\n"),
        ("limit=3", "/limit", "limit.invalid", "write limit:=3\n"),
        ('where=["a", "=", 1]', "/where", "where.malformed", 'write \'where:=["a", "=", 1]\'\n'),
        ("fields=name", "/fields", "value.wrong_type", "write fields:=JSON for a number, true"),
        ("=3", "/0", "value.wrong_type", "the argument was sent as text; write :=3\n"),
    ],
)
def test_text_where_something_else_is_wanted_is_told_how_to_write_it(
    call: Herdbook, tiny_server: TinyServer, word: str, place: str, code: str, said: str
) -> None:
    """On a line below the error; programs get the error alone."""
    tiny_server.respond = answer_with(error=refusal((place, code)))
    error, advice = call("m", word).err.splitlines(keepends=True)
    assert json.loads(error)["message"] == "Invalid params"
    assert said in advice
    assert call("m", word, "--json").error() == refusal((place, code))


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("children:=1", refusal(("/children", "value.wrong_type"))),
        ("planted=2026", refusal(("/planted", "value.bad_format"))),
        ("name=7", refusal(("/name", "unique.taken"))),
        ("name=7", {"code": 1, "message": "no node", "data": {"errors": [7]}}),
        ("name=7", {"code": 1, "message": "no node", "data": ["errors"]}),
    ],
)
def test_nothing_is_said_of_types_where_the_type_is_not_what_is_wrong(
    call: Herdbook, tiny_server: TinyServer, word: str, error: dict[str, Any]
) -> None:
    """JSON was sent as it was meant; a wrong date stays one; other servers say what they like."""
    tiny_server.respond = answer_with(error=error)
    assert json.loads(call("m", word).err) == error


def test_numbers_come_out_as_the_server_wrote_them(call: Herdbook, tiny_server: TinyServer) -> None:
    """No number of a result goes through a float on its way."""
    text = b'{"jsonrpc":"2.0","id":1,"result":[1.10,1E400,123456789012345678901234567890]}'
    tiny_server.respond = lambda _request, handler: reply(handler, text)
    assert call("m", "--json").out == "[1.10,1E400,123456789012345678901234567890]\n"


def test_a_result_cannot_command_the_terminal(call: Herdbook, tiny_server: TinyServer) -> None:
    """Control characters beyond ASCII and changes of direction come out as escapes."""
    tiny_server.respond = answer_with(result="a\x9b31m\u202eb\x1b[0m")
    ran = call("m")
    assert json.loads(ran.out) == "a\x9b31m\u202eb\x1b[0m"
    assert not {"\x9b", "\u202e", "\x1b"} & set(ran.out)


def respond_raw(body: bytes, status: int = 200) -> Any:
    """Answer with these bytes."""
    return lambda _request, handler: reply(handler, body, status)


def no_http(_request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
    """Answer in another protocol."""
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


def hang_up(_request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
    """Close without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


MISBEHAVIOUR: dict[str, tuple[Any, str, str]] = {
    "no JSON": (respond_raw(b"<html>"), "call.answer", "no JSON-RPC answer"),
    "nothing": (respond_raw(b""), "call.answer", "answered with nothing"),
    "204 to a call": (respond_raw(b"", 204), "call.answer", "answered with nothing"),
    "a list": (respond_raw(b"[]"), "call.answer", "Expected `object`"),
    "no version": (respond_raw(b'{"id":1,"result":1}'), "call.answer", "jsonrpc"),
    "another version": (answer_with(jsonrpc="1.0", result=1), "call.answer", "jsonrpc"),
    "result and error": (answer_with(result=1, error=ERROR), "call.answer", "exactly one"),
    "neither": (answer_with(), "call.answer", "exactly one"),
    "another call's answer": (answer_with(id=2, result=1), "call.answer", "another call"),
    "an error that is none": (answer_with(error="x"), "call.answer", "Expected `object`"),
    "JSON cut short": (respond_raw(b'{"jsonrpc":"2.0","id":1,"result":[1'), "call.answer", "trunc"),
    "broken text": (
        respond_raw(b'{"jsonrpc":"2.0","id":1,"result":"\xff"}'),
        "call.answer",
        "no JSON-RPC answer",
    ),
    "deep nesting": (
        respond_raw(b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 9999 + b"]" * 9999 + b"}"),
        "call.answer",
        "no JSON-RPC answer",
    ),
    "HTTP 500": (respond_raw(b"Ouch\n", 500), "call.http", "HTTP 500 Internal Server Error: Ouch"),
    "HTTP 503": (respond_raw(b"", 503), "call.http", "HTTP 503"),
    "a redirect": (respond_raw(b"", 307), "call.http", "HTTP 307"),
    "no HTTP": (no_http, "call.answer", "does not speak HTTP"),
    "a closed connection": (hang_up, "call.lost", "broke the connection before"),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_an_answer_that_is_none_is_told_as_such(
    call: Herdbook, tiny_server: TinyServer, name: str
) -> None:
    """Whatever a server sends, the user gets a reason, a hint and exit code 1."""
    tiny_server.respond, code, message = MISBEHAVIOUR[name]
    ran = call("m", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.error()["code"] == code
    assert message in ran.error()["message"]
    assert ran.error()["hint"]


def test_who_hangs_up_may_have_been_asked_in_the_clear_where_it_speaks_tls(
    call: Herdbook, tiny_server: TinyServer
) -> None:
    """It closes without a word; nothing was done then."""
    tiny_server.respond = hang_up
    assert "begins with https://" in call("m", "--json").error()["hint"]


def wait_for(server: TinyServer) -> Respond:
    """Do not answer before the test is over."""

    def respond(_request: dict[str, Any], _handler: BaseHTTPRequestHandler) -> None:
        server.release.wait(20)

    return respond


def test_a_server_that_does_not_answer_is_left_in_time(
    call: Herdbook, tiny_server: TinyServer
) -> None:
    """--timeout ends the wait, and the message warns that the call may have had its effect."""
    tiny_server.respond = wait_for(tiny_server)
    ran = call("m", "--timeout", "0.2", "--json")
    assert (ran.code, ran.error()["code"]) == (1, "call.timeout")
    assert "may still have its effect" in ran.error()["hint"]


def test_a_server_that_drips_bytes_is_left_in_time(call: Herdbook, tiny_server: TinyServer) -> None:
    """The deadline is for the whole answer, not for the silence between two bytes."""
    ended: queue.Queue[str] = queue.Queue()

    def drip(_request: dict[str, Any], handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        try:
            for _ in range(300):
                handler.wfile.write(b" ")
                tiny_server.release.wait(0.02)
            ended.put("the server had enough")
        except OSError:
            ended.put("the client left")

    tiny_server.respond = drip
    assert call("m", "--timeout", "0.3", "--json").error()["code"] == "call.timeout"
    assert ended.get(timeout=30) == "the client left"


def test_nobody_there_is_told_with_what_to_do(herdbook: Herdbook) -> None:
    """A refused connection names the address and how to start a node."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        ran = herdbook("call", "--url", url, "m")
    assert (ran.code, ran.out) == (1, "")
    assert f"{url} cannot be reached: Connection refused" in ran.err
    assert "herdbook up" in ran.err


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8650", "ftp://x/", "http://", "http://x:99999/", "http://a b/", "http://["],
)
def test_an_address_that_is_none_is_told(herdbook: Herdbook, url: str) -> None:
    """A wrong --url says what one looks like."""
    ran = herdbook("call", "--url", url, "m")
    assert ran.code == 1
    assert "write http://127.0.0.1:8650/" in ran.err


def test_the_address_of_a_socket_is_answered_with_what_calls_it(herdbook: Herdbook) -> None:
    """A node shows its socket so; the path is quoted for a shell."""
    ran = herdbook("call", "--url", "unix:/run/my herd.sock", "x.y")
    assert ran.code == 1
    assert "curl --unix-socket '/run/my herd.sock' --header" in ran.err


def test_a_password_in_the_address_is_refused_and_not_shown(herdbook: Herdbook) -> None:
    """There are no credentials in this version, and none are echoed."""
    ran = herdbook("call", "--url", "http://me:hush@127.0.0.1/", "m")
    assert ran.code == 1
    assert "user name or password" in ran.err
    assert "hush" not in ran.err


def test_the_address_can_come_from_the_environment(
    herdbook: Herdbook, tiny_server: TinyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HERDBOOK_URL stands for --url; proxies of the environment are not asked."""
    monkeypatch.setenv("HERDBOOK_URL", tiny_server.url)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    assert herdbook("call", "m", "--json").out == '"unset"\n'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing argument 'METHOD'"),
        (["m", "bare"], "'bare' is no argument"),
        (["m", "a=1", ":=2"], "cannot be mixed"),
        (["m", "a=1", "a:=2"], "'a' is given twice"),
        (["m", "a:=nope"], "not valid JSON"),
        (["m", "a:="], "line 1, column 1"),
        (["m", "a:=NaN"], "NaN is no JSON number"),
        (["m", "a:=1e999"], "larger than any number"),
        (["m", 'a:={"b":1,"b":2}'], "'b' occurs twice"),
        (["m", "a:=" + "[" * 100_000], "nests too deeply"),
        (["m", "a:=" + "9" * 5000], "not valid JSON"),
        (["m", "a=@nowhere"], "nowhere cannot be read: No such file"),
        (["m", "a=@."], "Is a directory"),
        (["m", "a=@-", "b=@-"], "Only one argument"),
        (["m", "a=\udcff"], "not UTF-8"),
        (["m", "--params", "1"], "array or object"),
        (["m", "--params", "{}", "a=1"], "leave out the arguments"),
        (["m", "--notify", "--id", "7"], "notification has no id"),
        (["m", "--timeout", "0"], "--timeout"),
        (["m", "--timeout", "nan"], "--timeout"),
        (["m", "--timout", "1"], "--timeout"),
    ],
)
def test_wrong_usage_is_explained_and_nothing_is_sent(
    call: Herdbook, tiny_server: TinyServer, words: list[str], message: str
) -> None:
    """Exit code 2, the reason on stderr, and where help is."""
    ran = call(*words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "herdbook call --help" in ran.err
    assert not tiny_server.requests


def test_values_can_come_from_files(
    call: Herdbook, tiny_server: TinyServer, tmp_path: Path
) -> None:
    """@ reads text or JSON from a file, @@ is a plain @."""
    (tmp_path / "note.txt").write_text("Größe\n", encoding="utf-8")
    (tmp_path / "cities.json").write_text("[1, 2]", encoding="utf-8")
    assert call("m", "text=@note.txt", "cities:=@cities.json", "at=@@home").code == 0
    expected = {"text": "Größe\n", "cities": [1, 2], "at": "@home"}
    assert tiny_server.requests[0]["params"] == expected
