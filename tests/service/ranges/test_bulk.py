"""Many new ranges at once."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from records.stamps import Version
from service.ranges.bulk import judge
from service.ranges.disputes import excluded, refuse_clash
from service.ranges.errors import BlocksRefused
from service.ranges.values import Range
from tests.service.ranges.small import range_of, ranges

THERE = [
    range_of("10.0.0.0/8", "far"),
    range_of("10.1.0.0/16", "far", "serves", 0),
    range_of("192.0.2.0/24", "barn", "serves"),
    range_of("2001:db8::/48", "far"),
]


def told(*new: Range) -> tuple[list[int], list[int], list[tuple[int, str, str]]]:
    """What becomes of ranges beside those that are there."""
    fresh, there, refused = judge(new, THERE)
    return fresh, there, [(each.number, each.code, each.message) for each in refused]


def test_what_is_there_already_is_passed_over_and_the_rest_is_new() -> None:
    """The same block for another purpose is another range, and so is one that nests."""
    assert told(
        range_of("192.0.2.0/24", "barn", "serves", 2),
        range_of("192.0.2.0/24", "barn", "admin"),
        range_of("192.0.2.0/25", "far", "serves"),
    ) == ([1, 2], [0], [])


def test_each_is_told_what_is_in_its_way() -> None:
    """A pool within and around another's, in both families, and what lies in another's pool."""
    _fresh, _there, refused = told(
        range_of("10.3.0.0/16", "barn"),
        range_of("0.0.0.0/1", "barn"),
        range_of("10.1.0.0/16", "barn", "serves"),
        range_of("10.2.0.0/16", "barn", "serves"),
        range_of("2001:db8::/32", "barn"),
    )
    cannot = "cannot be given to barn as"
    rest = "; the largest block in it that no other node has as a pool is"
    assert refused == [
        (0, "range.taken", f"10.3.0.0/16 {cannot} pool: there is 10.0.0.0/8, pool of far"
         "; far can give it away by splitting that pool"),
        (1, "range.taken", f"0.0.0.0/1 {cannot} pool: there is 10.0.0.0/8, pool of far"
         f"{rest} 64.0.0.0/2"),
        (2, "range.taken", f"10.1.0.0/16 {cannot} serves: there is 10.1.0.0/16, served by far"
         "; blocks within it may be served, such as 10.1.0.0/17"),
        (3, "range.foreign_pool", "10.2.0.0/16 lies in 10.0.0.0/8, pool of far: let far give it "
         "out, or split the pool"),
        (4, "range.taken", f"2001:db8::/32 {cannot} pool: there is 2001:db8::/48, pool of far"
         f"{rest} 2001:db8:8000::/33"),
    ]  # fmt: skip


def test_those_that_come_together_may_lie_in_each_others_pools_and_not_exclude_each_other() -> None:
    """The earlier one is named by its number."""
    _fresh, _there, refused = told(
        range_of("172.16.0.0/12", "barn"),
        range_of("172.16.1.0/24", "far", "serves"),
        range_of("172.16.2.0/24", "far", "pool", 2),
        range_of("172.16.0.0/12", "barn", "pool", 3),
    )
    assert refused == [
        (2, "range.taken", "172.16.2.0/24, pool of far: number 0 is 172.16.0.0/12, pool of barn"),
        (3, "range.taken", "172.16.0.0/12, pool of barn: number 2 is 172.16.2.0/24, pool of far"),
        (3, "range.twice", "172.16.0.0/12, pool of barn: number 0 is the same"),
    ]


@settings(deadline=None)
@given(ranges(), st.data())
def test_many_are_judged_as_each_would_be_by_itself(some: list[Range], data: st.DataObject) -> None:
    """Beside what is there; and none is fresh that an earlier one excludes."""
    new = data.draw(st.lists(st.sampled_from(some), unique=True)) if some else []
    present = [each for each in some if each not in new]
    new = [
        each._replace(id=UUID(int=1_000 + number), claim=Version(1_000 + number, 1))
        for number, each in enumerate(new)
    ]
    fresh, there, refused = judge(new, present)
    assert sorted([*fresh, *there]) == list(range(len(new)))
    assert there == [
        number for number, each in enumerate(new) if each[1:4] in {p[1:4] for p in present}
    ]
    expected = {number for number in fresh if alone_refused(new[number], present)}
    for number, each in enumerate(new):
        earlier = new[:number]
        if any(excluded(each, other) or each[1:4] == other[1:4] for other in earlier):
            expected.add(number)
    assert {each.number for each in refused} == expected


def alone_refused(new: Range, present: list[Range]) -> bool:
    """Whether a range would be refused that is added by itself."""
    try:
        refuse_clash(new, [each for each in present if each.block.meets(new.block)])
    except BlocksRefused:
        return True
    return False
