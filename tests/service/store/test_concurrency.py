"""Many workers on the same families at once: no orphan, no double, and all counts add up."""

from __future__ import annotations

import random
import threading
import uuid
from collections import Counter
from functools import partial
from typing import Any

from records.validation import Parsed
from service.errors import Conflict, NotFound, Refused
from service.methods.ports import Change, Existing, New
from service.store.settings import SessionSettings
from tests.live.units import Side
from tests.service.store.direct import done, stored
from tests.service.store.families import CATALOGUE, INFO
from tests.service.store.tools import full_row, read

THREADS, TURNS, CODES = 8, 40, 6
LAND, TOWN, SHOP, SEAT = INFO["land"], INFO["town"], INFO["shop"], INFO["seat"]
SETTINGS = SessionSettings(lock_wait_seconds=20)


class Player:
    """One of many who create and delete lands, towns and shops, and keep count."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._chance = random.Random(seed)
        self.counts: Counter[str] = Counter()

    def play(self) -> None:
        """Take all turns."""
        turns = [self.create_land, self.create_towns, self.delete_land, self.move_shops]
        with stored(self._url, CATALOGUE, SETTINGS) as records:
            for _turn in range(TURNS):
                try:
                    self._chance.choice(turns)(records)
                except Refused:
                    self.counts["refused"] += 1

    def _land(self) -> uuid.UUID:
        """One of a few lands, which may be there or not."""
        return uuid.UUID(int=self._chance.randrange(1, CODES + 1))

    def create_land(self, records: Any) -> None:
        """A land that somebody else may create, too."""
        land = self._land()
        done(records.create(LAND, [full_row(LAND, id=land, code=str(land.int))], ()))
        self.counts["lands"] += 1

    def create_towns(self, records: Any) -> None:
        """Two towns with a shop each, in a land that somebody else may delete."""
        land = self._land()
        towns = [full_row(TOWN, land_id=land, name=uuid.uuid4().hex) for _count in range(2)]
        done(records.create(TOWN, towns, ()))
        self.counts["towns"] += 2
        for town in towns:
            shop = New(full_row(SHOP, town_id=town["id"], name=uuid.uuid4().hex))
            done(records.add(TOWN, TOWN.collections["shops"], (town["id"],), [shop], ()))
            self.counts["shops"] += 1

    def delete_land(self, records: Any) -> None:
        """A land with all that is below it."""
        self.counts["deleted lands"] += done(records.delete(LAND, [(self._land(),)], ()))

    def move_shops(self, records: Any) -> None:
        """Some shops to some town."""
        towns = read(self._url, "SELECT id FROM town LIMIT 3")
        shops = read(self._url, "SELECT id FROM shop LIMIT 3")
        if towns:
            parent = (uuid.UUID(bytes=self._chance.choice(towns)[0]),)
            children = [Existing((uuid.UUID(bytes=shop),)) for (shop,) in shops]
            done(records.add(TOWN, TOWN.collections["shops"], parent, children, ()))


def test_random_creations_and_deletions_leave_no_orphan(families: str) -> None:
    """Eight at once: every row that is left has its parent, and the lands add up."""
    players = [Player(families, seed) for seed in range(THREADS)]
    for side in [Side(player.play) for player in players]:
        side.join()
    total = sum((player.counts for player in players), Counter[str]())
    orphans = (
        "SELECT (SELECT COUNT(*) FROM town WHERE land_id NOT IN (SELECT id FROM land)) + "
        "(SELECT COUNT(*) FROM shop WHERE town_id NOT IN (SELECT id FROM town))"
    )
    assert read(families, orphans) == [(0,)]
    assert read(families, "SELECT COUNT(*) FROM land") == [
        (total["lands"] - total["deleted lands"],)
    ]
    assert min(total["lands"], total["deleted lands"], total["towns"], total["refused"]) > 0


def test_everything_that_is_created_can_be_deleted_again(families: str) -> None:
    """After the tumult, deleting the lands that are left empties the tables of their families."""
    players = [Player(families, seed) for seed in range(100, 103)]
    for side in [Side(player.play) for player in players]:
        side.join()
    left = [(uuid.UUID(bytes=land),) for (land,) in read(families, "SELECT id FROM land")]
    with stored(families, CATALOGUE) as records:
        assert done(records.delete(LAND, left, ())) == len(left)
    assert read(families, "SELECT (SELECT COUNT(*) FROM town) + (SELECT COUNT(*) FROM shop)") == [
        (0,)
    ]


def test_two_upserts_of_one_key_both_succeed(families: str) -> None:
    """One creates, the other changes what the first created, whoever comes first."""
    for turn in range(15):
        start = threading.Barrier(2)

        def put(name: str, turn: int, start: threading.Barrier) -> Any:
            with stored(families, CATALOGUE, SETTINGS) as records:
                done(records.count(SEAT, None))
                start.wait(20)
                values = {"number": turn, "line": name, "place": turn, "holder": None}
                return done(records.upsert(SEAT, [Parsed(values)], ()))[0]["line"]

        sides = [Side(partial(put, name, turn, start)) for name in ("one", "two")]
        assert [side.join() for side in sides] == ["one", "two"]
    assert read(families, "SELECT COUNT(*) FROM seat") == [(15,)]


def test_of_two_creations_of_one_key_one_is_told(families: str) -> None:
    """Exactly one succeeds; the other learns which value is taken, and by whom."""
    for turn in range(15):
        start = threading.Barrier(2)

        def create(line: str, turn: int, start: threading.Barrier) -> str:
            with stored(families, CATALOGUE, SETTINGS) as records:
                done(records.count(SEAT, None))
                start.wait(20)
                row = full_row(SEAT, number=turn, line=line, place=1, holder=None)
                try:
                    done(records.create(SEAT, [row], ()))
                except Conflict as refused:
                    (failure,) = refused.failures
                    return f"{failure.index} {failure.pointer} {failure.code}"
                return "created"

        sides = [Side(partial(create, f"{turn}{name}", turn, start)) for name in "ab"]
        outcomes = sorted(side.join() for side in sides)
        assert outcomes == ["0 /number unique.taken", "created"]


def test_a_record_that_is_deleted_meanwhile_is_not_found(families: str) -> None:
    """An update and a deletion of one record at once: done before it, or not found after it."""
    for turn in range(15):
        with stored(families, CATALOGUE) as records:
            row = full_row(SEAT, number=turn, line=str(turn), place=0)
            done(records.create(SEAT, [row], ()))
        start = threading.Barrier(2)

        def act(what: str, turn: int, start: threading.Barrier) -> str:
            with stored(families, CATALOGUE, SETTINGS) as records:
                done(records.count(SEAT, None))
                start.wait(20)
                try:
                    if what == "delete":
                        done(records.delete(SEAT, [(turn,)], ()))
                    else:
                        done(records.update(SEAT, [Change((turn,), {"place": 9})], ()))
                except NotFound:
                    return f"{what}: not found"
                return f"{what}: done"

        sides = [Side(partial(act, what, turn, start)) for what in ("delete", "update")]
        deleted, updated = (side.join() for side in sides)
        assert deleted == "delete: done"
        assert updated in ("update: done", "update: not found")
    assert read(families, "SELECT COUNT(*) FROM seat") == [(0,)]


def test_readings_of_the_whole_family_never_see_half_a_deletion(families: str) -> None:
    """While a land is created and deleted again and again, it is there with its town or not."""
    stop = threading.Event()

    def come_and_go() -> None:
        with stored(families, CATALOGUE, SETTINGS) as records:
            for turn in range(25):
                land = uuid.UUID(int=turn + 1)
                done(records.create(LAND, [full_row(LAND, id=land, code=str(turn))], ()))
                done(records.create(TOWN, [full_row(TOWN, land_id=land, name="t")], ()))
                done(records.delete(LAND, [(land,)], ()))
        stop.set()

    side = Side(come_and_go)
    question = "SELECT COUNT(*) FROM town LEFT JOIN land ON land.id = land_id WHERE land.id IS NULL"
    seen = set()
    while not stop.is_set() and side.error is None:
        seen.update(read(families, question))
    side.join()
    assert seen <= {(0,)}
