"""What lives as long as the process is passed over when unreachable objects are looked for.

Python looks through everything that has lived for a while now and then, and runs nothing else
meanwhile: some 90 ms where a node knows 4,000 ranges, up to 450 where it knows 200,000. Calls that
are under way together make it do so often, since they outlive the two rounds before.
"""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 10_000
"""Objects that come to be, and stay, before Python looks through the youngest; by itself 700 (2,000
from 3.13 on), which some calls that are under way have soon made."""


def be_patient() -> None:
    """Look less often: for a process that has many calls under way, and makes few circles."""
    gc.set_threshold(YOUNG_OBJECTS)


def settle() -> None:
    """Whatever lives now is not looked through any more. It goes as ever once nobody holds it.

    Only what holds itself in a circle stays, until the next time: so this is for when something
    large was built that will stay. Takes as long as one look through everything. Python counts what
    was settled where it decides whether enough is new for such a look (a quarter).
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
