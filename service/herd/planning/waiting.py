"""A part of a delta that is not the last: nothing is repaired, what cannot stand yet waits.

What is missing may come with a later part. A row waits while its parent is not there, while it is
dead and still has children, or while another row has its unique value. It is then as if it had not
come; with the last part it comes again.
"""

from __future__ import annotations

from service.herd.planning.claims import contested
from service.herd.planning.draft import Draft
from service.herd.planning.families import Family
from service.herd.shapes import Place


def let_wait(draft: Draft) -> frozenset[Place]:
    """Take out of the draft whatever cannot stand without repairs; the rows that wait."""
    waiting: set[Place] = set()
    while offending := _offending(draft):
        for place in offending:
            draft.put_back(place)
        waiting |= offending
    return frozenset(waiting)


def _offending(draft: Draft) -> set[Place]:
    offending = Family(draft).broken(draft.after) | _contested(draft)
    return offending & draft.after.keys()


def _contested(draft: Draft) -> set[Place]:
    return {
        place
        for shape in draft.shapes.values()
        for unique in shape.uniques
        for group in contested(draft, shape, unique)
        for place in group
    }
