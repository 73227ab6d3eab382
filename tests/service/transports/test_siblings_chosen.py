"""Siblings that the herd's records choose: dialled, let go, and replaced while they are away."""

from __future__ import annotations

import pytest

from service.herd.topology import Member, Roll, to_dial
from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.transports.sibling_world import World

NAMES = ("barn", "shed", "byre", "fold")
SITES = {"barn": "north", "shed": "north", "byre": "south", "fold": "south"}


@pytest.fixture
def world() -> World:
    """Nothing yet."""
    return World()


def roll_of(world: World, own: str | None, *names: str, **sites: str) -> Roll:
    """What the records tell; a node's address and id are its name."""
    members = tuple(
        Member(name, world.stores[name].node.origin, (SITES | sites)[name], address=name)
        for name in names
    )
    return Roll(members, own)


def herd(world: World, *names: str) -> None:
    """Nodes that know nobody but by records, which each of them has."""
    for name in names:
        world.node(name, follows_records=True)
    tell(world, *names)


def tell(world: World, *names: str, **sites: str) -> None:
    """All nodes get these records."""
    for name, store in world.stores.items():
        store.known = roll_of(world, name if name in names else None, *names, **sites)


def linked(world: World, name: str) -> set[str | None]:
    """With whom a node is linked."""
    return {one.name for one in world.siblings(name) if one.they_lack is not None}


def test_nodes_that_are_configured_to_know_nobody_find_each_other(world: World) -> None:
    """All of a site, and two links between two; all agree, and tell who was chosen."""
    herd(world, *NAMES)
    world.stores["barn"].insert("country", 1, name="Iceland")
    world.run(12)
    assert {"shed"} < linked(world, "barn")
    assert {"fold"} < linked(world, "byre")
    assert sum(len(linked(world, name)) for name in NAMES) == 2 * 4
    assert world.agreed()


def test_without_the_setting_nobody_is_dialled(world: World) -> None:
    """Records are only read then."""
    world.node("barn")
    world.node("shed")
    tell(world, "barn", "shed")
    world.run(12)
    assert world.dials == []


def test_who_is_not_chosen_any_more_is_let_go(world: World) -> None:
    """The link ends at both; who is configured stays."""
    world.node("barn", ["shed"], follows_records=True)
    world.node("shed", follows_records=True)
    world.node("byre", follows_records=True)
    tell(world, "barn", "shed", "byre", byre="north")
    world.run(12)
    assert linked(world, "barn") == {"shed", "byre"}
    told = {one.address: one.chosen for one in world.siblings("barn") if one.dialled}
    assert told == {"shed": False, "byre": True}
    tell(world, "barn", "shed")
    world.run(12)
    assert linked(world, "barn") == {"shed"}
    assert linked(world, "byre") == set()
    tell(world)
    world.run(12)
    assert linked(world, "barn") == {"shed"}


def test_another_takes_the_place_of_who_is_away(world: World) -> None:
    """Until he is back; meanwhile he is dialled on."""
    herd(world, *NAMES)
    world.run(12)
    [across] = linked(world, "barn") & {"byre", "fold"}
    other = ({"byre", "fold"} - {across}).pop()
    world.unreachable.add(str(across))
    for end in world.open():
        if world.rooms[str(across)] in (end.protocol._owner, end.other.protocol._owner):
            end.lose()
    world.rooms[str(across)].stop()
    world.run(6)
    assert other not in linked(world, "barn")
    world.run(20)
    assert linked(world, "barn") == {"shed", other}
    world.dials.clear()
    world.run(120)
    assert across in world.dials
    assert linked(world, "barn") == {"shed", other}


def test_who_is_tried_in_vain_in_place_of_another_is_not_tried_at_once_again(world: World) -> None:
    """Else two that are away would be taken for each other again and again."""
    world.node("barn", follows_records=True)
    world.node("shed")
    world.stores["barn"].known = Roll(
        (
            Member("barn", world.stores["barn"].node.origin, "north", address="barn"),
            *(Member(f"gone{n}", 900 + n, "south", 1_000, address=f"gone{n}") for n in range(6)),
            Member("shed", world.stores["shed"].node.origin, "south", address="shed"),
        ),
        "barn",
    )
    world.run(90)
    assert linked(world, "barn") == {"shed"}
    for _ in range(200):
        world.run(1)
        assert linked(world, "barn") == {"shed"}


def test_an_address_that_may_not_be_dialled_is_not(world: World) -> None:
    """Without TLS it would lead away from this machine."""
    world.node("barn", follows_records=True)
    other = Member("other", 77, "north", address="forbidden")
    own = Member("barn", 1, "north", address="barn")
    world.stores["barn"].known = Roll((own, other), "barn")
    world.run(12)
    assert world.dials == []


def test_while_the_records_cannot_be_read_all_stays(world: World) -> None:
    """And is looked at again."""
    herd(world, "barn", "shed")
    world.run(12)
    assert linked(world, "barn") == {"shed"}
    world.stores["barn"].reads_fail = True
    world.run(12)
    assert linked(world, "barn") == {"shed"}
    world.stores["barn"].reads_fail = False
    world.node("byre", follows_records=True)
    tell(world, "barn", "shed", "byre", byre="north")
    world.run(12)
    assert linked(world, "barn") == {"shed", "byre"}


def test_a_node_that_stops_looks_no_more(world: World) -> None:
    """Nothing is dialled then."""
    herd(world, "barn", "shed")
    world.run(1)
    world.rooms["barn"].stop()
    world.dials.clear()
    tell(world, *world.stores)
    world.run(20)
    assert "shed" not in world.dials


def test_who_could_not_be_dialled_yet_is_not_away(world: World) -> None:
    """A node whose database was long in coming has not looked for anybody."""
    herd(world, *NAMES)
    chosen_by_barn = set(to_dial(roll_of(world, "barn", *NAMES))) - {"shed"}
    [across] = chosen_by_barn
    [other] = {"byre", "fold"} - chosen_by_barn
    late = World()
    store = MemoryHerdStore(7)
    store.reads_fail = True
    store.known = roll_of(world, "barn", *NAMES)
    late.node("barn", [across], store, follows_records=True)
    late.run(40)
    store.reads_fail = False
    for _ in range(100):
        late.run(0.5)
        if across in late.dials:
            break
    late.run(8)
    assert across in late.dials
    assert other not in late.dials
    late.run(40)
    assert other in late.dials
