"""`herd.*` and `held.*`: how a node's state is told, and what is asked of the store."""

from __future__ import annotations

import dataclasses

import pytest

from service.errors import HeldRefused
from service.herd import held
from service.herd.link_actions import Alarm
from service.herd.status import HerdState, SiblingState, Standing
from service.methods.held_json import REASONS
from service.methods.held_port import HeldQuery
from service.methods.herd_port import KnownSibling
from service.store.herd.held import CODES
from tests.service.methods.calls import places
from tests.service.methods.herds import MemoryHerd, waiting
from tests.service.methods.test_journal import told_by

LINKED = SiblingState(
    "tcp:berlin:8653", True, Standing.EAGER, 3.0, "berlin", 2, 4, 0, schema="s 1", vector={1: 5}
)
DIALLED = SiblingState(
    "tcp:nowhere:8653", True, Standing.WAITING, 1.0, reason="it is gone", again_seconds=2.0
)
MET = KnownSibling(2, "berlin", "active", 1_000_000, 2_000_000, 4, 12.5)
AWAY = KnownSibling(3, "bremen", "active", 1_000_000, 2_000_000, 9, 3600.0)


def test_who_was_retired_before_he_was_met_was_never_seen() -> None:
    """There is no moment to tell, not even that of the command."""
    unmet = KnownSibling(4, "cuxhaven", "retired", 0, 0, 9, None)
    [told] = told_by(MemoryHerd(met=(unmet,))).call("herd.status")["siblings"]
    assert (told["state"], told["met_at"], told["seen_at"]) == ("retired", None, None)


def test_a_node_is_told_with_its_siblings() -> None:
    """Links with what the database knows of them, addresses, and siblings that are away."""
    warned = (Alarm("certificate.due", "renew it"),)
    alarmed = (Alarm("origin.cloned", "a copy"),)
    state = HerdState("hamburg", 1, {1: 9}, (LINKED, DIALLED), alarmed, "s 1", warned)
    herd = MemoryHerd(links=state, met=(MET, AWAY))
    status = told_by(herd).call("herd.status")
    assert herd.asked == {2: {1: 5}}, "of linked siblings what the link knows counts"
    assert (status["name"], status["origin"], status["schema"]) == ("hamburg", 1, "s 1")
    assert status["alarms"] == [{"code": "origin.cloned", "text": "a copy"}]
    assert status["warnings"] == [{"code": "certificate.due", "text": "renew it"}]
    linked, dialled, away = status["siblings"]
    assert (linked["state"], linked["they_lack"], linked["they_lack_seconds"]) == (
        "streaming, eager", 4, 12.5,
    )  # fmt: skip
    assert (linked["schema"], linked["seen_at"]) == ("s 1", "1970-01-01T00:00:02.000000Z")
    assert "vector" not in linked
    assert (dialled["origin"], dialled["reason"], dialled["they_lack"]) == (
        None,
        "it is gone",
        None,
    )
    assert (away["name"], away["address"], away["state"]) == ("bremen", None, "not linked")
    assert [one["retired"] for one in status["siblings"]] == [False, False, False]
    assert (away["they_lack"], away["they_lack_seconds"]) == (9, 3600.0)


@pytest.mark.parametrize("links", [(), (LINKED,)])
def test_who_is_retired_is_told_linked_or_not(links: tuple[SiblingState, ...]) -> None:
    """Nobody waits for it, whatever its link looks like."""
    state = HerdState("hamburg", 1, {1: 9}, links, (), "s 1")
    retired = dataclasses.replace(MET, state="retired")
    (one,) = told_by(MemoryHerd(links=state, met=(retired,))).call("herd.status")["siblings"]
    assert (one["name"], one["retired"]) == ("berlin", True)


def test_every_reason_is_counted_also_where_nothing_is_held() -> None:
    """And every one that the store has is explained."""
    status = told_by(MemoryHerd()).call("herd.status")
    assert status["held"] == dict.fromkeys(REASONS, 0)
    assert set(CODES.values()) == REASONS.keys()
    assert CODES.keys() == {held.PARENT, held.SCHEMA, held.REFUSED, held.BLOCKED, held.DROPPED}


