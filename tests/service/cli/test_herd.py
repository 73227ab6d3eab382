"""`herdbook herd`: what is shown of a node and its siblings, and of the whole herd."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from service.cli.herd_graph import Told, picture_of
from service.cli.herd_status import duration
from service.cli.wording import as_command, in_words
from tests.service.cli.conftest import Ran, TinyServer, answer_with

Herdbook = Callable[..., Ran]

SIBLING = {
    "address": "tcp:berlin:8653",
    "name": "berlin",
    "origin": 2,
    "state": "streaming, eager",
    "they_lack": 4,
    "they_lack_seconds": 90.0,
    "clock_ahead_seconds": None,
    "we_lack": 0,
    "schema": "farm 1",
    "seen_at": "2026-01-31T12:00:00.000000Z",
    "reason": None,
}
AWAY = {
    "address": None,
    "name": "bremen",
    "origin": 3,
    "state": "not linked",
    "they_lack": 9,
    "they_lack_seconds": 7200.0,
    "seen_at": "2026-01-30T12:00:00.000000Z",
}


def status(**changes: Any) -> dict[str, Any]:
    """What a node tells of itself."""
    usual: dict[str, Any] = {
        "name": "hamburg",
        "origin": 1,
        "schema": "farm 1",
        "vector": {"1": 9},
        "siblings": [SIBLING, AWAY],
        "alarms": [],
        "held": {"parent": 0, "schema": 0, "refused": 0, "blocked": 0},
        "journal": {
            "conflicts": 3,
            "conflicts_last_hour": 1,
            "repairs": 2,
            "repairs_last_hour": 0,
            "by_rule": {},
            "counted_above": 0,
        },
    }
    return usual | changes


def test_siblings_are_a_line_each(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """State, what they lack and for how long, schema; below what was put aside."""
    tiny_server.respond = answer_with(result=status())
    ran = herdbook("herd", "status", "--url", tiny_server.url)
    assert (ran.code, ran.err) == (0, "")
    first, _columns, linked, away, held, journal = ran.out.splitlines()
    assert first == "hamburg (origin 1), records farm, Herdbook's tables 1"
    assert linked.split("  ")[0] == "berlin"
    for part in ("streaming, eager", " 4 ", "1.5 min", "same", "2026-01-31T12:00:00"):
        assert part in linked
    for part in ("bremen", "not linked", " 9 ", "2.0 h"):
        assert part in away
    assert held == "held: nothing"
    assert journal == "journal: 3 conflicts, 2 repairs; in the last hour 1 and 0"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"held": {"refused": 2, "parent": 1}},
            "held: 3 rows (refused 2, parent 1); `herdbook held list`",
        ),
        ({"alarms": [{"code": "origin.cloned", "text": "a copy"}]}, "ALARM origin.cloned: a copy"),
    ],
)
def test_what_needs_somebody_ends_with_3(
    herdbook: Herdbook, tiny_server: TinyServer, changes: dict[str, Any], said: str
) -> None:
    """Something held, or an alarm; programs get the same code and the answer as it came."""
    tiny_server.respond = answer_with(result=status(**changes))
    ran = herdbook("herd", "status", "--url", tiny_server.url)
    assert ran.code == 3
    assert said in ran.out
    ran = herdbook("herd", "status", "--url", tiny_server.url, "--json")
    assert (ran.code, ran.document()) == (3, status(**changes))


def test_what_can_wait_is_told_and_calls_nobody(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """A warning stands for months; a code that stands for months is looked at by nobody."""
    warned = [{"code": "certificate.due", "text": "this node's certificate counts until"}]
    tiny_server.respond = answer_with(result=status(warnings=warned))
    ran = herdbook("herd", "status", "--url", tiny_server.url)
    assert ran.code == 0
    assert "WARNING certificate.due: this node's certificate counts until" in ran.out


def test_a_retired_sibling_is_told(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """Once, whether it is linked or not."""
    linked = SIBLING | {"retired": True}
    away = AWAY | {"retired": True, "state": "retired"}
    tiny_server.respond = answer_with(result=status(siblings=[linked, away]))
    out = herdbook("herd", "status", "--url", tiny_server.url).out
    assert "streaming, eager, retired here" in out
    assert out.count("retired") == 2


def test_a_clock_that_is_ahead_is_told(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """Whose, and by how much; nothing waits for it."""
    early = SIBLING | {"clock_ahead_seconds": 86_400.0}
    tiny_server.respond = answer_with(result=status(siblings=[early, AWAY]))
    ran = herdbook("herd", "status", "--url", tiny_server.url)
    assert ran.code == 0
    told = [line for line in ran.out.splitlines() if line.startswith("CLOCK")]
    assert told == [
        "CLOCK the last write of berlin was stamped 1.0 d ahead of this node's clock; "
        "set the clocks of both by NTP"
    ]


def test_another_schema_and_a_node_alone_are_told(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """The sibling's own words where they differ."""
    other = SIBLING | {"schema": "farm 2", "reason": "it is gone"}
    tiny_server.respond = answer_with(result=status(siblings=[other]))
    out = herdbook("herd", "status", "--url", tiny_server.url).out
    assert "records farm, Herdbook's tables 2" in out
    assert "it is gone" in out
    tiny_server.respond = answer_with(result=status(siblings=[]))
    assert "no siblings" in herdbook("herd", "status", "--url", tiny_server.url).out


