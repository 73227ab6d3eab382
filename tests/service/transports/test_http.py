"""What HTTP promises around JSON-RPC: statuses, limits, connections and their end."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from twisted.internet.defer import Deferred

from service.rpc.limits import Limits
from service.transports.http import RpcFactory
from service.transports.web import WebLimits
from tests.service.rpc.methods import SECRET
from tests.service.transports.live import (
    JSON,
    SECONDS,
    HeldCalls,
    LiveServer,
    Reply,
    ask,
    call,
    post,
    read_all,
)
from tests.service.transports.reactor_thread import in_reactor

Serve = Callable[..., LiveServer]
SUM = call("sum", [1, 2])
SMALL = Limits(body_bytes=1_000)


def error_of(reply: Reply) -> str:
    """What the small JSON object of a refusal says."""
    assert reply.headers["content-type"] == "application/json"
    value = json.loads(reply.body)
    assert set(value) == {"error"}
    return str(value["error"])


def result_of(reply: Reply) -> object:
    """The result in an answer."""
    assert reply.status == 200
    return json.loads(reply.body)["result"]


def results_in(data: bytes) -> list[object]:
    """The results in raw bytes that hold answers without chunks, in order."""
    bodies = [part.split(b"\r\n\r\n", 1)[1] for part in data.split(b"HTTP/1.1 200 OK")[1:]]
    return [json.loads(body)["result"] for body in bodies]


@pytest.mark.parametrize("path", ["/", "/rpc", "/rpc?client=7"])
def test_both_paths_answer(serve: Serve, path: str) -> None:
    """Clients may use either address."""
    assert result_of(serve().request(path=path, body=SUM)) == 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "post"])
def test_other_methods_are_refused(serve: Serve, method: str) -> None:
    """Only POST can call; the answer names it."""
    reply = serve().request(method, body=SUM)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert "POST" in error_of(reply)


@pytest.mark.parametrize("path", ["/rpc/", "/other", "//", "/metrics", "/%2e", "http://x/", "*"])
def test_other_paths_are_not_found(serve: Serve, path: str) -> None:
    """A wrong address is told the right one."""
    reply = serve().request(path=path, body=SUM)
    assert reply.status == 404
    assert "/rpc" in error_of(reply)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json ; profile=x;charset="UTF-8"',
        "application/json-rpc",
        "application/jsonrequest",
    ],
)
def test_json_types_are_taken(serve: Serve, content_type: str) -> None:
    """Every usual name of JSON will do."""
    assert result_of(serve().request(body=SUM, headers={"Content-Type": content_type})) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/json"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json, text/plain"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
    ids=str,
)
def test_other_types_are_refused(serve: Serve, headers: dict[str, str]) -> None:
    """What a foreign page could send without asking, and what is no plain JSON, runs nothing."""
    reply = serve().request(body=SUM, headers=headers)
    assert reply.status == 415
    assert "Send" in error_of(reply)


@pytest.mark.parametrize("origin", ["http://evil.example:8650", "https://herd.example", "null", ""])
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_web_pages_are_refused(serve: Serve, origin: str, method: str) -> None:
    """Also a page whose own host name was made to lead here, which a browser lets send JSON."""
    headers = JSON | {"Host": "evil.example:8650", "Origin": origin}
    reply = serve().request(method, body=SUM, headers=headers)
    assert reply.status == 403
    assert "Origin" in error_of(reply)


def test_a_body_of_exactly_the_limit_is_read(serve: Serve) -> None:
    """The limit is the largest size that works, one byte more is refused."""
    server = serve(SMALL)
    assert result_of(server.request(body=SUM.ljust(1_000))) == 3
    assert server.request(body=SUM.ljust(1_001)).status == 413


def test_a_body_announced_too_long_is_refused_before_it_is_sent(serve: Serve) -> None:
    """The client learns it from the headers alone."""
    with serve(SMALL).connect() as connection:
        connection.sendall(post(b"")[:-2].replace(b"Length: 0", b"Length: 1001") + b"\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer
    assert b"1000 bytes" in answer


@pytest.mark.parametrize("length", ["1" + "0" * 18, "9" * 4000])
def test_a_gigantic_length_is_refused(serve: Serve, length: str) -> None:
    """Numbers beyond any memory are compared and not allocated."""
    with serve(SMALL).connect() as connection:
        connection.sendall(post(b"").replace(b"Length: 0", f"Length: {length}".encode()))
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "", "1,1", "9" * 5000])
def test_a_length_that_is_none_is_a_bad_request(serve: Serve, length: str) -> None:
    """Bytes whose end is unclear are never taken for a call."""
    data = post(b"").replace(b"Length: 0", f"Length: {length}".encode()) + SUM
    assert serve().raw(data).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "extra",
    ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n"],
)
def test_two_ways_to_tell_the_length_are_a_bad_request(serve: Serve, extra: str) -> None:
    """No proxy before us can be made to see other requests than we do."""
    assert serve().raw(post(SUM, extra=extra)).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_sends_on_sees_the_refusal(serve: Serve) -> None:
    """The answer is not lost because the client was still busy sending."""
    with serve(SMALL).connect() as connection:
        head = post(b"").replace(b"Length: 0", b"Length: 5000000")
        connection.sendall(head + b" " * 5_000_000)
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")


def pieces(*bodies: bytes) -> Iterator[bytes]:
    """A body that http.client sends in chunks."""
    yield from bodies


def test_chunked_bodies_are_read(serve: Serve) -> None:
    """A body may come in pieces of any size."""
    body = pieces(*(SUM[start : start + 7] for start in range(0, len(SUM), 7)))
    assert result_of(serve().request(body=body)) == 3


def test_chunked_bodies_are_counted(serve: Serve) -> None:
    """Without an announced length the limit holds all the same."""
    with serve(SMALL).connect() as connection:
        head = post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        connection.sendall(head + b"1f4\r\n" + b" " * 500 + b"\r\n1f5\r\n" + b" " * 501 + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_malformed_chunks_are_a_bad_request(serve: Serve) -> None:
    """A chunk without a length ends the connection."""
    head = post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    assert serve().raw(head + b"hay\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("noise", [b"\x00\x01\x02\r\n\r\n", b"hello\r\n\r\n", b"GET /\r\n\r\n"])
def test_noise_is_a_bad_request(serve: Serve, noise: bytes) -> None:
    """What is no HTTP ends the connection and nothing else."""
    server = serve()
    assert server.raw(noise).startswith(b"HTTP/1.1 400 ")
    assert result_of(server.request(body=SUM)) == 3


def test_endless_headers_are_a_bad_request(serve: Serve) -> None:
    """Headers have a limit too."""
    with serve().connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + b"X: 123456789\r\n" * 2_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_connection_is_kept(serve: Serve) -> None:
    """Many calls may follow each other on one connection, also after refusals."""
    with serve().client() as client:
        assert result_of(ask(client, body=SUM)) == 3
        opened = client.sock
        assert ask(client, "GET").status == 405
        assert ask(client, body=call("sum")[:-1]).status == 200
        assert ask(client, body=b'{"jsonrpc": "2.0", "method": "sum"}').status == 204
        assert result_of(ask(client, body=SUM)) == 3
        assert client.sock is opened


@pytest.mark.parametrize("how", ["Connection: close\r\n", "HTTP/1.0"])
def test_a_connection_is_closed_when_asked(serve: Serve, how: str) -> None:
    """Old clients and those that say so get one answer for each connection."""
    old = how == "HTTP/1.0"
    data = post(SUM, extra="" if old else how)
    data = data.replace(b"HTTP/1.1", b"HTTP/1.0") if old else data
    answer = serve().raw(data)
    assert b" 200 OK" in answer
    assert b"Connection: close" in answer


def test_pipelined_requests_are_answered_in_order(serve: Serve) -> None:
    """A client need not wait for one answer before it sends the next request."""
    bodies = [call("echo", [number]) for number in range(20)]
    requests = [post(body) for body in bodies[:-1]]
    data = b"".join([*requests, post(bodies[-1], extra="Connection: close\r\n")])
    assert results_in(serve().raw(data)) == [[number] for number in range(20)]


def test_large_answers_to_pipelined_requests_all_arrive(serve: Serve) -> None:
    """Each is begun when the one before it was read; none is lost for a client that reads."""
    bodies = [call("echo", [f"{number}" * 300_000]) for number in range(5)]
    requests = [post(body) for body in bodies[:-1]]
    data = b"".join([*requests, post(bodies[-1], extra="Connection: close\r\n")])
    server = serve()
    with server.connect() as connection, ThreadPoolExecutor(1) as threads:
        sent = threads.submit(connection.sendall, data)
        results = results_in(read_all(connection))
        sent.result(SECONDS)
    assert results == [[f"{number}" * 300_000] for number in range(5)]


def test_a_request_in_single_bytes_is_read(serve: Serve) -> None:
    """However the network cuts a request, it is the same request."""
    with serve().connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post(SUM, extra="Connection: close\r\n"):
            connection.sendall(bytes([byte]))
        assert results_in(read_all(connection)) == [3]


def test_a_client_may_ask_before_it_sends_the_body(serve: Serve) -> None:
    """`Expect: 100-continue` is answered, and a body that would be too long is not asked for."""
    with serve(SMALL).connect() as connection:
        head, body = post(SUM, extra="Expect: 100-continue\r\n").split(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
    with serve(SMALL).connect() as connection:
        connection.sendall(
            post(b"x" * 1_001, extra="Expect: 100-continue\r\n").split(b"\r\n\r\n")[0] + b"\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_requests_run_side_by_side(serve: Serve, held: HeldCalls) -> None:
    """A slow call holds up nobody: fifty wait at once, and another one passes them."""
    server = serve()
    with ThreadPoolExecutor(50) as threads:
        waiting = [
            threads.submit(server.request, body=call("hold", [number])) for number in range(50)
        ]
        held.wait_for(50)
        assert result_of(server.request(body=SUM)) == 3
        held.let_go()
        results = [result_of(reply.result(SECONDS)) for reply in waiting]
    assert results == [[number] for number in range(50)]


def test_too_many_pending_calls_are_refused(serve: Serve, held: HeldCalls) -> None:
    """An overloaded node says so at once, says when to return, and works again afterwards."""
    server = serve(Limits(pending_calls=2))
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(server.request, body=call("hold")) for _ in range(2)]
        held.wait_for(2)
        refused = server.request(body=SUM)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert "2 calls are in flight" in error_of(refused)
        held.let_go()
        assert [reply.result(SECONDS).status for reply in waiting] == [200, 200]
    assert result_of(server.request(body=SUM)) == 3


def test_too_many_connections_are_refused(serve: Serve) -> None:
    """Connections have a limit, and one that ends makes room."""
    server = serve(web=WebLimits(1_000, connections=1))
    with server.connect() as first:
        first.sendall(post(SUM))
        assert first.recv(65536).startswith(b"HTTP/1.1 200 OK")
        with server.connect() as second:
            assert second.recv(1) == b""
        first.sendall(post(SUM, extra="Connection: close\r\n"))
        assert results_in(read_all(first)) == [3]
    in_reactor(lambda: None)
    assert result_of(server.request(body=SUM)) == 3


def test_a_client_that_leaves_ends_its_call(serve: Serve, held: HeldCalls) -> None:
    """Nobody computes for a client that is gone, and the rest of its batch does not begin."""
    server = serve()
    batch = b"[" + call("hold") + b"," + call("hold") + b"]"
    with server.connect() as connection:
        connection.sendall(post(batch))
        held.wait_for(1)
    assert held.ended.get(timeout=SECONDS) == "cancelled"
    assert result_of(server.request(body=SUM)) == 3
    assert held.ended.empty()


def test_a_client_that_leaves_half_way_through_a_body_runs_nothing(serve: Serve) -> None:
    """Half a request is none."""
    server = serve()
    with server.connect() as connection:
        connection.sendall(post(SUM)[:-3])
    assert result_of(server.request(body=SUM)) == 3


@pytest.mark.parametrize("method", ["crash", "unencodable"])
def test_internal_errors_leak_nothing(serve: Serve, method: str) -> None:
    """Neither SQL nor a traceback nor a path leaves the node."""
    reply = serve().request(body=call(method))
    assert reply.status == 200
    text = reply.body.decode()
    for leak in (SECRET, "SELECT", "Traceback", "RuntimeError", ".py", "object at"):
        assert leak not in text
    assert json.loads(reply.body)["error"]["data"]["trace"]


def test_draining_answers_what_runs_and_refuses_what_comes(serve: Serve, held: HeldCalls) -> None:
    """A stop costs no client its answer."""
    server = serve()
    factory = server.factory
    assert isinstance(factory, RpcFactory)
    with ThreadPoolExecutor(1) as threads, server.client() as idle:
        assert result_of(ask(idle, body=SUM)) == 3
        waiting = threads.submit(server.request, body=call("hold", ["hay"]))
        held.wait_for(1)
        drained: list[Deferred[None]] = []
        in_reactor(lambda: drained.append(factory.drain(SECONDS)))
        assert idle.sock is not None
        assert idle.sock.recv(1) == b""
        refused = server.request(body=SUM)
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert refused.headers["connection"] == "close"
        assert "shutting down" in error_of(refused)
        held.let_go()
        assert result_of(waiting.result(SECONDS)) == ["hay"]
        in_reactor(lambda: drained[0])


def test_draining_an_idle_listener_ends_at_once(serve: Serve) -> None:
    """Nothing is waited for where nothing runs."""
    factory = serve().factory
    assert isinstance(factory, RpcFactory)
    in_reactor(factory.drain, SECONDS)


def test_every_answer_has_a_date_and_is_not_cached(serve: Serve) -> None:
    """Proxies do not hand one client's answer to another."""
    reply = serve().request(body=SUM, headers=JSON)
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["date"].endswith("GMT")