def test_the_graph_has_the_links_that_are_there_now() -> None:
    """Both ways; a sibling that is away is a node without one."""
    herd = MemoryHerd(links=HerdState("hamburg", 1, {}, (LINKED, DIALLED)), met=(MET, AWAY))
    assert told_by(herd).call("herd.graph") == {
        "self": 1,
        "names": {"1": "hamburg", "2": "berlin", "3": "bremen"},
        "links": {"1": [2], "2": [1], "3": []},
    }


def test_who_is_retired_is_no_part_of_the_graph_until_it_is_linked() -> None:
    """Otherwise a herd would hang together no more once somebody has left it."""
    gone = dataclasses.replace(AWAY, state="retired")
    back = dataclasses.replace(MET, state="retired")
    herd = MemoryHerd(links=HerdState("hamburg", 1, {}, (LINKED,)), met=(back, gone))
    told = told_by(herd).call("herd.graph")
    assert told["names"] == {"1": "hamburg", "2": "berlin"}
    assert told["links"] == {"1": [2], "2": [1]}


def test_what_is_held_is_told_whole() -> None:
    """Which row, why, and what waits."""
    (row,) = told_by(MemoryHerd()).call("held.list")["held"]
    assert row == {
        "id": "0" * 64,
        "record": "region",
        "key": {"code": "BE"},
        "reason": "refused",
        "because": REASONS["refused"],
        "text": "a CHECK of the table does not hold",
        "held_at": "1970-01-01T00:00:01.000000Z",
        "waits": "record",
        "life": 1,
        "values": [
            {
                "field": "title",
                "value": "Bern",
                "at": {"at": "1970-01-01T00:00:01.000000Z", "origin": 1, "node": "hamburg"},
            }
        ],
    }


def test_a_deletion_and_fields_that_wait_are_told_as_such() -> None:
    """So that nobody takes one for the other."""
    rows = (waiting(life=2), waiting(whole=False, place=b"\1" * 32))
    told = told_by(MemoryHerd(held=rows)).call("held.list")["held"]
    assert [row["waits"] for row in told] == ["deletion", "fields"]


def test_pages_go_on_after_the_last_row() -> None:
    """Rows that were held at one moment are told apart by their places."""
    rows = tuple(waiting(place=bytes([number]) * 32) for number in range(3))
    herd = MemoryHerd(held=rows)
    api = told_by(herd)
    page = api.call("held.list", {"limit": 2, "record": "region", "reason": "refused"})
    assert herd.asked == HeldQuery("region", "refused", None, 2)
    following = api.call(
        "held.list", {"limit": 2, "record": "region", "reason": "refused", "next": page["next"]}
    )
    assert herd.asked.after == (1_000_000, b"\1" * 32)
    assert [row["id"] for row in following["held"]] == ["02" * 32]
    assert following["next"] is None


def test_a_retry_counts_what_was_written_and_goes_on() -> None:
    """`next` leads on, of the same rows only."""
    herd = MemoryHerd(more=b"\7" * 32)
    api = told_by(herd)
    answer = api.call("held.retry", {"reason": "refused"})
    assert (answer["tried"], answer["written"], len(answer["held"])) == (3, 2, 1)
    assert herd.asked == (HeldQuery(None, "refused", None, 100), None)
    api.call("held.retry", {"reason": "refused", "next": answer["next"]})
    assert herd.asked[1] == b"\7" * 32
    error = api.refused("held.retry", {"next": answer["next"]})
    assert places(error) == [(None, "/next", "cursor.foreign")]


def test_one_row_is_named_by_its_key_or_its_id() -> None:
    """A key is read as its class has it; nothing held of it is a refusal."""
    herd = MemoryHerd()
    api = told_by(herd)
    assert api.call("held.drop", {"record": "region", "key": "BE"}) == {"entry": 5}
    assert api.call("held.drop", {"id": "ab" * 32}) == {"entry": 5}
    assert herd.asked == b"\xab" * 32
    assert api.call("held.retry", {"id": "ab" * 32})["tried"] == 1
    herd.held = ()
    for method in ("held.drop", "held.retry"):
        error = api.refused(method, {"record": "region", "key": {"code": "BE"}})
        assert isinstance(error, HeldRefused)
        assert places(error) == [(None, "/key", "held.unknown")]