def test_one_is_told_as_one_and_columns_that_say_nothing_are_left_out(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """No "1 conflicts", no empty "why"; whoever came by a socket has no address to be shown."""
    caller = SIBLING | {"name": None, "address": "unix:", "they_lack": None}
    journal = status()["journal"] | {"conflicts": 1, "repairs": 1}
    found = status(siblings=[caller], held={"refused": 1}, journal=journal)
    tiny_server.respond = answer_with(result=found)
    _name, columns, line, held, aside = herdbook(
        "herd", "status", "--url", tiny_server.url
    ).out.splitlines()
    assert columns.split() == ["sibling", "state", "for", "we", "lack", "schema", "seen"]
    assert line.startswith("a unix socket  ")
    assert held.startswith("held: 1 row (refused 1);")
    assert aside.startswith("journal: 1 conflict, 1 repair; in the last hour")


def test_what_was_given_up_needs_nobody(herdbook: Herdbook, tiny_server: TinyServer) -> None:
    """It is counted apart, and ends with 0."""
    tiny_server.respond = answer_with(result=status(held={"refused": 0, "dropped": 1}))
    ran = herdbook("herd", "status", "--url", tiny_server.url)
    assert ran.code == 0
    assert "held: nothing; given up: 1 row (`herdbook held list --reason dropped`)\n" in ran.out


def test_watching_ends_well_with_ctrl_c(
    herdbook: Herdbook, tiny_server: TinyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then it is shown each time; with --json a line each."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("service.cli.herd.time.sleep", wait)
    tiny_server.respond = answer_with(result=status(held={"refused": 1}))
    arguments = ("herd", "status", "--url", tiny_server.url, "--watch", "--every", "7", "--json")
    ran = herdbook(*arguments)
    assert (ran.code, len(ran.out.splitlines())) == (0, 3)
    assert waits == [7.0, 7.0, 7.0]


def test_a_refusal_is_told_in_words_or_as_it_came(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """With what to do."""
    error = {"code": -32000, "message": "no database", "data": {"code": "server.unavailable",
             "hint": "wait", "retryable": True, "trace": "x"}}  # fmt: skip
    tiny_server.respond = answer_with(error=error)
    ran = herdbook("herd", "status", "--url", tiny_server.url)
    assert (ran.code, ran.err) == (1, "error: no database\nwait\n")
    ran = herdbook("herd", "status", "--url", tiny_server.url, "--json")
    assert (ran.code, ran.error()) == (1, error)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.04, "0.0 s"), (59.0, "59.0 s"), (60.0, "1.0 min"), (172_800.0, "2.0 d")],
)
def test_durations_are_said_in_the_largest_unit(seconds: float | None, said: str) -> None:
    """One digit is enough."""
    assert duration(seconds) == said


def told(origin: int, *linked: int, met: tuple[int, ...] = ()) -> Told:
    """What a node tells."""
    names = {one: f"n{one}" for one in (origin, *linked, *met)}
    links: dict[int, list[int]] = {one: [] for one in names}
    links |= {origin: list(linked)} | {one: [origin] for one in linked}
    return Told(origin, names, links)


def test_a_chain_falls_apart_without_its_middle() -> None:
    """Two links at most; everybody was asked."""
    picture = picture_of([told(1, 2), told(2, 1, 3), told(3, 2)])
    plain = picture.as_plain()
    assert (plain["whole"], plain["parts"], plain["articulation_points"], plain["diameter"]) == (
        True, [[1, 2, 3]], [2], 2,
    )  # fmt: skip
    assert "without which it would fall apart: n2" in picture.in_words()
    assert next(iter(picture.rows())) == ("n1", 1, "yes", "n2")


def test_who_was_met_and_not_asked_is_named() -> None:
    """The picture is not whole, and says so."""
    picture = picture_of([told(1, 2, met=(3,)), told(2, 1)])
    assert picture.as_plain()["whole"] is False
    assert picture.in_words().startswith("not asked: n3;")
    assert [sorted(part) for part in picture.parts] == [[1, 2], [3]]


def graph_answer(origin: int, **links: list[int]) -> dict[str, Any]:
    """The answer of herd.graph."""
    told = {name[1:]: others for name, others in links.items()}
    return {"self": origin, "names": {one: f"n{one}" for one in told}, "links": told}


