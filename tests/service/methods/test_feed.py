"""feed.read and the consumers, as a client calls them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from twisted.internet.defer import CancelledError

from service.errors import PositionBeyondHead
from service.methods.feed import FeedMethods
from service.methods.feed_port import Ends, Feed, FeedPage, Wanted
from service.methods.params import bind
from service.methods.registry import Registry
from service.store.sealing.lease import NotHolder
from tests.service.methods.calls import finished, places
from tests.service.methods.feeds import FeedApi, feeding
from tests.service.store.feeds import CATALOGUE, run

FARM = {"number": 1, "name": "one", "note": None}


@pytest.fixture
def api(database: str) -> Iterator[FeedApi]:
    """The methods of farms and cows."""
    with feeding(database) as opened:
        yield opened


def test_a_change_is_told_in_full(api: FeedApi, database: str) -> None:
    """Where, what, who and when, and the row as it is now."""
    api.call("farm.create", FARM)
    run(database, "UPDATE farm SET name = 'eins', note = 'x'", "DELETE FROM farm")
    answer = api.read()
    first, second, third = answer.pop("changes")
    assert answer == {"found": True, "next": 3, "head": 3, "horizon": 0, "complete": True}
    assert set(first) == {
        *("position", "record", "kind", "key", "life", "origin", "writer", "at", "row"),
    }
    assert (first["position"], first["record"], first["kind"]) == (1, "farm", "insert")
    assert (first["key"], first["life"], first["row"]) == ({"number": 1}, 1, None)
    assert second["fields"] == ["name", "note"]
    assert (third["kind"], third["life"]) == ("delete", 2)
    assert first["at"] <= second["at"] <= third["at"]
    assert len(third["at"]) == len("2026-01-31T12:00:00.000000Z")


def test_the_row_is_that_of_a_get(api: FeedApi) -> None:
    """All fields, in the same form."""
    api.call("farm.create", FARM)
    (change,) = api.read()["changes"]
    assert change["row"] == FARM == api.call("farm.get", {"number": 1})
    (bare,) = api.read(rows=False)["changes"]
    assert bare == {name: value for name, value in change.items() if name != "row"}


def test_reading_goes_on_where_a_page_ended(api: FeedApi) -> None:
    """`next` is the next `from`; at the head a page is empty and complete."""
    api.call("farm.create", {"records": [FARM | {"number": number} for number in range(5)]})
    after, keys = 0, []
    for _ in range(3):
        answer = api.read(start=after, limit=2)
        keys += [change["key"]["number"] for change in answer["changes"]]
        after = answer["next"]
    assert keys == [0, 1, 2, 3, 4]
    answer = api.read(start=after)
    assert (answer["changes"], answer["next"], answer["complete"]) == ([], 5, True)
    assert api.read(start="now") == answer


def test_what_is_wanted_by_class_and_condition_is_told(api: FeedApi) -> None:
    """The condition is that of a list; what may match no more says so."""
    api.call("farm.create", {"records": [FARM, FARM | {"number": 2, "name": "two"}]})
    api.call("cow.create", {"name": "Emma", "farm_number": 1})
    api.call("farm.update", {"number": 1, "name": "away"})
    asked: dict[str, Any] = {"records": ["farm"], "where": {"farm": ["name", "!=", "away"]}}
    first, second = api.read(**asked)["changes"]
    assert (first["key"], first["row"]["name"]) == ({"number": 2}, "two")
    assert "matches" not in first
    assert (second["kind"], second["row"], second["matches"]) == ("update", None, False)
    everything = api.read(where=asked["where"])["changes"]
    assert [change["record"] for change in everything] == ["farm", "cow", "farm"]


def test_a_cursor_below_the_horizon_is_told(api: FeedApi, database: str) -> None:
    """With what is needed to begin anew."""
    api.call("farm.create", {"records": [FARM | {"number": number} for number in range(5)]})
    api.sealing.seal()
    run(
        database,
        "DELETE FROM herdbook_changelog WHERE position <= 3",
        "UPDATE herdbook_sealer SET horizon = 3",
    )
    lost = {"found": False, "changes": [], "head": 5, "horizon": 3, "complete": False}
    for position in (0, 2):
        # One that waits is told at once as well.
        assert api.read(start=position, wait_seconds=10) == lost | {"next": position}
    assert len(api.read(start=3)["changes"]) == 2


@pytest.mark.parametrize("more", [{}, {"wait_seconds": 10}, {"consumer": "index"}])
def test_a_position_above_the_head_is_refused_with_the_head(
    api: FeedApi, more: dict[str, Any]
) -> None:
    """Whoever reads, waits or acknowledges: the place, the head, and what to do."""
    api.call("farm.create", {"records": [FARM | {"number": number} for number in range(5)]})
    api.sealing.seal()
    api.call("feed.register", ["index", 0])
    error = api.refused("feed.read", {"from": 6} | more)
    assert isinstance(error, PositionBeyondHead)
    assert (error.code, error.details) == ("feed.beyond_head", {"head": 5})
    assert places(error) == [(None, "/from", "position.beyond_head")]
    assert error.message == "6 was never given; the last position is 5"
    assert "restored from a backup" in error.advice
    assert api.read(start=5)["next"] == 5
    assert api.call("feed.consumers")["consumers"][0]["position"] == 0


def test_what_no_class_is_there_for_is_told_by_its_table(api: FeedApi, database: str) -> None:
    """Nothing is passed over because the code does not know it."""
    api.call("farm.create", FARM)
    api.sealing.seal()
    run(database, "UPDATE herdbook_changelog SET table_name = 'barn'")
    (change,) = api.read()["changes"]
    assert (change["record"], change["table"], change["key"]) == (None, "barn", None)
    assert (change["row"], change["kind"]) == (None, "insert")
    assert api.read(records=["farm"])["changes"] == []


def test_a_call_that_waits_is_answered_by_the_first_change(api: FeedApi) -> None:
    """Not before, and with that change."""
    _call, ended = api.begin(wait_seconds=10)
    api.clock.advance(3)
    assert ended == []
    api.call("farm.create", FARM)
    api.sealing.seal()
    assert [change["key"] for change in ended[0]["changes"]] == [{"number": 1}]
    assert api.clock.getDelayedCalls() == []


def test_a_call_that_waits_reads_in_the_pass_that_seals_what_it_waits_for(api: FeedApi) -> None:
    """And asks for no other; where another process seals, it is woken and reads by itself."""
    _call, ended = api.begin(wait_seconds=10)
    assert (api.sealing.reads, len(api.sealing.next)) == (1, 1)
    api.call("farm.create", FARM)
    api.sealing.seal_and_read()
    assert [change["position"] for change in ended[0]["changes"]] == [1]
    assert (api.sealing.reads, api.sealing.next) == (1, [])
    api.sealing.error = NotHolder("another process seals")
    _call, ended = api.begin(start=1, wait_seconds=10)
    api.call("farm.create", FARM | {"number": 2})
    api.sealing.seal()
    assert [change["position"] for change in ended[0]["changes"]] == [2]


def test_a_call_whose_page_was_not_read_in_the_pass_reads_it_afterwards(api: FeedApi) -> None:
    """As one of many that wait, and one whose page brought nothing that is wanted."""
    _call, ended = api.begin(wait_seconds=10, records=["cow"])
    api.call("farm.create", FARM)
    api.sealing.seal_and_read()
    assert (ended, len(api.sealing.next)) == ([], 1)
    api.call("cow.create", {"name": "Ada", "farm_number": 1})
    api.sealing.seal()
    assert [change["position"] for change in ended[0]["changes"]] == [2]
    assert (api.sealing.next, api.clock.getDelayedCalls()) == ([], [])


def test_a_call_that_waits_is_answered_when_its_time_is_up(api: FeedApi) -> None:
    """Empty, and with the position that reading goes on from; never longer than a call may take."""
    for seconds, longest in ((10, 10), (25, 20)):
        _call, ended = api.begin(wait_seconds=seconds)
        api.clock.advance(longest - 0.5)
        assert ended == []
        api.clock.advance(0.5)
        assert (ended[0]["changes"], ended[0]["found"]) == ([], True)


def test_changes_that_are_not_wanted_do_not_end_the_wait(api: FeedApi) -> None:
    """But they move `next`, and the time goes on running."""
    _call, ended = api.begin(wait_seconds=10, records=["cow"])
    for number in range(3):
        api.clock.advance(3)
        api.call("farm.create", FARM | {"number": number})
        api.sealing.seal()
    assert ended == []
    api.clock.advance(1)
    assert (ended[0]["changes"], ended[0]["next"], ended[0]["head"]) == ([], 3, 3)


def test_a_client_that_leaves_is_waited_for_no_more(api: FeedApi) -> None:
    """Nothing of its call is left."""
    call, ended = api.begin(wait_seconds=10)
    call.cancel()
    assert ended[0].check(CancelledError)
    assert (api.sealing.subscribers, api.clock.getDelayedCalls()) == ([], [])
    assert api.sealing.next == []


def test_a_consumer_keeps_its_place(api: FeedApi) -> None:
    """It registers, acknowledges by hand or by reading on, and is forgotten."""
    api.call("farm.create", {"records": [FARM | {"number": number} for number in range(4)]})
    api.sealing.seal()
    made = api.call("feed.register", {"consumer": "index", "from": 0})
    assert (made["consumer"], made["position"]) == ("index", 0)
    assert api.call("feed.register", ["index", "now"])["position"] == 0
    assert len(api.read(consumer="index", start=1)["changes"]) == 3
    assert api.call("feed.acknowledge", {"consumer": "index", "position": 3})["position"] == 3
    assert api.call("feed.acknowledge", ["index", 2])["position"] == 3
    assert len(api.read(consumer="index", start=1)["changes"]) == 3
    listed = api.call("feed.consumers")
    assert [(each["consumer"], each["position"]) for each in listed["consumers"]] == [("index", 3)]
    assert (listed["head"], listed["horizon"]) == (4, 0)
    assert api.call("feed.forget", {"consumer": "index"}) == {"forgotten": "index"}
    assert api.call("feed.consumers")["consumers"] == []


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        (
            "feed.read",
            {"from": 9, "consumer": "x"},
            {("/consumer", "consumer.unknown"), ("/from", "position.beyond_head")},
        ),
        ("feed.read", {"from": "now", "consumer": "x"}, {("/from", "from.skips")}),
        ("feed.register", ["x", 9], {("/1", "position.beyond_head")}),
        ("feed.register", {"consumer": "x", "from": 9}, {("/from", "position.beyond_head")}),
        (
            "feed.acknowledge",
            ["x", 9],
            {("/0", "consumer.unknown"), ("/1", "position.beyond_head")},
        ),
        ("feed.forget", {"consumer": "x"}, {("/consumer", "consumer.unknown")}),
    ],
)
def test_what_a_consumer_cannot_have_is_said_where_it_stands(
    api: FeedApi, method: str, params: Any, expected: set[tuple[str, str]]
) -> None:
    """All reasons, each with its place in the parameters as they were sent."""
    error = api.refused(method, params)
    assert error.code in {"feed.refused", "feed.beyond_head", "params.invalid"}
    assert {(pointer, code) for _index, pointer, code in places(error)} == expected


class LongFeed:
    """A feed in which nothing is wanted for a long way."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def page(self, after: int, limit: int, wanted: Wanted) -> FeedPage:
        """Each page goes ten further, up to the head."""
        self.asked.append(after)
        assert len(self.asked) < 10, "the same page is read again and again"
        return FeedPage((), min(after + 10, 25), Ends(head=25, horizon=0))

    async def following(
        self, after: int, limit: int, wanted: Wanted, seconds: float
    ) -> FeedPage | None:
        """Nothing comes."""
        return None


def test_a_call_that_waits_reads_on_over_what_is_not_wanted() -> None:
    """Page after page up to the head, and only there it waits."""
    feed = LongFeed()
    methods = FeedMethods(CATALOGUE, cast("Feed", feed), clock=lambda: 0.0)
    method = Registry(methods.methods()).find("feed.read")
    answer = finished(method.handler(bind(method.signature, {"wait_seconds": 5})))
    assert (feed.asked, answer["next"]) == ([0, 10, 20], 25)
