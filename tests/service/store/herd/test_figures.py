"""How a node stands: what siblings lack, since when, and what was put aside."""

from __future__ import annotations

import pytest

from schema.capture.triggers import NOW
from service.herd.port import Sibling
from service.store.herd.aside_watch import Look, look
from service.store.herd.figures import MOST_PASSED, OTHERS, OWN, aside, known
from service.store.herd.siblings import note
from tests.service.store.herd.asides import call
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.test_applying import family
from tests.service.store.herd.test_applying_repairs import apart
from tests.service.store.herd.test_held_rows import some_held

STRANGER = 7


def meet(member: Member, vector: dict[int, int], name: str = "berlin") -> None:
    """A sibling is met that has so much."""
    member.do(lambda tx: note(tx, [Sibling(STRANGER, name, vector)]))


def age(member: Member, condition: str, seconds: int) -> None:
    """Let some entries of the changelog be sealed so long ago."""
    member.sql(
        f"UPDATE herdbook_changelog SET sealed_at = {NOW} - {seconds * 1_000_000} WHERE {condition}"
    )


def test_a_sibling_lacks_what_is_above_its_vector(one: Member) -> None:
    """In changes, and in how long the oldest of them has been here."""
    family(one)
    one.seal()
    written = one.vector()[one.origin()]
    age(one, "position <= 2", 1000)
    age(one, "position > 2", 100)
    meet(one, {one.origin(): 2})
    (sibling,) = call(one, "herd.status")["siblings"]
    assert (sibling["name"], sibling["origin"], sibling["state"]) == (
        "berlin", STRANGER, "not linked",
    )  # fmt: skip
    assert sibling["they_lack"] == written - 2
    assert 100 <= sibling["they_lack_seconds"] < 200
    meet(one, {one.origin(): 1})
    (sibling,) = call(one, "herd.status")["siblings"]
    assert 1000 <= sibling["they_lack_seconds"] < 1100


@pytest.mark.parametrize(("stamped", "told"), [(700_000, 0.7), (400_000, None)])
def test_a_sibling_whose_clock_is_ahead_is_told(
    one: Member, other: Member, stamped: int, told: float | None
) -> None:
    """By its latest write that came here; half a second is no matter."""
    family(one)
    one.tell(other)
    other.seal()
    other.do(lambda tx: note(tx, [Sibling(one.origin(), "one", one.vector())]))
    latest = "ORDER BY at_origin DESC LIMIT 1"
    other.sql("UPDATE herdbook_changelog SET stamp = sealed_at + 9000000")
    other.sql(f"UPDATE herdbook_changelog SET stamp = sealed_at + {stamped} {latest}")
    (sibling,) = call(other, "herd.status")["siblings"]
    assert sibling["clock_ahead_seconds"] == told


def test_who_lacks_nothing_is_not_behind(one: Member) -> None:
    """However old the changelog is."""
    family(one)
    one.seal()
    age(one, "TRUE", 1000)
    meet(one, dict(one.vector()))
    (sibling,) = call(one, "herd.status")["siblings"]
    assert (sibling["they_lack"], sibling["they_lack_seconds"]) == (0, None)


def test_what_others_wrote_counts_as_well(one: Member, other: Member) -> None:
    """A sibling may lack what this node has from a third one."""
    family(one)
    quiet(one, other)
    other.seal()
    age(other, "TRUE", 500)
    meet(other, {})
    found = other.do(lambda tx: known(tx, {}))
    assert found.siblings[0].lacks == one.vector()[one.origin()]
    assert 500 <= found.siblings[0].lacks_seconds < 600


def test_what_a_link_knows_counts_before_it_is_noted(one: Member) -> None:
    """The vector of a linked sibling is newer than the one in the database."""
    family(one)
    one.seal()
    meet(one, {})
    vector = dict(one.vector())
    found = one.do(lambda tx: known(tx, {STRANGER: vector}))
    assert (found.siblings[0].lacks, found.siblings[0].lacks_seconds) == (0, None)


def test_the_age_is_found_by_an_index(one: Member) -> None:
    """However long the changelog is, it is not read whole, and nothing is sorted."""
    family(one)
    one.seal()
    for statement, index in ((OWN, "PRIMARY"), (OTHERS, "herdbook_came")):
        plan = str(one.rows(f"EXPLAIN {statement.format(one.origin(), 1)}"))
        assert index in plan
        assert "range" in plan
        assert "sort" not in plan