def test_several_nodes_are_asked_and_put_together(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """Whole and in one piece: 0; torn: 3; one that does not answer: 1, and the others are shown."""
    answers = iter([graph_answer(1, n1=[2], n2=[1]), graph_answer(2, n1=[2], n2=[1])])

    def respond(request: dict[str, Any], handler: Any) -> None:
        answer_with(result=next(answers))(request, handler)

    tiny_server.respond = respond
    ran = herdbook("herd", "graph", tiny_server.url, tiny_server.url)
    assert (ran.code, ran.err) == (0, "")
    assert "nodes: 2, parts: 1" in ran.out
    tiny_server.respond = answer_with(result=graph_answer(1, n1=[], n2=[]))
    ran = herdbook("herd", "graph", tiny_server.url, "--json")
    assert ran.code == 3
    assert ran.document()["parts"] == [[1], [2]]
    ran = herdbook("herd", "graph", tiny_server.url, "http://127.0.0.1:1/")
    assert ran.code == 1
    assert "http://127.0.0.1:1/ did not tell its links" in ran.err
    assert "n1" in ran.out
    ran = herdbook("herd", "graph", "http://127.0.0.1:1/")
    assert (ran.code, ran.out) == (1, "")
    assert "cannot be reached" in ran.err


def test_what_is_sent_is_a_call_without_what_was_not_given(
    herdbook: Herdbook, tiny_server: TinyServer
) -> None:
    """Options that are absent are no parameters."""
    tiny_server.respond = answer_with(result={"entries": [], "next": None})
    herdbook("journal", "list", "--url", tiny_server.url, "--record", "city")
    assert tiny_server.requests[-1]["params"] == {"record": "city", "limit": 50}
    tiny_server.respond = answer_with(result={"outcome": "updated", "record": {}, "left": []})
    herdbook(
        *("journal", "restore", "7", "--url", tiny_server.url, "--field", "name"),
        *("--set", "code=GR", "--set", "area:=1.10", "--again"),
    )
    assert b'"area":1.10' in tiny_server.bodies[-1]
    assert tiny_server.requests[-1]["params"] == {
        "number": 7, "fields": ["name"], "values": {"code": "GR", "area": 1.1}, "again": True,
    }  # fmt: skip
    assert json.loads(tiny_server.bodies[-1])["method"] == "journal.restore"
    assert herdbook("journal", "restore", "7", "--set", "=x", "--url", tiny_server.url).code == 2


UNKNOWN = {
    "pointer": "/record",
    "code": "record.unknown",
    "message": "there is no record class ctiy",
}
REFUSED = {
    "code": -32602,
    "message": "Invalid params",
    "data": {
        "errors": [UNKNOWN],
        "detail": UNKNOWN["message"],
        "code": "params.invalid",
        "hint": "system.methodHelp describes the method's parameters.",
    },
}


@pytest.mark.parametrize("command", ["journal", "held"])
def test_refused_parameters_are_told_as_options(
    herdbook: Herdbook, tiny_server: TinyServer, command: str
) -> None:
    """In place of the fixed words of JSON-RPC, a pointer, and the name of a method."""
    tiny_server.respond = answer_with(error=REFUSED)
    ran = herdbook(command, "list", "--url", tiny_server.url, "--record", "ctiy")
    assert (ran.code, ran.err) == (
        1,
        "error: --record: there is no record class ctiy\nThe command's --help tells more.\n",
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            "journal.list tells what there is; journal.show tells all of one entry.",
            "`herdbook journal list` tells what there is; `herdbook journal show` tells all of one "
            "entry.",
        ),
        ("held.retry, once", "`herdbook held retry`, once"),
        ("city.delete carries it out", "`herdbook call city.delete` carries it out"),
        ("use journal.restore.", "use `herdbook journal restore`."),
        ("was restored already; `again` does", "was restored already; --again does"),
        ("Give other values in `values`, by `fields`.", "Give other values in --set, by --field."),
        ("It is down. Send the call again shortly.", "It is down. Run the command again shortly."),
    ],
)
def test_methods_in_advice_become_commands(said: str, meant: str) -> None:
    """Whoever typed a command can paste what the advice names."""
    assert as_command(said) == meant


def test_all_failures_are_told_with_their_places() -> None:
    """Those beyond the last line are counted."""
    many = [{"pointer": f"/values/name{at}", "code": "x", "message": "wrong"} for at in range(30)]
    error = {"code": 1000, "message": "wrong (and 29 more)", "data": {"errors": many}}
    lines = in_words(json.dumps(error)).message.splitlines()
    assert lines[1] == "--set name0: wrong"
    assert lines[-1] == "and 10 more"
    assert len(lines) == 22
