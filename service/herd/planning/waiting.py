"""A part of a delta that is not the last: nothing is repaired, what cannot stand yet waits.

What is missing may come with a later part. A row waits while its parent is not there, while it is
dead and still has children, or while another row has its unique value. It is then as if it had not
come; with the last part it comes again.
"""

from __future__ import annotations

from service.herd.planning.draft import Draft
from service.herd.planning.surroundings import Surroundings
from service.herd.shapes import Place


def let_wait(draft: Draft) -> frozenset[Place]:
    """Take out of the draft whatever cannot stand without repairs; the rows that wait.

    After each round only those are looked at that stand near the rows which were put back.
    """
    around = Surroundings(draft)
    waiting: set[Place] = set()
    doubtful = set(draft.after)
    while doubtful:
        offending = around.offending(doubtful) & draft.after.keys()
        for place in offending:
            draft.put_back(place)
        waiting |= offending
        doubtful = around.touched(offending)
    return frozenset(waiting)