def test_of_entries_far_behind_those_of_others_the_age_is_bounded(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not more than so many are passed over: what comes behind them stands for it."""
    family(one)
    quiet(one, other)
    other.sql("UPDATE ranch SET name = 'own' WHERE number = 1")
    other.seal()
    age(other, "TRUE", 900)
    age(other, "at_origin IS NULL", 10)
    meet(other, {one.origin(): 10**6})
    (sibling,) = call(other, "herd.status")["siblings"]
    assert 10 <= sibling["they_lack_seconds"] < 100
    hasty = OWN.replace(f"{MOST_PASSED}", "2")
    monkeypatch.setattr("service.store.herd.figures.OWN", hasty)
    (sibling,) = call(other, "herd.status")["siblings"]
    assert 900 <= sibling["they_lack_seconds"] < 1000


def test_what_was_put_aside_is_counted(one: Member, other: Member) -> None:
    """What is held by its reason; of the journal all entries, and those of the last hour."""
    some_held(one, other)
    status = call(other, "herd.status")
    assert status["held"] == {
        "parent": 1, "schema": 0, "refused": 2, "blocked": 0, "dropped": 0,
    }  # fmt: skip
    assert status["journal"]["conflicts"] == 0
    number = call(other, "held.drop", record="ranch", key=3)["entry"]
    status = call(other, "herd.status")
    assert (status["held"]["refused"], status["held"]["dropped"]) == (1, 1)
    journal = status["journal"]
    assert (journal["repairs"], journal["repairs_last_hour"]) == (1, 1)
    assert journal["by_rule"] == {"dropped": 1}
    assert journal["counted_above"] == 0
    other.sql(f"UPDATE herdbook_journal SET noted_at = 1 WHERE number = {number}")
    journal = call(other, "herd.status")["journal"]
    assert (journal["repairs"], journal["repairs_last_hour"]) == (1, 0)


def test_of_a_long_journal_the_newest_entries_are_counted(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says from where on."""
    some_held(one, other)
    for number in (2, 3):
        call(other, "held.drop", record="ranch", key=number)
    monkeypatch.setattr("service.store.herd.figures.MOST_COUNTED", 1)
    journal = call(other, "herd.status")["journal"]
    assert (journal["repairs"], journal["counted_above"]) == (1, 1)


def test_conflicts_are_counted_apart_from_repairs(one: Member, other: Member) -> None:
    """A value that lost to a later write is one."""
    apart(
        one, other,
        ["UPDATE ranch SET name = 'early' WHERE number = 1"],
        ["UPDATE ranch SET name = 'late' WHERE number = 1"],
    )  # fmt: skip
    told = [call(member, "herd.status")["journal"]["conflicts"] for member in (one, other)]
    assert sum(told) == 1


def test_a_node_without_siblings_tells_of_itself(one: Member) -> None:
    """Who it is and what it has; its graph is a single node."""
    family(one)
    one.seal()
    status = call(one, "herd.status")
    assert (status["name"], status["origin"]) == ("here", one.origin())
    assert status["vector"] == {str(one.origin()): one.vector()[one.origin()]}
    assert (status["siblings"], status["alarms"], status["schema"]) == ([], [], "ranch 1")
    own = str(one.origin())
    graph = {"self": one.origin(), "names": {own: "here"}, "links": {own: []}}
    assert call(one, "herd.graph") == graph


def test_nodes_that_were_met_are_in_the_graph_without_a_link(one: Member) -> None:
    """A link is only what is linked now."""
    meet(one, {})
    graph = call(one, "herd.graph")
    assert graph["names"][str(STRANGER)] == "berlin"
    assert graph["links"] == {str(one.origin()): [], str(STRANGER): []}


def test_a_look_counts_what_came_since_the_last_one(one: Member, other: Member) -> None:
    """The first one counts nothing of the journal: what was there is not new."""
    some_held(one, other)
    call(other, "held.drop", record="ranch", key=3)
    first = other.do(lambda tx: look(tx, None))
    assert first == Look({"parent": 1, "refused": 1, "dropped": 1}, 1, {})
    call(other, "held.drop", record="ranch", key=2)
    second = other.do(lambda tx: look(tx, first.last))
    assert second == Look({"parent": 1, "dropped": 2}, 2, {"dropped": 1})
    assert other.do(lambda tx: look(tx, second.last)).noted == {}
    assert other.do(aside).held == {"parent": 1, "dropped": 2}
